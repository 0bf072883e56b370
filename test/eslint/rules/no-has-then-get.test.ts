import { testRule } from '../cases.js'

testRule('no-has-then-get', {
  valid: [
    'function f(k) { const wasThere = map.has(k); map.set(k, 1); if (wasThere) report(map.get(k)) }',
    'function f(k) { const isThere = map.has(k); if (!isThere) report(map.get(k)) }',
    'function f(k) { return map.get(k) }',
    'function f(k) { const v = map.get(k); if (v !== undefined) return v.name }',
    'const plain = new Map(); if (plain.has("a")) report(plain.get("a"))',
    'if (map.has("a")) report(map.get("b"))',
    'const other = new ConcurrentMap(); if (other.has("a")) report(map.get("a"))',
    'if (!map.has("a")) report(map.get("a"))',
    'function f(k) { if (map.has(k)) report(k); return map.get(k) }',
    'function f(k) { if (map.has(k)) return () => map.get(k).name }',
    'function f(k) { if (map.has(k)) { k = next(k); report(map.get(k).name) } }',
    'function f(k, on) { if (on || map.has(k)) return map.get(k).name }',
    // An entry that is gone is thought of.
    'function f(k) { return map.has(k) ? map.get(k)?.name : "" }',
    'function f(k) { if (map.has(k)) return map.get(k) ?? 5 }',
    'function f(k) { if (map.has(k)) return map.get(k) || 5 }',
    'function f(k) { if (map.has(k) && map.get(k) === 5) report(k) }',
    'function f(k) { if (map.has(k)) { const v = map.get(k); if (v === undefined) return; report(v.name) } }',
    'function f(k) { if (map.has(k)) { const v = map.get(k); report(v?.name) } }',
    'function f(k) { if (map.has(k)) { const v = map.get(k); if (!v) return; report(v) } }',
    'function f(k) { if (map.has(k)) { if (map.get(k)) report(k) } }',
    'function f(k) { if (map.has(k)) return map.take(k) }',
    'function f(k) { if (map.has(k)) map.delete(k) }',
    'function f(k) { const had = map.has(k); return [had, map.get(k)] }',
  ],
  invalid: [
    { code: 'function f(k) { const isThere = map.has(k); if (isThere) report(map.get(k).name) }', errors: ['gone'] },
    { code: 'function f(k) { const isThere = map.has(k); return isThere ? map.get(k) : undefined }', errors: ['gone'] },
    { code: 'async function f(k) { while (!map.has(k)) await sleep(1); return map.get(k).name }', errors: ['gone'] },
    { code: 'const v = map.has("a") ? map.peek("a") : undefined', errors: ['gone'], output: 'const v = map.peek("a")' },
    { code: 'const v = map.has("a") ? map.get("a") : undefined', errors: ['gone'], output: 'const v = map.get("a")' },
    { code: 'const v = !map.has("a") ? undefined : map.get("a")', errors: ['gone'], output: 'const v = map.get("a")' },
    { code: 'const v = map.has("a") ? map.get("a") : void 0', errors: ['gone'], output: 'const v = map.get("a")' },
    { code: 'const v = map.has("a") ? map.get("a") : 5', errors: [['gone', { or: 'const v = map.get("a") ?? 5' }]] },
    {
      code: 'const v = map.has("a") ? map.get("a") : b || c',
      errors: [['gone', { or: 'const v = map.get("a") ?? (b || c)' }]],
    },
    {
      code: 'const v = (map.has("a") ? map.get("a") : 5) + 1',
      errors: [['gone', { or: 'const v = (map.get("a") ?? 5) + 1' }]],
    },
    { code: 'const v = map.has("a") ? map.get("a").name : 5', errors: ['gone'] },
    { code: 'const v = map.has("a") && map.get("a")', errors: [['gone', { once: 'const v = map.get("a")' }]] },
    { code: 'const v = map.has("a") && map.get("a").name', errors: ['gone'] },
    {
      code: 'if (map.has("a")) report(map.get("a"))',
      errors: [['gone', { once: 'const value = map.get("a");\nif (value !== undefined) report(value)' }]],
    },
    {
      code: 'function f(k, value) {\n  if (map.has(k)) {\n    return map.get(k).name\n  }\n}',
      errors: [
        [
          'gone',
          {
            once: 'function f(k, value) {\n  const found = map.get(k);\n  if (found !== undefined) {\n    return found.name\n  }\n}',
          },
        ],
      ],
    },
    { code: 'function f(k) { if (map.has(k)) { report(map.get(k)); map.delete(k) } }', errors: ['gone'] },
    { code: 'function f(k) { if (!map.has(k)) return; report(map.get(k).name) }', errors: ['gone'] },
    {
      code: 'function f(k) { if (!map.has(k)) throw new Error(); const v = map.get(k); return v.name }',
      errors: ['gone'],
    },
    { code: 'function f(k) { if (!map.has(k)) { return 1 } else { return map.get(k) } }', errors: ['gone'] },
    { code: 'for (const k of keys) { if (!cache.has(k)) continue; report(cache.get(k)) }', errors: ['gone'] },
    { code: 'function f(k, on) { if (on && map.has(k)) return map.get(k) }', errors: ['gone'] },
    { code: 'function f(k, on) { if (!on || !map.has(k)) return; return map.get(k) }', errors: ['gone'] },
    {
      code: 'function f(k) { if (map.has(k)) { const { value } = map.getEntry(k); report(value) } }',
      errors: [
        [
          'gone',
          {
            once: 'function f(k) { const found = map.getEntry(k);\n                if (found !== undefined) { const { value } = found; report(value) } }',
          },
        ],
      ],
    },
    { code: 'function f(o) { return map.has(o.id) ? map.get(o.id).name : "" }', errors: ['gone'] },
    {
      code: 'class S { m = new ConcurrentCache(); f(k) { return this.m.has(k) ? this.m.get(k).name : "" } }',
      errors: ['gone'],
    },
  ],
  typescript: {
    valid: [
      "import type { ConcurrentMap } from 'mapsafe'; function f(m: ConcurrentMap<string, number>) { if (m.has('a')) return m.get('a')! ?? 5 }",
    ],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; const f = (m: ConcurrentMap<string, number>) => m.has('a') ? m.get('a')! : undefined",
        errors: ['gone'],
        output:
          "import type { ConcurrentMap } from 'mapsafe'; const f = (m: ConcurrentMap<string, number>) => m.get('a')",
      },
    ],
  },
  typed: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; const make = () => new Map<string, ConcurrentMap<string, number>>(); const m = make(); if (m.has('a')) m.get('a')!.clear()",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; const make = () => new ConcurrentMap<string, number>(); const m = make(); export const n = m.has('a') ? m.get('a')! : 5",
        errors: [
          [
            'gone',
            {
              or: "import { ConcurrentMap } from 'mapsafe'; const make = () => new ConcurrentMap<string, number>(); const m = make(); export const n = m.get('a') ?? 5",
            },
          ],
        ],
      },
    ],
  },
})
