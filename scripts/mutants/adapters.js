/** Sabotages of the stores for other packages. `find` occurs exactly once in `file`. */
export const mutants = [
  {
    name: 'hit-taken-back-begins-a-window',
    why: 'a request that fails late leaves its client a window that began before its first request',
    file: 'src/adapters/rate-limit.ts',
    find: '(hits === undefined ? DELETE : Math.max(hits - 1, 0))',
    replace: 'Math.max((hits ?? 0) - 1, 0)',
  },
  {
    name: 'hits-below-zero',
    why: 'requests that fail late give their client more requests than the limit',
    file: 'src/adapters/rate-limit.ts',
    find: 'Math.max(hits - 1, 0))',
    replace: 'hits - 1)',
  },
  {
    name: 'routes-count-together',
    why: 'requests of one route count for another',
    file: 'src/adapters/rate-limit.ts',
    find: '`${this.#prefix}${String(method)}${url}-`',
    replace: 'this.#prefix + (method === url ? url : "")',
  },
  {
    name: 'namespace-clears-all',
    why: 'clear of a Keyv with a namespace deletes what belongs to others',
    file: 'src/adapters/shared-cache.ts',
    find: 'cache.deleteMany([...cache.keys()].filter((key) => key.startsWith(prefix)))',
    replace: 'cache.deleteMany([...cache.keys()].filter((key) => key !== prefix))',
  },
  {
    name: 'session-brought-back',
    why: 'a request that outlasts a logout logs its user in again',
    file: 'src/adapters/express-session.ts',
    find: 'else if (stored.has(session)) cache.replace',
    replace: 'else if (stored.has(session)) cache.set',
  },
  {
    name: 'session-written-by-touch',
    why: 'a touch takes back what another request has written meanwhile',
    file: 'src/adapters/express-session.ts',
    find: 'else cache.touch(prefix + id, lifetime)',
    replace: 'else cache.replace(prefix + id, JSON.stringify(session), { ttl: lifetime })',
  },
]
