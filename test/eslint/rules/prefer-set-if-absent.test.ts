import { testRule } from '../cases.js'

testRule('prefer-set-if-absent', {
  valid: [
    'function f(k) { const isThere = map.has(k); map.set(k, 1); return isThere }',
    'function f(k) { const isThere = map.has(k); if (!isThere) map.setIfAbsent(k, 1) }',
    'function f(k) { const wasThere = map.has(k); map.delete(k); if (wasThere) map.set(k, 1) }',
    'async function f(k) { while (!map.setIfAbsent(k, 1)) await sleep(1); map.set(other, 1) }',
    'async function f(k) { while (map.has(k)) { if (isDone()) break } map.set(k, 1) }',
    'map.setIfAbsent("a", 1)',
    'const plain = new Map(); if (!plain.has("a")) plain.set("a", 1)',
    'if (!map.has("a")) map.set("b", 1)',
    'const other = new ConcurrentMap(); if (!other.has("a")) map.set("a", 1)',
    'function f(k) { if (!map.has(k)) later(() => map.set(k, 1)) }',
    'function f(k) { if (!map.has(k)) { k = other(k); map.set(k, 1) } }',
    'if (!map.has("a")) map.increment("a")',
    'if (!map.has("a")) map.setIfAbsent("a", 1)',
    'if (map.size === 0) map.set("a", 1)',
    // The value decides, not the entry's presence.
    'function f(k) { if (map.get(k) === 5) map.set(k, 1) }',
    'function f(k) { if (map.get(k) === null) map.set(k, 1) }',
    'function f(k) { const v = map.get(k); if (v !== undefined) map.set(k, { ...v, a: 1 }) }',
    // Either way.
    'function f(k) { if (map.has(k)) report(k); map.set(k, 1) }',
    'function f(k) { map.set(k, 1); if (!map.has(k)) report(k) }',
    'function f(k, on) { if (on || map.has(k)) map.set(k, 1) }',
    'function f(k) { let v = map.get(k); v = other(); if (v === undefined) map.set(k, 1) }',
    'function f(k) { if (!map.has(k)) { report(k) } else if (k) { } map.set(k, 1) }',
    'while (!map.has("a")) map.set("a", 1)',
    'function f(k) { const v = map.getOrInsert(k, 1); if (v === undefined) map.set(k, 1) }',
    'function f(k) { try { if (map.has(k)) report() } finally { map.set(k, 1) } }',
  ],
  invalid: [
    { code: 'function f(k) { const isThere = map.has(k); if (!isThere) map.set(k, 1) }', errors: ['absent'] },
    { code: 'function f(k) { const isThere = map.has(k); if (isThere) return; map.set(k, 1) }', errors: ['absent'] },
    { code: 'function f(k) { const isThere = map.has(k); if (isThere && ready) map.set(k, 1) }', errors: ['present'] },
    { code: 'async function f(k) { while (map.has(k)) await sleep(1); map.set(k, 1) }', errors: ['absent'] },
    {
      code: 'async function f(k) { while (map.get(k)) { await sleep(1); for (;;) { break } } map.set(k, true) }',
      errors: ['absent'],
    },
    { code: 'async function f(k) { for (; map.has(k); ) await sleep(1); map.set(k, 1) }', errors: ['absent'] },
    {
      code: 'function f() { let id; do { id = randomUUID() } while (map.has(id)); map.set(id, 1) }',
      errors: ['absent'],
    },
    { code: 'if (map.peek("a") === undefined) map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    { code: 'if (!map.has("a")) map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    {
      code: 'if (!map.has("a")) { map.set("a", [1, 2]); }',
      errors: ['absent'],
      output: 'map.setIfAbsent("a", [1, 2]);',
    },
    {
      code: 'function f(k, v) { if (!map.has(k)) map.set(k, v) }',
      errors: ['absent'],
      output: 'function f(k, v) { map.setIfAbsent(k, v) }',
    },
    {
      code: 'if (!cache.has("a")) cache.set("a", 1, { ttl: 5 })',
      errors: ['absent'],
      output: 'cache.setIfAbsent("a", 1, { ttl: 5 })',
    },
    {
      code: 'function f(k) { if (!map.has(k)) map.set(k, make(k)) }',
      errors: [['absent', { getOrInsertComputed: 'function f(k) { map.getOrInsertComputed(k, () => make(k)) }' }]],
    },
    {
      code: 'function f(k) { if (!map.has(k)) map.set(k, { at: Date.now() }) }',
      errors: [
        ['absent', { getOrInsertComputed: 'function f(k) { map.getOrInsertComputed(k, () => ({ at: Date.now() })) }' }],
      ],
    },
    { code: 'if (map.get("a") === undefined) map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    { code: 'if (undefined == map.get("a")) map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    { code: 'if (map.get("a") == null) map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    {
      code: 'if (typeof map.get("a") === "undefined") map.set("a", 1)',
      errors: ['absent'],
      output: 'map.setIfAbsent("a", 1)',
    },
    { code: 'if (!map.get("a")) map.set("a", 1)', errors: [['absent', { setIfAbsent: 'map.setIfAbsent("a", 1)' }]] },
    { code: 'map.has("a") || map.set("a", 1)', errors: ['absent'], output: 'map.setIfAbsent("a", 1)' },
    { code: 'function f(k) { return map.get(k) ?? map.set(k, 1).get(k) }', errors: ['absent'] },
    { code: 'function f(k) { return map.has(k) ? 1 : map.set(k, 1) }', errors: ['absent'] },
    { code: 'function f(k, on) { if (on && !map.has(k)) map.set(k, 1) }', errors: ['absent'] },
    { code: 'function f(k) { const v = map.get(k); if (v === undefined) map.set(k, 1) }', errors: ['absent'] },
    {
      code: 'function f(k) { let v = map.get(k); if (v === undefined) { v = make(k); map.set(k, v) } return v }',
      errors: ['absent'],
    },
    { code: 'function f(k) { if (map.has(k)) return false; map.set(k, 1); return true }', errors: ['absent'] },
    { code: 'for (const k of keys) { if (map.has(k)) continue; map.set(k, make(k)) }', errors: ['absent'] },
    {
      code: 'function f(k) { const v = map.get(k); if (v) return v; const made = make(k); map.set(k, made); return made }',
      errors: ['absent'],
    },
    {
      code: 'async function f(id) { const user = cache.get(id); if (user !== undefined) return user; const loaded = await load(id); cache.set(id, loaded); return loaded }',
      errors: ['load'],
    },
    { code: 'async function f(id) { if (!cache.has(id)) cache.set(id, await load(id)) }', errors: ['load'] },
    { code: 'async function f(id) { if (!map.has(id)) map.set(id, await load(id)) }', errors: ['absent'] },
    { code: 'if (map.has("a")) map.set("a", 1)', errors: ['present'], output: 'map.replace("a", 1)' },
    { code: 'map.has("a") && map.set("a", 1)', errors: ['present'], output: 'map.replace("a", 1)' },
    {
      code: 'function f(k) { if (map.has(k)) { map.set(k, make(k)) } }',
      errors: [['present', { replace: 'function f(k) { map.replace(k, make(k)) }' }]],
    },
    { code: 'function f(k) { if (!map.has(k)) throw new Error(); map.set(k, 1) }', errors: ['present'] },
    { code: 'if (!map.has("a")) { /* why */ map.set("a", 1) }', errors: ['absent'] },
  ],
  typed: {
    valid: [
      "import type { ConcurrentMap } from 'mapsafe'; function f(m: Map<string, number>, n: ConcurrentMap<string, number>) { if (!m.has('a')) m.set('a', n.size) }",
    ],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; function f([m]: ConcurrentMap<string, number>[]) { if (!m.has('a')) m.set('a', 1) }",
        errors: ['absent'],
        output:
          "import type { ConcurrentMap } from 'mapsafe'; function f([m]: ConcurrentMap<string, number>[]) { m.setIfAbsent('a', 1) }",
      },
    ],
  },
})
