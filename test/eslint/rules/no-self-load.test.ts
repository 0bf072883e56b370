import { testRule } from '../cases.js'

testRule('no-self-load', {
  valid: [
    'cache.getOrLoad("a", async () => 1)',
    'cache.getOrLoad("a", (key) => load(key))',
    'cache.getOrLoad("a", async () => (await cache.getOrLoad("b", load)).name)',
    'cache.getOrLoad("a", async (key) => cache.getOrLoad(`${key}:part`, load))',
    'cache.getOrLoad("a", async () => cache.get("a"))',
    'const other = new ConcurrentCache(); cache.getOrLoad("a", () => other.getOrLoad("a", load))',
    'cache.getOrLoad("a", load); cache.getOrLoad("a", load)',
    'async function f(k) { await cache.getOrLoad(k, load); return cache.getOrLoad(k, load) }',
    'function f(k) { return cache.getOrLoad(k, () => cache.getOrLoad(k.parent, load)) }',
    'function f(k) { return cache.getOrLoad(k, () => f(k.parent)) }',
    'function f(k) { return cache.getOrLoad(`user:${k}`, () => f(k)) }',
    'function f(k) { return cache.getOrLoad(k, () => g(k)) }',
    'function f(k, other) { return cache.getOrLoad(k, () => f(other, k)) }',
    'function f(k) { return cache.getOrLoad(k, (key) => { key = next(key); return cache.getOrLoad(key, load) }) }',
    // Nothing waits for these.
    'cache.getOrLoad("a", () => { cache.getOrLoad("a", load); return 1 })',
    'cache.getOrLoad("a", () => { void cache.getOrLoad("a", load); return 1 })',
    'cache.getOrLoad("a", (key, { signal }) => { signal.addEventListener("abort", () => cache.getOrLoad("a", load)); return 1 })',
    'cache.getOrLoad("a", () => { setTimeout(() => cache.getOrLoad("a", load)); return 1 })',
    'const plain = { getOrLoad() {} }; plain.getOrLoad("a", () => plain.getOrLoad("a", load))',
    'function f(anything) { return anything.getOrLoad("a", () => anything.getOrLoad("a", load)) }',
  ],
  invalid: [
    { code: 'cache.getOrLoad("a", () => cache.getOrLoad("a", load))', errors: ['self'] },
    { code: 'cache.getOrLoad("a", async () => await cache.getOrLoad("a", load))', errors: ['self'] },
    {
      code: 'cache.getOrLoad("a", async () => { const v = await cache.getOrLoad("a", load); return v })',
      errors: ['self'],
    },
    { code: 'cache.getOrLoad("a", (key) => cache.getOrLoad(key, load))', errors: ['self'] },
    { code: 'cache.getOrLoad("a", function (key) { return cache.getOrLoad(key, load) })', errors: ['self'] },
    { code: 'function f(k) { return cache.getOrLoad(k, () => cache.getOrLoad(k, load)) }', errors: ['self'] },
    {
      code: 'function f(k) { return cache.getOrLoad(`u:${k}`, () => cache.getOrLoad(`u:${k}`, load)) }',
      errors: ['self'],
    },
    { code: 'function f(o) { return cache.getOrLoad(o.id, () => cache.getOrLoad(o.id, load)) }', errors: ['self'] },
    { code: 'cache.getOrLoad("a", () => Promise.all([1].map(() => cache.getOrLoad("a", load))))', errors: ['self'] },
    { code: 'cache.getOrLoad("a", () => fetch(url).then(() => cache.getOrLoad("a", load)))', errors: ['self'] },
    { code: 'cache.getOrLoad("a", () => fetch(url).catch(() => cache.getOrLoad("a", load)))', errors: ['self'] },
    {
      code: 'cache.getOrLoad("a", () => Promise.all([cache.getOrLoad("b", load), cache.getOrLoad("a", load)]))',
      errors: ['self'],
    },
    { code: 'cache.getOrLoad("a", () => (on ? cache.getOrLoad("a", load) : 1))', errors: ['self'] },
    { code: 'const loader = (key) => cache.getOrLoad(key, other); cache.getOrLoad("a", loader)', errors: ['self'] },
    {
      code: 'function loader(key) { return cache.getOrLoad(key, other) } cache.getOrLoad("a", loader)',
      errors: ['self'],
    },
    { code: 'function f(k) { return cache.getOrLoad(k, () => f(k)) }', errors: ['around'] },
    { code: 'function f(k) { return cache.getOrLoad(k, (key) => f(key)) }', errors: ['around'] },
    { code: 'const f = (k) => cache.getOrLoad(k, async () => (await f(k)).name)', errors: ['around'] },
    {
      code: 'async function f(k) { const v = await cache.getOrLoad(k, () => f(k)); return v.name }',
      errors: ['around'],
    },
    {
      code: 'class S { c = new ConcurrentCache(); f(k) { return this.c.getOrLoad(k, () => this.c.getOrLoad(k, load)) } }',
      errors: ['self'],
    },
    { code: 'cache.getOrLoad("a", () => cache.getOrLoad("a", load, { ttl: 5 }), { ttl: 5 })', errors: ['self'] },
  ],
  typed: {
    valid: [],
    invalid: [
      {
        code: "import type { ConcurrentCache } from 'mapsafe'; interface App { c: ConcurrentCache<string, number> } export const f = (app: App) => app.c.getOrLoad('a', () => app.c.getOrLoad('a', () => 1))",
        errors: ['self'],
      },
    ],
  },
})
