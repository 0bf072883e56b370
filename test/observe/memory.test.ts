/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { ConcurrentMap, type Key } from '../../src/index.js'
import { LostUpdateProbe } from '../../src/observe/lost-updates/probe.js'
import { Sight } from '../../src/observe/lost-updates/sight.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const options = { keys: false, stacks: true, notes: 100, windowMs: Infinity }

test('the probe has notes of the keys read last, and of no more than it was told', () => {
  const probe = new LostUpdateProbe(options, false)
  for (let i = 0; i < 10_000; i++) {
    probe.read(i, i + 1, { i })
    probe.read(Uint8Array.of(i, i >> 8), i + 1, 'text')
    expect(probe.size).toBeLessThanOrEqual(200)
  }
  expect(probe.size).toBe(200)
  expect(probe.expected(9900)?.isArmed).toBe(true)
  expect(probe.expected(9899)).toBeUndefined()
  // Reading a key again makes it the latest.
  probe.read(9900, 9901, 'again')
  probe.read('new', 1, 1)
  expect(probe.expected(9900)?.isArmed).toBe(true)
  expect(probe.expected(9901)).toBeUndefined()
  probe.forgetAll()
  expect(probe.size).toBe(0)
})

test('a long text is kept as a hash alone', () => {
  const kept = (length: number): boolean =>
    Object.values(new Sight({ value: 'x'.repeat(length), bytes: undefined })).includes('x'.repeat(length))
  expect([65_536, 65_537].map(kept)).toEqual([true, false])
})

test('the probe keeps no value alive', () => {
  using map = new ConcurrentMap<Key, unknown>({
    maxBytes: 2 ** 27,
    nearCache: false,
    lostUpdates: { notes: 65_536, stacks: false },
  })
  const count = 500
  const bytes = 100_000
  for (const isObject of [true, false]) {
    for (let i = 0; i < count; i++) map.set(`${isObject} ${i}`, isObject ? { list: Array(1000).fill({ i }) } : 'a')
    map.get(`${isObject} 0`)
  }
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i++) map.get(`true ${i}`)
  for (let i = 0; i < count; i++) map.set(`large ${i}`, 'x'.repeat(bytes)).get(`large ${i}`)
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    collectGarbage()
    // Objects of a thousand parts each would take some 20 MB, and the strings 50 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4e6)
  })
})
