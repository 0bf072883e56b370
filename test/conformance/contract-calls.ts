/** A call of each method of the concurrency contract, with a key and a value that are given. */
import type { ConcurrentCache, Key } from '../../src/index.js'

/** A cache has all methods. */
type Map = ConcurrentCache<Key, unknown>
export type Call = (map: Map, key: Key, value: unknown) => unknown

/** Calls that do what they are for where `key` has the value 'old', or, with `condition: 'absent'`, where it is absent. */
export const calls: Record<string, Call> = {
  get: (map, key) => map.get(key),
  has: (map, key) => map.has(key),
  getEntry: (map, key) => map.getEntry(key),
  peek: (map, key) => map.peek(key),
  peekEntry: (map, key) => map.peekEntry(key),
  set: (map, key, value) => map.set(key, value),
  setIfAbsent: (map, key, value) => map.setIfAbsent(key, value),
  setIfVersion: (map, key, value) => map.setIfVersion(key, value, versionOf(map, key)),
  replace: (map, key, value) => map.replace(key, value),
  compareAndSwap: (map, key, value) => map.compareAndSwap(key, 'old', value),
  swap: (map, key, value) => map.swap(key, value),
  getOrInsert: (map, key, value) => map.getOrInsert(key, value),
  getOrInsertComputed: (map, key, value) => map.getOrInsertComputed(key, () => value),
  update: (map, key, value) => map.update(key, () => value),
  delete: (map, key) => map.delete(key),
  deleteIfVersion: (map, key) => map.deleteIfVersion(key, versionOf(map, key)),
  compareAndDelete: (map, key, value) => map.compareAndDelete(key, value === 'new' ? 'old' : value),
  deleteWhere: (map, key) => map.deleteWhere((_value, each) => each === key),
  deleteWhereAsync: (map, key) => map.deleteWhereAsync((_value, each) => each === key),
  changes: (map, key) => void map.changes({ keys: [key] }).return(),
  watch: (map, key) => map.watch(key, () => undefined).stop(),
  take: (map, key) => map.take(key),
  increment: (map, key) => map.increment(key),
  incrementEntry: (map, key) => map.incrementEntry(key),
  getMany: (map, key) => map.getMany([key]),
  hasMany: (map, key) => map.hasMany([key]),
  getEntries: (map, key) => map.getEntries([key]),
  setMany: (map, key, value) => map.setMany([[key, value]]),
  deleteMany: (map, key) => map.deleteMany([key]),
  clear: (map) => map.clear(),
  clearAsync: (map) => map.clearAsync(),
  size: (map) => map.size,
  keys: (map) => [...map.keys()],
  values: (map) => [...map.values()],
  entries: (map) => [...map.entries()],
  scan: (map) => map.scan().entries,
  snapshot: (map) => [...map.snapshot()],
  snapshotAsync: async (map) => [...(await map.snapshotAsync())],
  forEach: (map) => {
    const met: unknown[] = []
    map.forEach((value) => met.push(value))
    return met
  },
  stats: (map) => map.stats(),
  toJSON: (map) => map.toJSON(),
  namespace: (map) => map.namespace('a namespace of no key:'),
  health: (map) => map.health(),
  healthAsync: (map) => map.healthAsync(),
  verify: (map) => map.verify(),
  verifyAsync: (map) => map.verifyAsync(),
  repair: (map) => map.repair(),
  close: (map) => map.close(),
  getOrLoad: (map, key, value) => map.getOrLoad(key, () => value),
  getManyOrLoad: async (map, key, value) =>
    (await map.getManyOrLoad([key], (keys) => keys.map((each) => [each, value] as const)))[0],
  touch: (map, key) => map.touch(key),
  invalidateTags: (map) => map.invalidateTags(['tag']),
}

/** The version of the entry, or, where there is none, or for what is no key, one that no entry has. */
function versionOf(map: Map, key: Key): number {
  return (typeof key === 'string' && key.length < 100 ? map.peekEntry(key)?.version : undefined) ?? 2 ** 52
}

/** The code with which a call ends; 'none' if it succeeds. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code).replace('ERR_MAPSAFE_', '')
  }
}
