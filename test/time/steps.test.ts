import { fork } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import {
  HEADER_CLOCK_BOOT,
  HEADER_CLOCK_START,
  HEADER_CLOCK_OFFSET,
  HEADER_CLOCK_STEPS,
} from '../../src/format/layout.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { abandon, freeTakeoverWord } from '../support/abandon.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { watchStores } from '../support/stores.js'
import { processCode } from '../support/worker-code.js'

const HOUR = 3_600_000
const { path, execArgv } = processCode(new URL('steps.program.ts', import.meta.url))

/** Where Debian and others put what sets the system's clock for one process, if it is installed. */
function libfaketime(): string | undefined {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib']
  for (const folder of folders.filter((name) => existsSync(name))) {
    for (const name of ['.', ...readdirSync(folder)]) {
      const file = `${folder}/${name}/faketime/libfaketime.so.1`
      if (existsSync(file)) return file
    }
  }
  return undefined
}

const faketime = libfaketime()
if (faketime === undefined) console.warn('skips tests of steps of the clock: install faketime')

describe.each(lineups)('$name', (lineup) => {
  test.skipIf(faketime === undefined)(
    'lifetimes do not follow steps of the system clock, and times told do',
    async () => {
      using scratch = new Scratch()
      const file = scratch.file('clock')
      writeFileSync(file, '+0')
      const env = {
        ...process.env,
        LD_PRELOAD: faketime,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      }
      const child = fork(path, [lineup.engineOf(0), lineup.engineOf(1), file], { execArgv, env })
      const problems = await new Promise<string[]>((resolve, reject) => {
        child.on('message', resolve)
        child.on('exit', (code) => {
          reject(new Error(`ended with ${code}`))
        })
      })
      expect(problems).toEqual([])
    },
  )

  /** A cache in memory and its clock's words. */
  function open(): { caches: ConcurrentCache<string, number>[]; words: Float64Array; settle: () => void } {
    const first = new ConcurrentCache<string, number>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    const second = ConcurrentCache.attach<string, number>(first.handle, { engine: lineup.engineOf(1) })
    const settle = (): void => {
      storeOf(first).clock.settle()
    }
    return { caches: [first, second], words: new Float64Array(first.handle.region!), settle }
  }

  test('a start of the system changes nothing', () => {
    const { caches, words, settle } = open()
    const [first, second] = caches
    first.set('long', 1, { ttl: HOUR }).set('short', 1, { ttl: 10 })
    const { expiresAt } = first.getEntry('long')!
    // Monotonic and boot-time clock began anew: what they show now is less by what they had shown.
    words[HEADER_CLOCK_OFFSET / 2] -= 1e9
    words[HEADER_CLOCK_START / 2] -= 1e9
    new BigUint64Array(words.buffer)[HEADER_CLOCK_BOOT / 2] = 77n
    settle()
    settle()
    for (const cache of caches) {
      expect(cache.get('long')).toBe(1)
      expect(Math.abs(cache.getEntry('long')!.expiresAt! - expiresAt!)).toBeLessThan(2)
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15)
    expect(second.get('short')).toBeUndefined()
    for (const cache of caches) cache.close()
  })

  test.skipIf(process.platform !== 'linux')('the time for which the system was suspended counts, once', () => {
    const { caches, words, settle } = open()
    const [first, second] = caches
    first.set('long', 1, { ttl: 1.5 * HOUR }).set('short', 1, { ttl: 0.5 * HOUR })
    for (const cache of caches) expect(cache.get('short')).toBe(1)
    // As if the clock that runs on in suspension were an hour ahead of where it was.
    words[HEADER_CLOCK_START / 2] += HOUR
    settle()
    settle()
    storeOf(second).clock.settle()
    for (const cache of caches) {
      expect(cache.get('short')).toBeUndefined()
      expect(cache.get('long')).toBe(1)
    }
    for (const cache of caches) cache.close()
  })
})

test('who dies at any store while noting a start, a suspension or a step leaves a clock that goes on', () => {
  using cache = new ConcurrentCache<string, number>({ engine: 'typescript', maxBytes: 2 ** 20 })
  cache.set('long', 1, { ttl: 2.5 * HOUR }).set('short', 1, { ttl: 0.5 * HOUR })
  const { expiresAt } = cache.getEntry('long')!
  const changes: Record<string, (words: Float64Array) => void> = {
    start(words) {
      words[HEADER_CLOCK_OFFSET / 2] -= 1e9
      words[HEADER_CLOCK_START / 2] -= 1e9
      new BigUint64Array(words.buffer)[HEADER_CLOCK_BOOT / 2] = 77n
    },
    suspension: (words) => (words[HEADER_CLOCK_START / 2] += HOUR),
    step: (words) => (words[HEADER_CLOCK_STEPS / 2] += HOUR),
  }
  for (const [name, change] of Object.entries(changes)) {
    const region = copyOf(cache.handle.region!)
    change(new Float64Array(region))
    const left: SharedArrayBuffer[] = []
    watchStores(
      region,
      () => left.push(copyOf(region)),
      () => {
        ConcurrentCache.attach({ kind: 'mapsafe.cache', region }, { engine: 'typescript' }).close()
      },
    )
    expect(left.length, name).toBeGreaterThan(10)
    for (const [store, copy] of left.entries()) {
      abandon(new Int32Array(copy))
      freeTakeoverWord(new Int32Array(copy))
      using survivor = ConcurrentCache.attach<string, number>({ kind: 'mapsafe.cache', region: copy })
      expect(survivor.get('long'), `${name}, store ${store}`).toBe(1)
      expect(survivor.get('short'), `${name}, store ${store}`).toBe(name === 'suspension' ? undefined : 1)
      const ends = survivor.getEntry('long')!.expiresAt! + (name === 'suspension' ? HOUR : 0)
      expect(Math.abs(ends - expiresAt!), `${name}, store ${store}`).toBeLessThan(20)
    }
  }
})

function copyOf(region: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(region.byteLength)
  new Uint8Array(copy).set(new Uint8Array(region))
  return copy
}
