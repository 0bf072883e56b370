import { deserialize, serialize } from 'node:v8'
import { pack, unpack } from 'msgpackr'
import { ConcurrentMap, type AttachOptions, type MapHandle } from 'mapsafe'
import { VALUE_BYTES, type ValueKind } from '../harness/data.js'
import { deepFreeze } from '../harness/deep-freeze.js'
import { setEach, type Contender, type ContenderKind } from './contender.js'

/** Room for the index, the key, an entry's header and blocks that wait in a thread's cache. */
const SPARE_ENTRY_BYTES = 160
const SPARE_BYTES = 64 * 2 ** 20

/** Bytes for a map of `size` entries, generously: untouched memory costs nothing. */
export const mapBytes = (size: number, valueBytes: number): number =>
  SPARE_BYTES + size * Math.ceil(1.25 * (valueBytes + SPARE_ENTRY_BYTES))

const mapsafe = (label: string, options: AttachOptions): ContenderKind => ({
  label,
  shared: true,
  asynchronous: false,
  supports: () => true,
  create: ({ size, value }) => {
    const created = new ConcurrentMap<string, unknown>({ ...options, maxBytes: mapBytes(size, VALUE_BYTES[value]) })
    created.close()
    return created.handle
  },
  open: (handle) => {
    const opened = ConcurrentMap.attach<string, unknown>(handle as MapHandle, options)
    const contender: Contender = {
      get: (key) => opened.get(key),
      set: (key, value) => opened.set(key, value),
      getMany: (keys) => opened.getMany(keys),
      fill: (entries) => setEach(contender, entries),
      close: () => {
        const { problems } = opened.verify()
        opened.close()
        if (problems.length > 0) throw new Error(`the map is damaged: ${problems.join('; ')}`)
      },
    }
    return contender
  },
})

export const mapsafeNear = mapsafe('mapsafe', { engine: 'native' })
export const mapsafeNative = mapsafe('mapsafe, no near-cache', { engine: 'native', nearCache: false })
export const mapsafeTypescript = mapsafe('mapsafe, TypeScript, no near-cache', {
  engine: 'typescript',
  nearCache: false,
})

const RECORDS: readonly ValueKind[] = ['flat', 'session', 'row']

/** A map that gets and gives bytes, which another encoding made: what objects cost without one of the map's own. */
const packed = (
  label: string,
  encode: (value: unknown) => Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
): ContenderKind => ({
  ...mapsafeNative,
  label,
  supports: (value) => RECORDS.includes(value),
  open: (handle) => {
    const opened = ConcurrentMap.attach<string, Uint8Array>(handle as MapHandle, { engine: 'native', nearCache: false })
    const contender: Contender = {
      get: (key) => deepFreeze(decode(opened.get(key)!)),
      set: (key, value) => opened.set(key, encode(value)),
      fill: (entries) => setEach(contender, entries),
      close: () => opened.close(),
    }
    return contender
  },
})

export const mapsafeMsgpack = packed('mapsafe of bytes, msgpackr', pack, unpack)
export const mapsafeV8 = packed("mapsafe of bytes, V8's format", serialize, deserialize)
