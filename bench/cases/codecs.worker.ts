// One encoding alone in a thread, for values of many shapes.
import { isDeepStrictEqual } from 'node:util'
import { workerData } from 'node:worker_threads'
import { pack, unpack } from 'msgpackr'
import { ValueCodecs, type ValueEncoder } from '../../src/codec/value.js'
import { deepFreeze } from '../harness/deep-freeze.js'
import { DOCUMENTS } from '../harness/documents.js'
import { ShapesInMemory } from '../../test/support/shape-table.js'
import { median } from '../harness/statistics.js'
import { answer } from '../harness/thread.js'
import type { CodecName, CodecsOrder, CodecsSetup, CodecTimes } from './codecs.js'

interface Encoding {
  /** Undefined where there is no such step. */
  readonly encode: ((value: object) => unknown) | undefined
  /** Returns what is encoded, so that it stays, and its number of bytes. */
  readonly keep: (encoded: unknown) => { readonly bytes: number; readonly kept: unknown }
  readonly decode: (kept: unknown) => unknown
}

const ENCODINGS: Record<CodecName, () => Encoding> = {
  mapsafe: () => {
    const shapes = new ShapesInMemory()
    const codecs = new ValueCodecs(true, () => shapes)
    const scratch = new Uint8Array(2 ** 16) // where an engine leaves the bytes of any value
    return {
      encode: (value) => codecs.encode(value),
      keep: (encoder) => {
        const { kind, byteLength: bytes } = encoder as ValueEncoder
        const copy = new Uint8Array(bytes)
        ;(encoder as ValueEncoder).copyTo(copy, 0)
        scratch.set(copy)
        return { bytes, kept: { kind, bytes } }
      },
      decode: (kept) => {
        const { kind, bytes } = kept as { readonly kind: number; readonly bytes: number }
        return codecs.decode(kind, scratch, bytes)
      },
    }
  },
  msgpackr: () => ({
    encode: pack,
    keep: (encoded) => ({ bytes: (encoded as Uint8Array).length, kept: encoded }),
    decode: (kept) => deepFreeze<unknown>(unpack(kept as Uint8Array)),
  }),
  json: () => ({
    encode: JSON.stringify,
    keep: (encoded) => ({ bytes: Buffer.byteLength(encoded as string), kept: encoded }),
    decode: (kept) => deepFreeze<unknown>(JSON.parse(kept as string)),
  }),
  clone: () => ({
    encode: undefined,
    keep: (value) => ({ bytes: NaN, kept: value }),
    decode: (kept) => deepFreeze(structuredClone(kept)),
  }),
}

const encoding = ENCODINGS[(workerData as CodecsSetup).codec]()
const documents = new Map(Object.entries(DOCUMENTS).map(([name, make]) => [name, make()]))

answer(({ document, milliseconds }: CodecsOrder): CodecTimes => {
  const value = documents.get(document)!
  const encode = encoding.encode ?? ((): object => value)
  for (let met = 0; met < 3; met++) encode(value) // names are added when they are met again
  const { bytes, kept } = encoding.keep(encode(value))
  if (!isDeepStrictEqual(encoding.decode(kept), value)) return { bytes: NaN, encode: NaN, decode: NaN }
  return {
    bytes,
    encode: encoding.encode === undefined ? NaN : time(() => encode(value), milliseconds),
    decode: time(() => encoding.decode(kept), milliseconds),
  }
})

let last: unknown

/** Median nanoseconds of a call. */
function time(call: () => unknown, milliseconds: number): number {
  const batch = 16
  const batches: number[] = []
  const end = performance.now() + milliseconds
  for (let began = performance.now(); began < end;) {
    for (let i = 0; i < batch; i++) last = call()
    const now = performance.now()
    batches.push(((now - began) / batch) * 1e6)
    began = now
  }
  if (last === undefined) throw new Error('nothing was made')
  return median(batches)
}
