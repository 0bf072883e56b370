import { testRule } from '../cases.js'

const MAPSAFE = "import { ConcurrentMap } from 'mapsafe'; "

testRule('no-truthy-absence', {
  valid: [
    // Nothing shows what the values are.
    'if (map.get("a")) report()',
    'function f(k) { const session = map.get(k); if (!session) return 401 }',
    'const v = map.get("a") || {}',
    // Objects are always true, and the truth of a boolean is meant.
    'map.set("a", { n: 1 }); if (!map.get("a")) report()',
    'map.set("a", true); if (map.get("a")) report()',
    'map.increment("a"); if (map.get("a") !== undefined) report()',
    'map.increment("a"); if (map.get("a") > 0) report()',
    'map.increment("a"); if (map.has("a")) report()',
    'map.increment("a"); const n = map.get("a") ?? 1',
    'map.increment("a"); const n = map.get("a") || 0',
    'map.set("a", ""); const n = map.get("a") || ""',
    'map.increment("a"); if (map.get("a") === undefined) report()',
    'map.increment("a"); if (map.getEntry("a")) report()',
    'map.increment("a"); if (map.delete("a")) report()',
    'const other = new ConcurrentMap(); other.increment("a"); if (map.get("a")) report()',
    'const plain = new Map(); plain.set("a", 0); if (plain.get("a")) report()',
    'map.increment("a"); let n = map.get("a"); n = other(); if (n) report()',
    'map.increment("a"); if (map.get("a") + 1) report()',
    'map.increment("a"); const n = map.get("a"); report(n)',
    'map.set("a", text); if (map.get("a")) report()',
  ],
  invalid: [
    {
      code: 'map.incrementEntry("a"); const n = map.peek("a") || 5',
      errors: [['or', { nullish: 'map.incrementEntry("a"); const n = map.peek("a") ?? 5' }]],
    },
    {
      code: 'map.increment("a"); if (map.get("a")) report()',
      errors: [['truthy', { compare: 'map.increment("a"); if (map.get("a") !== undefined) report()' }]],
    },
    {
      code: 'map.increment("a"); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.increment("a"); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.set("a", 0); if (map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", 0); if (map.get("a") !== undefined) report()' }]],
    },
    {
      code: 'map.set("a", -1); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", -1); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.set("a", ""); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", ""); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.set("a", `${b}`); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", `${b}`); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.set("a", null); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", null); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.set("a", 0n); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.set("a", 0n); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.getOrInsert("a", 5); if (!map.get("a")) report()',
      errors: [['truthy', { compare: 'map.getOrInsert("a", 5); if (map.get("a") === undefined) report()' }]],
    },
    {
      code: 'map.increment("a"); const n = map.get("a") || 5',
      errors: [['or', { nullish: 'map.increment("a"); const n = map.get("a") ?? 5' }]],
    },
    { code: 'map.increment("a"); const n = map.get("a") || b || c', errors: ['or'] },
    {
      code: 'map.increment("a"); const n = map.get("a") ? 1 : 2',
      errors: [['truthy', { compare: 'map.increment("a"); const n = map.get("a") !== undefined ? 1 : 2' }]],
    },
    {
      code: 'map.increment("a"); function f(k) { const n = map.get(k); if (!n) return load(k); return n }',
      errors: [
        [
          'truthy',
          {
            compare:
              'map.increment("a"); function f(k) { const n = map.get(k); if (n === undefined) return load(k); return n }',
          },
        ],
      ],
    },
    {
      code: 'map.increment("a"); while (map.get("a")) report()',
      errors: [['truthy', { compare: 'map.increment("a"); while (map.get("a") !== undefined) report()' }]],
    },
    {
      code: 'map.increment("a"); const is = !!map.get("a")',
      errors: [['truthy', { compare: 'map.increment("a"); const is = !(map.get("a") === undefined)' }]],
    },
    { code: 'map.increment("a"); map.get("a") && report()', errors: ['truthy'] },
    {
      code: 'map.increment("a"); if (on && map.get("a")) report()',
      errors: [['truthy', { compare: 'map.increment("a"); if (on && map.get("a") !== undefined) report()' }]],
    },
    {
      code: 'map.increment("a"); if (map.get("a") || on) report()',
      errors: [['truthy', { compare: 'map.increment("a"); if (map.get("a") !== undefined || on) report()' }]],
    },
    {
      code: 'let n; if (!(n = map.get("a"))) map.set("a", 0)',
      errors: [['truthy', { compare: 'let n; if ((n = map.get("a")) === undefined) map.set("a", 0)' }]],
    },
    {
      code: 'class S { m = new ConcurrentMap(); a(k) { this.m.increment(k) } b(k) { if (this.m.get(k)) report() } }',
      errors: [
        [
          'truthy',
          {
            compare:
              'class S { m = new ConcurrentMap(); a(k) { this.m.increment(k) } b(k) { if (this.m.get(k) !== undefined) report() } }',
          },
        ],
      ],
    },
  ],
  typescript: {
    valid: [
      `${MAPSAFE}const m = new ConcurrentMap<string, { n: number }>(); if (m.get('a')) report()`,
      `${MAPSAFE}const m = new ConcurrentMap<string, boolean>(); if (m.get('a')) report()`,
    ],
    invalid: [
      { code: `${MAPSAFE}const m = new ConcurrentMap<string, number>(); m.get('a') && report()`, errors: ['truthy'] },
      {
        code: `${MAPSAFE}const m: ConcurrentMap<string, Session | null> = new ConcurrentMap(); m.get('a') && report()`,
        errors: ['truthy'],
      },
      { code: `${MAPSAFE}function f(m: ConcurrentMap<string, string>) { m.get('a') && report() }`, errors: ['truthy'] },
    ],
  },
  typed: {
    valid: [
      `${MAPSAFE}interface User { name: string } const m = new ConcurrentMap<string, User>(); if (m.get('a')) m.clear()`,
      `${MAPSAFE}const m = new ConcurrentMap<string, any>(); if (m.get('a')) m.clear()`,
      `${MAPSAFE}const m = new ConcurrentMap<string, 'on' | 'off'>(); if (m.get('a')) m.clear()`,
    ],
    invalid: [
      {
        code: `${MAPSAFE}type Count = number; const m = new ConcurrentMap<string, Count>(); m.get('a') && m.clear()`,
        errors: ['truthy'],
      },
      {
        code: `${MAPSAFE}const m = new ConcurrentMap<string, 'on' | ''>(); m.get('a') && m.clear()`,
        errors: ['truthy'],
      },
    ],
  },
})
