import { testRule } from '../cases.js'

testRule('no-write-in-updater', {
  valid: [
    'map.update("a", (n = 0) => n * 2)',
    'map.update("a", (n = 0) => n + map.get("b"))',
    'map.update("a", (n = 0) => (map.has("b") ? n : 0))',
    'map.update("a", (n = 0) => n + [...map.values()].length + map.size)',
    'const other = new ConcurrentMap(); map.update("a", (n) => { other.set("b", n); return n })',
    'map.update("a", (n) => { const seen = new Map(); seen.set("a", n); return seen.size })',
    'map.update("a", (n) => { setTimeout(() => map.set("b", n)); return n })',
    'map.update("a", (n) => { queueMicrotask(() => map.delete("b")); return n })',
    'map.update("a", (n) => { later.push(() => map.set("b", n)); return n })',
    'const n = map.update("a", (v) => v * 2); map.set("b", n)',
    // These functions may use the map.
    'map.getOrInsertComputed("a", () => { map.set("b", 1); return 2 })',
    'cache.getOrLoad("a", async () => { cache.set("b", 1); return 2 })',
    'map.forEach((value, key) => map.delete(key))',
    'for (const [key] of map) map.delete(key)',
    'map.deleteWhere((value) => value > map.get("limit"))',
    'const other = new ConcurrentMap(); map.deleteWhere((value, key) => other.set(key, value))',
    'function f(m, n) { m.update("a", (v) => { n.set("b", v); return v }) }',
    'map.update("a", compute)',
    'function compute(v) { return v } map.update("a", compute); map.set("b", 1)',
    'map.update("a", (v) => { function helper() { map.set("b", 1) } return v })',
    'map.update(map.set("a", 1).size, (v) => v)',
  ],
  invalid: [
    { code: 'map.update("a", (n) => map.incrementEntry("b").value + n)', errors: ['write'] },
    { code: 'map.update("a", (n) => { map.set("b", n); return n })', errors: ['write'] },
    { code: 'map.update("a", (n) => { map.set("a", n); return n })', errors: ['write'] },
    { code: 'map.update("a", function (n) { map.delete("b"); return n })', errors: ['write'] },
    { code: 'map.update("a", (n) => map.increment("b") + n)', errors: ['write'] },
    { code: 'map.update("a", (n) => map.take("b"))', errors: ['write'] },
    { code: 'map.update("a", (n = map.increment("b")) => n)', errors: ['write'] },
    { code: 'map.update("a", (n) => map.update("b", (m) => m + n))', errors: ['write'] },
    { code: 'map.update("a", (n) => { if (map.setIfAbsent("b", n)) return 1; return n })', errors: ['write'] },
    {
      code: 'map.update("a", (n) => { map.compareAndSwap("b", 1, n); map.swap("c", n); return n })',
      errors: ['write', 'write'],
    },
    { code: 'map.update("a", (n) => { map.clear(); return n })', errors: ['write'] },
    {
      code: 'map.update("a", (n) => { map.setMany([["b", n]]); map.deleteMany(["c"]); return n })',
      errors: ['write', 'write'],
    },
    { code: 'map.update("a", (n) => map.snapshot().size)', errors: ['write'] },
    { code: 'cache.update("a", (n) => { cache.touch("b"); return n })', errors: ['write'] },
    { code: 'map.update("a", (list) => list.filter((key) => map.delete(key)))', errors: ['write'] },
    {
      code: 'map.update("a", (list) => { list.forEach((key) => { map.replace(key, 1) }); return list })',
      errors: ['write'],
    },
    { code: 'map.update("a", (n) => (() => map.set("b", n).size)())', errors: ['write'] },
    { code: 'function next(n) { map.set("b", n); return n } map.update("a", next)', errors: ['write'] },
    { code: 'const next = (n) => { map.set("b", n); return n }; map.update("a", next)', errors: ['write'] },
    { code: 'map.deleteWhere((value, key) => { map.delete(key + 1); return true })', errors: ['write'] },
    { code: 'cache.deleteWhere((value) => cache.setIfVersion("a", value, 1))', errors: ['write'] },
    {
      code: 'class S { m = new ConcurrentMap(); f(k) { this.m.update(k, (n) => { this.m.set(n, 1); return n }) } }',
      errors: ['write'],
    },
    {
      code: 'map.update("a", (n) => { for (const k of n) if (k) map.compareAndDelete(k, 1); return n })',
      errors: ['write'],
    },
  ],
  typed: {
    valid: [],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; interface App { m: ConcurrentMap<string, number> } export const f = (app: App) => app.m.update('a', (n) => { app.m.set('b', 1); return n ?? 0 })",
        errors: ['write'],
      },
    ],
  },
})
