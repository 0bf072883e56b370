/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ConcurrentMap, type Key } from '../../src/index.js'
import { logTo, type LogRecord, type LogTarget } from '../../src/observe/log.js'
import { fetched } from '../support/fetched.js'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Writable } from 'node:stream'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Loses an update under a key, and returns what became of it. */
function lose(key: Key): void {
  using map = new ConcurrentMap<Key, number>({ lostUpdates: { keys: true } })
  using other = ConcurrentMap.attach<Key, number>(map.handle)
  map.get(key)
  other.set(key, 1)
  map.set(key, 2)
}

describe('an event is one record', () => {
  const record = {
    level: 'warn',
    time: expect.any(Number),
    event: 'mapsafe.lost-update',
    msg: 'A write of a ConcurrentMap overwrote a value, where its thread had read that there was none.',
    map: 'ConcurrentMap',
    name: 'map',
    lost: 'insert',
    readVersion: 0,
    foundVersion: expect.any(Number),
    elapsed: expect.any(Number),
    readStack: expect.arrayContaining([expect.stringMatching(/log\.test\.ts/)]),
    writeStack: expect.arrayContaining([expect.stringMatching(/log\.test\.ts/)]),
    pid: process.pid,
    threadId: expect.any(Number),
  }

  test.each([
    ['text', 'text'],
    [7, 7],
    [true, true],
    [12n, '12'],
    [Uint8Array.of(1, 255), '01ff'],
  ])('for a function, with the key %s', (key, shown) => {
    const records: LogRecord[] = []
    using logging = logTo((one) => records.push(one))
    lose(key)
    expect(JSON.parse(JSON.stringify(records))).toEqual([{ ...record, key: shown }])
    logging.stop()
    logging.stop()
    lose(key)
    expect(records).toHaveLength(1)
  })

  test('for console, as a line of JSON', () => {
    const lines: string[] = []
    vi.spyOn(console, 'warn').mockImplementation((line: string) => void lines.push(line))
    using logging = logTo()
    lose('k')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ ...record, key: 'k' }])
    logging.stop()
  })

  const folder = fetched('pino@10.1.0')
  test.skipIf(folder === undefined)('for pino', () => {
    type Pino = (options: object, stream: Writable) => LogTarget
    const pino = createRequire(join(folder!, 'x.js'))('pino') as Pino
    let text = ''
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString()
        done()
      },
    })
    using logging = logTo(pino({}, stream))
    lose('k')
    expect(JSON.parse(text)).toEqual({ ...record, level: 40, hostname: expect.any(String), key: 'k' })
    expect(text.match(/"time":/g)).toHaveLength(1)
    logging.stop()
  })
})
