import type { LoadedPairs, ManyLoadContext, ManyLoader } from '../loads/many.js'

/** Returns a loader of keys that begin with `prefix`, which calls `loadMissing` with the keys without it. */
export function adaptManyLoader<V>(prefix: string, loadMissing: ManyLoader<string, V>): ManyLoader<string, V> {
  const without = (key: string): string => key.slice(prefix.length)
  return (keys, context) => {
    const loaded: unknown = loadMissing(keys.map(without), contextWithout(context, prefix))
    const isPromise = typeof (loaded as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function'
    if (!isPromise) return pairsWithin(prefix, loaded) as LoadedPairs<string, V>
    return (loaded as PromiseLike<unknown>).then((pairs) => pairsWithin(prefix, pairs) as LoadedPairs<string, V>)
  }
}

function contextWithout<V>(context: ManyLoadContext<string, V>, prefix: string): ManyLoadContext<string, V> {
  return {
    get signal() {
      return context.signal
    },
    setTtl(ttl, key) {
      context.setTtl(ttl, key === undefined ? undefined : prefix + key)
    },
    get stale() {
      return new Map(Array.from(context.stale, ([key, value]) => [key.slice(prefix.length), value]))
    },
  }
}

/** Returns the pairs with whole keys; anything that is none as it is, to be refused. */
function pairsWithin(prefix: string, pairs: unknown): unknown {
  if (typeof pairs !== 'object' || pairs === null || !(Symbol.iterator in pairs)) return pairs
  return Array.from(pairs as Iterable<unknown>, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) return pair
    const [key, value] = pair as [unknown, unknown]
    return [typeof key === 'string' ? prefix + key : key, value]
  })
}
