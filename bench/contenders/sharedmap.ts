import { createRequire } from 'node:module'
import { VALUE_BYTES } from '../harness/data.js'
import { setEach, type Contender, type ContenderKind } from './contender.js'

interface SharedMap {
  get(key: string): string | undefined
  set(key: string, value: string): void
}

// Its own type definitions do not parse.
const SharedMap = createRequire(import.meta.url)('sharedmap') as {
  new (maxSize: number, keySize: number, objSize: number): SharedMap
  readonly prototype: SharedMap
}

const KEY_UNITS = 24
/** A value as long as its slot comes back wrong now and then (1.2.0), so slots are a little longer. */
const SPARE_UNITS = 4
/** It slows down when more than 95 % full, by its own account. */
const SPARE_SLOTS = 1.25

export const sharedmap: ContenderKind = {
  label: 'sharedmap',
  shared: true,
  asynchronous: false,
  // It turns numbers into strings and has no objects.
  supports: (value) => value === 'string' || value === 'page',
  create: ({ size, value }) => {
    const map = new SharedMap(Math.ceil(size * SPARE_SLOTS), KEY_UNITS, VALUE_BYTES[value] + SPARE_UNITS)
    return Object.assign({}, map) // a worker gets it without its prototype anyway
  },
  open: (handle) => {
    const map = Object.setPrototypeOf(handle, SharedMap.prototype) as SharedMap
    const contender: Contender = {
      get: (key) => map.get(key),
      set: (key, value) => map.set(key, value as string),
      fill: (entries) => setEach(contender, entries),
      close: () => undefined,
    }
    return contender
  },
}
