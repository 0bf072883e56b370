import { testRule } from '../cases.js'

testRule('no-async-updater', {
  valid: [
    'map.update("a", (n = 0) => n * 2)',
    'map.update("a", (v) => ({ ...v, at: Date.now() }))',
    'map.getOrInsertComputed("a", (key) => key.length)',
    'map.deleteWhere((value, key) => value > 5)',
    'cache.getOrLoad("a", async () => 1)',
    'cache.getOrLoad("a", () => fetch(url))',
    'map.forEach(async (value) => report(value))',
    'const plain = { update() {} }; plain.update("a", async () => 1)',
    'function f(anything) { anything.update("a", async () => 1) }',
    'map.update("a", (v) => { later(async () => 1); return v })',
    'map.update("a", (v) => v.then)',
    'function next(v) { return v * 2 } map.update("a", next)',
    'map.update("a", compute)',
    'function f(compute) { map.update("a", compute) }',
    'map.update("a", (v) => fetch2(v))',
    'map.update("a", (v) => { const fetch = (x) => x; return fetch(v) })',
    'map.update("a", (v) => [Promise.resolve(v)].length)',
    'async function load() {} map.update("a", (v) => { load(); return v })',
    'let compute = async () => 1; compute = () => 1; map.update("a", compute)',
    'map.update("a", function* () {})',
    'map.update("a")',
  ],
  invalid: [
    { code: 'map.update("a", async (n) => n * 2)', errors: ['value'] },
    { code: 'cache.update("a", async function (n) { return n * 2 }, { ttl: 5 })', errors: ['value'] },
    { code: 'await map.update("a", async (n) => await change(n))', errors: ['value'] },
    { code: 'map.update("a", () => fetch(url))', errors: ['value'] },
    { code: 'map.update("a", () => fetch(url).then((response) => response.json()))', errors: ['value'] },
    { code: 'map.update("a", (v) => Promise.resolve(v))', errors: ['value'] },
    { code: 'map.update("a", (v) => new Promise((resolve) => resolve(v)))', errors: ['value'] },
    { code: 'map.update("a", (v) => import(v))', errors: ['value'] },
    { code: 'map.update("a", (v) => { if (v) return v; return Promise.reject(new Error()) })', errors: ['value'] },
    { code: 'map.update("a", (v) => v ?? fetch(url))', errors: ['value'] },
    { code: 'map.update("a", (v) => (v ? v : fetch(url)))', errors: ['value'] },
    { code: 'async function load() {} map.update("a", load)', errors: ['value'] },
    { code: 'const load = async () => 1; map.update("a", load)', errors: ['value'] },
    { code: 'async function load() {} map.update("a", () => load())', errors: ['value'] },
    { code: 'map.getOrInsertComputed("a", async () => 1)', errors: ['value'] },
    {
      code: 'cache.getOrInsertComputed("a", async () => 1)',
      errors: [['load', { getOrLoad: 'cache.getOrLoad("a", async () => 1)' }]],
    },
    {
      code: 'await cache.getOrInsertComputed("a", (key) => fetch(key))',
      errors: [['load', { getOrLoad: 'await cache.getOrLoad("a", (key) => fetch(key))' }]],
    },
    {
      code: 'const load = async () => 1; cache.getOrInsertComputed("a", load, { ttl: 5 })',
      errors: [['load', { getOrLoad: 'const load = async () => 1; cache.getOrLoad("a", load, { ttl: 5 })' }]],
    },
    { code: 'map.deleteWhere(async (value) => value > 5)', errors: ['predicate'] },
    { code: 'map.deleteWhere((value) => isOld(value)); async function isOld() {}', errors: ['predicate'] },
    {
      code: 'class S { #m = new ConcurrentMap(); f() { this.#m.deleteWhere(async () => true) } }',
      errors: ['predicate'],
    },
  ],
  typed: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; declare function next(v: unknown): number; new ConcurrentMap<string, number>().update('a', next)",
      "import { ConcurrentMap } from 'mapsafe'; declare const next: any; new ConcurrentMap<string, number>().update('a', next)",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; declare function next(v: unknown): Promise<number>; new ConcurrentMap<string, any>().update('a', next)",
        errors: ['value'],
      },
      {
        code: "import { ConcurrentMap } from 'mapsafe'; declare const db: { load(v: unknown): PromiseLike<number> | number }; new ConcurrentMap<string, any>().update('a', (v) => db.load(v))",
        errors: ['value'],
      },
    ],
  },
})
