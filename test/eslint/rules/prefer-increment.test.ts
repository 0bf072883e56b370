import { testRule } from '../cases.js'

testRule('prefer-increment', {
  valid: [
    'map.increment("a")',
    'const plain = new Map(); plain.set("a", plain.get("a") + 1)',
    'map.set("a", map.get("b") + 1)',
    'const other = new ConcurrentMap(); map.set("a", other.get("a") + 1)',
    // Not known to be whole numbers.
    'function f(k, by) { map.set(k, (map.get(k) ?? 0) + by) }',
    'map.set("a", map.get("a") + 0.5)',
    'map.set("a", map.get("a") + "1")',
    'map.set("a", map.get("a") + 1n)',
    'map.set("a", `${map.get("a")}` + 1)',
    // `increment` begins at 0.
    'map.set("a", (map.get("a") ?? 10) + 1)',
    'map.update("a", (n = 10) => n + 1)',
    // More than a sum.
    'map.set("a", map.get("a") * 2)',
    'map.set("a", 1 - map.get("a"))',
    'map.set("a", Math.max(map.get("a") - 1, 0))',
    'map.update("a", (n = 0) => Math.max(n - 1, 0))',
    'map.update("a", (n = 0) => { if (n > 9) throw new Error(); return n + 1 })',
    'map.update("a", ({ n }) => n + 1)',
    'map.update("a", (n = 0) => n + m)',
    'map.update("a", async (n = 0) => n + 1)',
    'function f(k) { const n = map.get(k) ?? 0; map.set(k, n * 2) }',
    'function f(k) { let n = map.get(k) ?? 0; if (n > 5) n++; map.set(k, n) }',
    'function f(k) { let n = map.get(k) ?? 0; n++; n *= 2; map.set(k, n) }',
    'function f(k) { let n = 0; n++; map.set(k, n) }',
    'function f(k) { const n = map.get(k) ?? 0; return () => map.set(k, n + 1) }',
  ],
  invalid: [
    { code: 'map.set("a", (map.peek("a") ?? 0) + 1)', errors: [['lost', { increment: 'map.increment("a")' }]] },
    { code: 'map.set("a", map.get("a") + 1)', errors: [['lost', { increment: 'map.increment("a")' }]] },
    { code: 'map.set("a", (map.get("a") ?? 0) + 1)', errors: [['lost', { increment: 'map.increment("a")' }]] },
    { code: 'map.set("a", (map.get("a") || 0) + 5);', errors: [['lost', { increment: 'map.increment("a", 5);' }]] },
    { code: 'map.set("a", (map.get("a") ?? 0) - 1)', errors: [['lost', { increment: 'map.increment("a", -1)' }]] },
    { code: 'map.set("a", map.get("a") + -2)', errors: [['lost', { increment: 'map.increment("a", -2)' }]] },
    { code: 'map.set("a", map.get("a") - -1)', errors: [['lost', { increment: 'map.increment("a")' }]] },
    { code: 'map.set("a", 1 + (map.get("a") ?? 0))', errors: [['lost', { increment: 'map.increment("a")' }]] },
    {
      code: 'function f(k, list) { map.set(k, (map.get(k) ?? 0) + list.length) }',
      errors: [['lost', { increment: 'function f(k, list) { map.increment(k, list.length) }' }]],
    },
    {
      code: 'function f(k, set) { map.set(k, (map.get(k) ?? 0) - set.size) }',
      errors: [['lost', { increment: 'function f(k, set) { map.increment(k, -set.size) }' }]],
    },
    {
      code: 'cache.set("a", (cache.get("a") ?? 0) + 1)',
      errors: [['lost', { incrementOnCache: 'cache.increment("a")' }]],
    },
    {
      code: 'cache.set("a", (cache.get("a") ?? 0) + 1, { ttl: 60_000 })',
      errors: [['lost', { incrementOnCache: 'cache.increment("a", 1, { ttl: 60_000 })' }]],
    },
    { code: 'const done = map.set("a", map.get("a") + 1)', errors: ['lost'] },
    { code: 'function f(k) { const n = map.get(k) ?? 0; map.set(k, n + 1) }', errors: ['lost'] },
    { code: 'function f(k) { const n = map.get(k); map.set(k, (n ?? 0) + 1) }', errors: ['lost'] },
    { code: 'function f(k) { const next = (map.get(k) ?? 0) + 1; map.set(k, next); return next }', errors: ['lost'] },
    { code: 'function f(k) { const n = map.get(k) || 0; const next = n + 1; map.set(k, next) }', errors: ['lost'] },
    { code: 'function f(k) { let n = map.get(k) ?? 0; n++; map.set(k, n) }', errors: ['lost'] },
    { code: 'function f(k) { let n = map.get(k) ?? 0; n -= 3; map.set(k, n) }', errors: ['lost'] },
    { code: 'map.update("a", (n) => n + 1)', errors: [['simpler', { increment: 'map.increment("a")' }]] },
    { code: 'map.update("a", (n = 0) => n + 1)', errors: [['simpler', { increment: 'map.increment("a")' }]] },
    {
      code: 'const n = map.update("a", (n) => (n ?? 0) - 4)',
      errors: [['simpler', { increment: 'const n = map.increment("a", -4)' }]],
    },
    {
      code: 'map.update("a", function (n = 0) { return 1 + n })',
      errors: [['simpler', { increment: 'map.increment("a")' }]],
    },
    {
      code: 'cache.update("a", (n = 0) => n + 1, { ttl: 5 })',
      errors: [['simpler', { increment: 'cache.increment("a", 1, { ttl: 5 })' }]],
    },
  ],
  typescript: {
    valid: [
      "import { ConcurrentMap } from 'elsewhere'; const m = new ConcurrentMap<string, number>(); m.set('a', m.get('a')! + 1)",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, number>(); m.set('a', m.get('a')! + 1)",
        errors: [
          [
            'lost',
            {
              increment:
                "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, number>(); m.increment('a')",
            },
          ],
        ],
      },
    ],
  },
  typed: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap<string, string>(); m.set('a', m.get('a')! + 1)",
    ],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; function f([m]: ConcurrentMap<string, number>[]) { m.set('a', (m.get('a') ?? 0) + 1) }",
        errors: [
          [
            'lost',
            {
              increment:
                "import type { ConcurrentMap } from 'mapsafe'; function f([m]: ConcurrentMap<string, number>[]) { m.increment('a') }",
            },
          ],
        ],
      },
    ],
  },
})
