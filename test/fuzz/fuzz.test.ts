import { describe, expect, test } from 'vitest'
import { Random } from '../support/random.js'
import { scaled, seed } from '../support/run.js'
import { runCodecRound } from './codec-round.js'
import { runEngineRound } from './engine-round.js'
import { runMapRound } from './map-round.js'

/** `npm run fuzz` runs the same rounds for as long as one likes. */
describe(`hostile bytes (seed ${seed})`, () => {
  test.each([
    ['the TypeScript engine', runEngineRound, 200],
    ['a map', runMapRound, 150],
    ['the decoders', runCodecRound, 300],
  ])('%s: every operation ends with a result or an error that says why', (_, run, rounds) => {
    for (let round = 0; round < scaled(rounds); round++) {
      expect(() => {
        run(new Random(seed).fork(round))
      }, `round ${round}`).not.toThrow()
    }
  })
})
