import { testRule } from '../cases.js'

testRule('no-mutate-value', {
  valid: [
    'map.set("a", { ...map.get("a"), name: "b" })',
    'map.update("a", (value) => ({ ...value, name: "b" }))',
    'function f(k) { const v = { ...map.get(k) }; v.name = "b"; return v }',
    'function f(k) { const v = structuredClone(map.get(k)); v.list.push(1); return v }',
    'function f(k) { const list = [...map.get(k)]; list.push(1); return list }',
    'function f(k) { const list = map.get(k).filter(Boolean); list.push(1); return list }',
    'function f(k) { const sorted = map.get(k).toSorted(); return sorted.reverse() }',
    'function f(k) { let v = map.get(k); v = { ...v }; v.name = "b" }',
    'function f(k) { let v = map.get(k); if (v === undefined) v = {}; v.name = "b" }',
    'function f(k) { const { version } = map.getEntry(k); version.name = 1 }',
    'function f(k) { const { ...copy } = map.get(k); copy.name = "b"; return copy }',
    'function f(k) { const plain = new Map(); plain.get(k).name = "b" }',
    'function f(m, k) { m.get(k).name = "b" }',
    'function f(k) { const v = { name: 1 }; map.set(k, v); v.name = 2 }',
    // Not frozen, or not known to be.
    'const open = new ConcurrentMap({ freeze: false }); open.get("a").name = "b"',
    'const open = new ConcurrentMap(options); open.get("a").name = "b"',
    'const open = new ConcurrentMap({ ...options }); open.get("a").name = "b"',
    'const open = ConcurrentMap.attach(handle, { freeze: false }); open.get("a").list.push(1)',
    'class S extends ConcurrentMap { f(k) { this.get(k).name = "b" } }',
    // Copies of maps, sets, dates and typed arrays are the reader's own.
    'function f(k) { const tags = map.get(k); tags.add("x"); map.set(k, tags) }',
    'function f(k) { const bytes = map.get(k); bytes[0] = 1; bytes.fill(2); return bytes }',
    'function f(k) { return map.get(k).add("x") }',
    'map.set("a", 1).set("b", 2)',
    'map.get("a").forEach((each) => report(each))',
    'for (const [key, value] of map) report(key.name, value.name)',
    'Object.assign({}, map.get("a"))',
    'Object.keys(map.get("a"))',
    'map.update("a", (value, other) => { other.x = 1; return value })',
    'map.getOrInsertComputed("a", (key) => { const made = {}; made.key = key; return made })',
    'new ConcurrentMap().size = 5',
  ],
  invalid: [
    { code: 'map.peek("a").count++', errors: ['frozen'] },
    { code: 'map.peekEntry("a").value.count++', errors: ['frozen'] },
    {
      code: 'map.get("a").name = "b"',
      errors: [['frozen', { update: 'map.update("a", (value) => ({ ...value, name: "b" }))' }]],
    },
    { code: 'function f(k, value) { map.get(k).name = value }', errors: ['frozen'] },
    { code: 'map.get("a").count++', errors: ['frozen'] },
    { code: 'map.get("a").count += 5', errors: ['frozen'] },
    { code: 'delete map.get("a").name', errors: ['frozen'] },
    { code: 'map.get("a").list.push(1)', errors: ['frozen'] },
    {
      code: 'function f(k) { const session = map.get(k); session.cart.push("book"); map.set(k, session) }',
      errors: ['frozen'],
    },
    {
      code: 'function f(k) { const session = cache.get(k); if (session === undefined) return; session.seen = true }',
      errors: ['frozen'],
    },
    { code: 'function f(k) { const { cart } = map.get(k); cart.pop() }', errors: ['frozen'] },
    { code: 'function f(k) { const { value } = map.getEntry(k); value.name = "b" }', errors: ['frozen'] },
    { code: 'function f(k) { const entry = map.getEntry(k); entry.value.name = "b" }', errors: ['frozen'] },
    { code: 'function f(k) { const list = map.get(k) ?? []; list.unshift(1) }', errors: ['frozen'] },
    { code: 'map.getOrInsert("a", []).push(1)', errors: ['frozen'] },
    { code: 'map.getOrInsertComputed("a", () => []).splice(0, 1)', errors: ['frozen'] },
    {
      code: 'async function f(k) { const user = await cache.getOrLoad(k, load); user.name = "b" }',
      errors: ['frozen'],
    },
    { code: 'async function f(k) { (await cache.getOrLoad(k, load)).name = "b" }', errors: ['frozen'] },
    { code: 'map.update("a", (value) => { value.name = "b"; return value })', errors: ['frozen'] },
    { code: 'map.update("a", (list = []) => { list.push(1); return list })', errors: ['frozen'] },
    { code: 'map.update("a", ({ list }) => { list.push(1); return { list } })', errors: ['frozen'] },
    { code: 'for (const [, value] of map) value.seen = true', errors: ['frozen'] },
    { code: 'for (const value of map.values()) value.seen = true', errors: ['frozen'] },
    { code: 'map.forEach((value) => { value.seen = true })', errors: ['frozen'] },
    { code: 'Object.assign(map.get("a"), { name: "b" })', errors: ['frozen'] },
    {
      code: 'const list = map.get("a").sort()',
      errors: [['frozen', { copy: 'const list = map.get("a").toSorted()' }]],
    },
    {
      code: 'report(map.get("a").list.reverse())',
      errors: [['frozen', { copy: 'report(map.get("a").list.toReversed())' }]],
    },
    { code: 'map.get("a").sort()', errors: ['frozen'] },
    { code: 'map.get("a").add("x")', errors: ['lost'] },
    { code: 'map.get("a").tags.delete("x")', errors: ['lost'] },
    { code: 'map.get("a")?.set("x", 1)', errors: ['lost'] },
    { code: 'map.get("a").at.setHours(0)', errors: ['lost'] },
    {
      code: 'const same = new ConcurrentMap({ maxBytes: 2 ** 20, freeze: true }); same.take("a").name += "b"',
      errors: ['frozen'],
    },
    { code: 'const there = ConcurrentMap.attach(handle); there.swap("a", {}).name += "b"', errors: ['frozen'] },
  ],
  typescript: {
    valid: [
      "import type { ConcurrentMap } from 'mapsafe'; function f(m: ConcurrentMap<string, { n: number }>) { (m.get('a') as { n: number }).n += 1 }",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, { n: number }>(); (m.get('a') as { n: number }).n += 1",
        errors: ['frozen'],
      },
    ],
  },
  typed: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, Uint8Array>(); const bytes = m.get('a') as Uint8Array; bytes[0] = 1",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, number[]>(); const list = m.get('a') as number[]; list[0] = 1",
        errors: ['frozen'],
      },
    ],
  },
})
