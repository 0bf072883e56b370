/** What a huge value leaves in the thread that wrote or read it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const MIB = 2 ** 20
const HUGE = 64 * MIB
const TOO_LARGE = 'ERR_MAPSAFE_ENTRY_TOO_LARGE'
/** Above what a thread may keep, and far below a buffer for the value. */
const LEFT = 8 * MIB

/** Bytes of array buffers that this process keeps, once all that is unused was collected. */
async function arrayBuffers(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await nextTurn()
    collect()
  }
  return process.memoryUsage().arrayBuffers
}

const bytes = (): Uint8Array => new Uint8Array(HUGE).fill(1)
// One string, many times over, is little memory, but much as a value.
const line = 'x'.repeat(MIB)
const strings = (): object => ({ strings: new Array<string>(HUGE / MIB).fill(line) })
const clone = (): object => new Map([['bytes', bytes()]])

type AnyMap = ConcurrentCache<string, unknown>
const calls: [string, () => unknown, (map: AnyMap) => unknown][] = [
  ['get of bytes', bytes, (map): unknown => map.get('huge')],
  ['get of a plain object', strings, (map): unknown => map.get('huge')],
  ['get of a Map', clone, (map): unknown => map.get('huge')],
  ['getMany of bytes', bytes, (map): unknown => map.getMany(['huge', 'small'])],
  ['getMany of plain objects', strings, (map): unknown => map.getMany(['huge', 'small'])],
  ['iteration', bytes, (map): unknown => [...map.values()].length],
  ['snapshot', bytes, (map): unknown => [...map.snapshot().values()].length],
  ['touch', bytes, (map): unknown => map.touch('huge', 60_000)],
  ['getOrLoad', bytes, (map): unknown => map.getOrLoad('huge', () => 1)],
  ['set of bytes', () => 1, (map): unknown => map.set('huge', bytes())],
  ['set of a plain object', () => 1, (map): unknown => map.set('huge', strings())],
  ['set of a Map', () => 1, (map): unknown => map.set('huge', clone())],
  ['setMany', () => 1, (map): unknown => map.setMany([['huge', bytes()]])],
  ['update', bytes, (map): unknown => map.update('huge', (value) => value)],
  ['swap', bytes, (map): unknown => map.swap('huge', bytes())],
  ['compareAndSwap in vain', () => 1, (map): unknown => map.compareAndSwap('huge', 2, bytes())],
  ['a set that is refused', () => 1, refused],
]

/** Awaits a call in a frame of its own, so that this test holds nothing of what it answered. */
async function discard(answer: unknown): Promise<void> {
  await answer
}

function refused(map: AnyMap): void {
  expect(() => map.set('huge', new Uint8Array(3 * HUGE))).toThrow(expect.objectContaining({ code: TOO_LARGE }))
}

describe.each(lineups)('a huge value leaves nothing behind in a thread ($name)', (lineup) => {
  test.each(calls)('after %s', async (_, make, call) => {
    // In a cache a value may take an eighth of the region.
    using writer = new ConcurrentCache<string, unknown>({ maxBytes: 10 * HUGE, engine: lineup.engineOf(0) })
    writer.set('huge', make())
    writer.set('small', { small: true })
    using other = ConcurrentCache.attach<string, unknown>(writer.handle, { engine: lineup.engineOf(1) })
    other.get('small')
    const before = await arrayBuffers()
    await discard(call(other))
    expect((await arrayBuffers()) - before).toBeLessThan(LEFT)
    expect(other.get('small')).toEqual({ small: true })
  })
})
