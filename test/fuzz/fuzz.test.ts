import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Random } from '../support/random.js'
import { scaled, seed } from '../support/run.js'
import { runCodecRound } from './codec-round.js'
import { runEngineRound } from './engine-round.js'
import { runInspectRound } from './inspect-round.js'
import { runMapRound } from './map-round.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `npm run fuzz` runs the same rounds for as long as one likes. */
describe(`hostile bytes (seed ${seed})`, () => {
  test.each([
    ['the TypeScript engine', runEngineRound, 200],
    ['a map', runMapRound, 150],
    ['the decoders', runCodecRound, 300],
    ['an inspection', runInspectRound, 60],
  ])('%s: every operation ends with a result or an error that says why', (_, run, rounds) => {
    for (let round = 0; round < scaled(rounds); round++) {
      expect(() => {
        run(new Random(seed).fork(round))
      }, `round ${round}`).not.toThrow()
    }
  })

  test('the decoders, alone and with little memory: none takes more than a multiple of the bytes', () => {
    const rounds = String(scaled(40))
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--max-old-space-size=128', '--import', 'tsx', 'test/fuzz/values-main.ts', '600', String(seed), '0', rounds],
      { cwd: root, encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
