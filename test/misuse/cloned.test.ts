import { once } from 'node:events'
import { serialize } from 'node:v8'
import { MessageChannel, Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { lineups } from '../support/run.js'

// A map object belongs to its thread. Structured clone would drop its class, and a worker would get an object without
// methods: so it is refused where it is sent, and the message names what to send.

class Sessions extends ConcurrentCache<string, number> {}

describe.each(lineups)('$name', (lineup) => {
  const engine = lineup.engineOf(0)
  const options = { engine, maxBytes: 2 ** 20 }

  const subjects: [string, () => { object: object; close: () => void }, RegExp][] = [
    ['a ConcurrentMap', () => opened(new ConcurrentMap(options)), /send map\.handle.*ConcurrentMap\.attach\(handle\)/],
    [
      'a ConcurrentCache',
      () => opened(new ConcurrentCache(options)),
      /send cache\.handle.*ConcurrentCache\.attach\(handle\)/,
    ],
    ['an object of a subclass', () => opened(new Sessions(options)), /send cache\.handle.*ConcurrentCache\.attach/],
    ['an attached one', () => opened(ConcurrentMap.attach(new ConcurrentMap(options).handle)), /send map\.handle/],
    ['a Snapshot', () => snapshotted(), /send the handle of its map.*\[\.\.\.snapshot\]/],
    ['an Inspection', () => opened(openInspection(new ConcurrentMap(options).handle)), /send what it was opened with/],
  ]

  function opened(object: { close(): void }): { object: object; close: () => void } {
    return { object, close: () => object.close() }
  }

  function snapshotted(): { object: object; close: () => void } {
    const map = new ConcurrentMap<Key, number>(options).set('a', 1)
    return { object: map.snapshot(), close: () => map.close() }
  }

  test.each(subjects)('%s is refused wherever it is cloned', (_name, make, advice) => {
    const { object, close } = make()
    const { port1, port2 } = new MessageChannel()
    const senders: ((value: unknown) => unknown)[] = [
      (value) => structuredClone(value),
      (value) => port1.postMessage(value),
      (value) => serialize(value),
      (value) => new Worker('', { eval: true, workerData: value }),
    ]
    for (const send of senders) {
      for (const value of [object, { deep: [object] }, new Map([['map', object]])]) {
        expect(() => send(value)).toThrow(advice)
      }
    }
    expect(() => structuredClone(object)).toThrow(expect.objectContaining({ name: 'DataCloneError' }) as Error)
    port2.close()
    close()
    expect(() => structuredClone(object), 'also when it is closed').toThrow(advice)
  })

  test('nothing else of a map shows it', () => {
    using map = new ConcurrentMap<Key, number>(options)
    expect(JSON.stringify(map)).not.toContain('notCloneable')
    expect(Object.assign({}, map).handle).toBe(map.handle)
    expect(map).toEqual(map)
    using other = new ConcurrentMap<Key, unknown>(options)
    expect(() => other.set('map', map)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_VALUE_TYPE' }) as Error)
  })

  test('the handle goes as before', async () => {
    using map = new ConcurrentMap<Key, number>(options).set('a', 1)
    expect(Object.keys(structuredClone(map.handle))).toEqual(['kind', 'region'])
    const worker = new Worker(
      'require("node:worker_threads").parentPort.postMessage(require("node:worker_threads").workerData)',
      {
        eval: true,
        workerData: map.handle,
      },
    )
    const [received] = (await once(worker, 'message')) as [typeof map.handle]
    expect(ConcurrentMap.attach<string, number>(received, { engine }).get('a')).toBe(1)
  })
})
