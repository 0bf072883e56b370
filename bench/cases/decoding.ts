import { ConcurrentMap, type DeepReadonly, type MapHandle } from 'mapsafe'
import type { Case, Findings, Run } from '../harness/case.js'
import { keyOf } from '../harness/data.js'
import { exactly } from '../harness/targets.js'
import { Thread } from '../harness/thread.js'
import { count } from '../report/format.js'

export interface Numbered {
  readonly number: number
  readonly text: string
}

export interface DecodingSetup {
  readonly handle: MapHandle
  /** Words {@link TURN} to {@link DONE}. */
  readonly signals: Int32Array
  readonly key: string
  /** Keys of other entries. */
  readonly others: readonly string[]
}

// Words of the signals: the turn that the writer should do, its order, the turn that it has done.
export const TURN = 0
export const ORDER = 1
export const DONE = 2
// Orders.
const WRITE_KEY = 1
export const WRITE_OTHER = 2
export const STOP = 3

/** Enough that some share a bucket with the key that is read. */
const OTHERS = 2000
const READS = 20
const WAIT_MILLISECONDS = 30_000

/** How often a near-cached object is decoded. */
export const decoding: Case = {
  name: 'decoding',
  title: 'Decoding of near-cached objects',
  method: `One thread reads an object again and again; another thread overwrites it, or other entries, between the reads. Every decoding makes a
new object, so the different objects that the reader gets are counted, and each is checked to be the one written last.`,
  async run(run: Run): Promise<Findings> {
    const writes = run.quick ? 1000 : 20_000
    run.progress(`${count(writes)} writes of the key, then of others`)
    const { ofKey, ofOthers } = await decodings(writes)
    const perWrite = ofKey / writes
    return {
      tables: [
        {
          title: `${count(READS)} reads after each write`,
          columns: ['written in between', 'writes', 'reads', 'decodings', 'decodings a write'],
          rows: [
            ['the object that is read', count(writes), count(writes * READS), count(ofKey), show(perWrite)],
            ['other entries', count(writes), count(writes * READS), count(ofOthers), show(ofOthers / writes)],
          ],
        },
      ],
      charts: [],
      verdicts: [
        exactly('P11', 'decodings for each write of the object', perWrite, 1, show),
        exactly('P11', 'decodings for each write of another entry', ofOthers / writes, 0, show),
      ],
      omissions: [],
    }
  },
}

const show = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 5 })

async function decodings(writes: number): Promise<{ ofKey: number; ofOthers: number }> {
  using map = new ConcurrentMap<string, Numbered>()
  const key = keyOf(0)
  const others = Array.from({ length: OTHERS }, (_, n) => keyOf(n + 1))
  map.set(key, { number: 0, text: 'turn 0' })
  const signals = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  const setup: DecodingSetup = { handle: map.handle, signals, key, others }
  const writer = new Thread<'serve'>(new URL('decoding.worker.js', import.meta.url), setup)
  try {
    const served = writer.ask('serve')
    served.catch(() => undefined) // if it fails before it is awaited, the wait below times out
    let turn = 0
    const order = (what: number): void => {
      Atomics.store(signals, ORDER, what)
      Atomics.store(signals, TURN, ++turn)
      Atomics.notify(signals, TURN)
    }
    const countDecodings = (what: number): number => {
      let last: DeepReadonly<Numbered> | undefined = map.get(key)
      let decoded = 0
      for (let write = 0; write < writes; write++) {
        order(what)
        if (Atomics.wait(signals, DONE, turn - 1, WAIT_MILLISECONDS) === 'timed-out') {
          throw new Error('the writer does not answer')
        }
        for (let read = 0; read < READS; read++) {
          const value = map.get(key)
          if (value !== last) decoded++
          if (what === WRITE_KEY && value?.number !== turn) throw new Error('a stale object was read')
          last = value
        }
      }
      return decoded
    }
    const ofKey = countDecodings(WRITE_KEY)
    const ofOthers = countDecodings(WRITE_OTHER)
    order(STOP)
    await served
    return { ofKey, ofOthers }
  } finally {
    await writer.stop()
  }
}
