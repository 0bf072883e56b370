import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { HEADER_CLOCK_BOOT, HEADER_CLOCK_START, HEADER_CLOCK_OFFSET } from '../../src/format/layout.js'
import { bootNumber } from '../../src/platform/system-clock.js'
import { CONTAINER, mayContain } from '../support/container.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

const HOUR = 3_600_000
const { path, execArgv } = processCode(new URL('no-proc.program.ts', import.meta.url))

/** Opens the cache in `file` where there is no /proc, and so no way to tell this start of the system from another. */
function openWithoutProc(file: string, engine: string): unknown {
  const inside = ['sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh', process.execPath, ...execArgv]
  const text = execFileSync(CONTAINER[0], [...CONTAINER.slice(1), ...inside, path, file, engine], { encoding: 'utf8' })
  return JSON.parse(text)
}

/** The words of the clock in a file. */
function clockOf(file: string): bigint[] {
  const bytes = readFileSync(file)
  return [HEADER_CLOCK_OFFSET, HEADER_CLOCK_START, HEADER_CLOCK_BOOT].map((word) => bytes.readBigUInt64LE(4 * word))
}

test.skipIf(!mayContain).each(lineups)('who has no /proc leaves the time of others as it is ($name)', (lineup) => {
  using scratch = new Scratch()
  const file = scratch.file()
  using cache = new ConcurrentCache<string, number>({ file, engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
  cache.set('here', 1, { ttl: HOUR })
  const before = clockOf(file)
  expect(before[2]).toBe(bootNumber())
  expect(openWithoutProc(file, lineup.engineOf(1))).toEqual(['here', 'there'])
  expect(clockOf(file)).toEqual(before)
  expect([...cache.keys()].toSorted()).toEqual(['here', 'there'])
})

test.skipIf(!mayContain).each(lineups)('who has one goes on with the time of a file made without ($name)', (lineup) => {
  using scratch = new Scratch()
  const file = scratch.file()
  openWithoutProc(file, lineup.engineOf(0))
  const [offset] = clockOf(file)
  for (let i = 0; i < 2; i++) {
    using cache = new ConcurrentCache<string, number>({ file, engine: lineup.engineOf(1), maxBytes: 2 ** 20 })
    expect(cache.get('there')).toBe(1)
    expect(clockOf(file)[0]).toBe(offset)
    expect(clockOf(file)[2]).toBe(bootNumber())
  }
})
