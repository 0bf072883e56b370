import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabaseOptionsWithPath } from 'lmdb'
import type { Contender, ContenderKind } from './contender.js'

const MAP_BYTES = 8 * 2 ** 30

const lmdb = (label: string, stringsOnly: boolean, options: Partial<RootDatabaseOptionsWithPath>): ContenderKind => ({
  label,
  shared: true,
  asynchronous: false,
  supports: (value) => !stringsOnly || value === 'string' || value === 'page',
  create: (_, { folder }) => join(mkdtempSync(join(folder, 'lmdb-')), 'data.mdb'),
  open: (path) => {
    // noSync: as fast as lmdb goes, which leaves what is on the disk to the operating system.
    const database = open<unknown, string>({ path: path as string, noSync: true, mapSize: MAP_BYTES, ...options })
    return {
      get: (key) => database.get(key),
      set: (key, value) => database.putSync(key, value),
      fill: (entries) =>
        database.transactionSync(() => {
          for (const [key, value] of entries) database.putSync(key, value)
        }),
      close: () => database.close(),
    } satisfies Contender
  },
})

export const lmdbString = lmdb('lmdb, string', true, { encoding: 'string' })
export const lmdbMsgpack = lmdb('lmdb, msgpack', false, { encoding: 'msgpack' })
export const lmdbCache = lmdb('lmdb, msgpack, validated cache', false, {
  encoding: 'msgpack',
  cache: { validated: true },
})
