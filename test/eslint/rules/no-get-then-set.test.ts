import { testRule } from '../cases.js'

testRule('no-get-then-set', {
  valid: [
    // What was read is replaced, however the function goes.,
    'function f(k) { let v = map.get(k); if (a) v = 1; else v = 2; map.set(k, v) }',
    'function f(k) { let v = map.get(k); switch (a) { case 1: v = 1; break; default: v = 2 } map.set(k, v) }',
    'function f(k) { let v = map.get(k); if (other) { v = 1 } map.set(k, 1) }',
    'function f(k, v) { switch (map.get(k)) { case 1: map.setIfAbsent(k, v) } switch (v) { case 1: map.set(k, v) } }',
    // Two things of one name.,
    'class S { static m = new Map(); f(k) { S.m.set(k, S.m.get(k) * 2) } }',
    'class S { static m = new ConcurrentMap(); f(k) { S.m.set(k, S.m.get(k) * 2) } } S.m = new Map()',
    'class S { m = new ConcurrentMap() } function f(k) { S.m.set(k, S.m.get(k) * 2) }',
    // Another map, another key, another function: nothing is known.
    'const other = new ConcurrentMap(); map.set("a", other.get("a").concat(1))',
    'map.set("a", map.get("b"))',
    'function f(a, b) { map.set(a, map.get(b)) }',
    'function f(k) { const v = map.get(k); return () => map.set(k, v + 1) }',
    'function f(k) { const read = () => map.get(k); map.set(k, read() * 2) }',
    // The key may be another one by then.
    'function f(k) { const v = map.get(k); k = next(k); map.set(k, v * 2) }',
    'function f(o) { const v = map.get(o.id); o.id = 2; map.set(o.id, v * 2) }',
    'map.set(next(), map.get(next()) * 2)',
    // Another Map than ours.
    'const plain = new Map(); plain.set("a", plain.get("a") * 2)',
    'function f(anything, k) { anything.set(k, anything.get(k) * 2) }',
    "import { ConcurrentMap } from 'elsewhere'; const m = new ConcurrentMap(); m.set(1, m.get(1) * 2)",
    'class Plain { m = new Map(); f(k) { this.m.set(k, this.m.get(k) * 2) } }',
    'let some = new ConcurrentMap(); some = new Map(); some.set(1, some.get(1) * 2)',
    // Atomic.
    'map.update("a", (n = 0) => n * 2)',
    'function f(k) { for (;;) { const { value, version } = map.getEntry(k); if (map.setIfVersion(k, value * 2, version)) return } }',
    'function f(k) { const v = map.get(k); return map.compareAndSwap(k, v, { ...v, seen: true }) }',
    // What is stored does not come from what was read.
    'function f(k, v) { const old = map.get(k); map.set(k, v); return old }',
    'function f(k) { let v = map.get(k); if (v === undefined) { v = make(k); map.set(k, v) } return v }',
    'function f(k) { map.set(k, { a: 1 }); return map.get(k).a * 2 }',
    'function f(k) { map.set(k, 1); if (map.get(k) > 0) report(k) }',
    // Only its presence decides: prefer-set-if-absent.
    'function f(k) { if (map.get(k) === undefined) map.set(k, 1) }',
    'function f(k) { const v = map.get(k); if (v !== undefined) return v; map.set(k, 1) }',
    // Counters: prefer-increment.
    'map.set("a", map.get("a") + 1)',
    'function f(k) { const n = map.get(k) ?? 0; map.set(k, n + 1) }',
    'for (const [k, v] of map) { if (v > 1) report(k) } map.set("a", 1)',
    'for (const [k, v] of map) { const other = 1; map.set(k, other) }',
  ],
  invalid: [
    {
      code: 'function f(k, x) { let list = map.get(k); if (!list) list = []; map.set(k, [...list, x]) }',
      errors: ['lost'],
    },
    {
      code: 'function f(k, x) { let list = map.get(k); if (list === undefined) { list = [] } list = list.concat(x); map.set(k, list) }',
      errors: ['lost'],
    },
    {
      code: 'function f(k, x) { let list = map.get(k); list || (list = []); map.set(k, list.concat(x)) }',
      errors: ['lost'],
    },
    { code: "function f(k) { switch (map.get(k)) { case 'free': map.set(k, 'taken') } }", errors: ['checked'] },
    {
      code: "function f(k) { const state = map.get(k); switch (state) { case 'free': if (idle) map.set(k, 'taken') } }",
      errors: ['checked'],
    },
    {
      code: 'class S { static m = new ConcurrentMap(); static f(k) { const v = S.m.get(k); S.m.set(k, v * 2) } }',
      errors: ['lost'],
    },
    {
      code: 'class S { static #m = new ConcurrentMap(); f(k) { const v = S.#m.get(k); S.#m.set(k, v * 2) } }',
      errors: ['lost'],
    },
    { code: 'function f(k) { const v = map.peek(k); map.set(k, v * 2) }', errors: ['lost'] },
    { code: 'function f(k) { const { value } = map.peekEntry(k); map.set(k, value * 2) }', errors: ['lost'] },
    {
      code: 'map.set("a", map.get("a") * 2)',
      errors: [['lost', { update: 'map.update("a", (value) => value * 2)' }]],
    },
    {
      code: 'function f(k) { map.set(k, { ...map.get(k), seen: true }) }',
      errors: [['lost', { update: 'function f(k) { map.update(k, (value) => ({ ...value, seen: true })) }' }]],
    },
    {
      code: 'function f(k, x) { map.set(k, [...(map.get(k) ?? []), x]) }',
      errors: [['lost', { update: 'function f(k, x) { map.update(k, (value) => [...(value ?? []), x]) }' }]],
    },
    {
      code: 'function f(k, value) { map.set(k, Math.max(map.get(k), value)) }',
      errors: [['lost', { update: 'function f(k, value) { map.update(k, (current) => Math.max(current, value)) }' }]],
    },
    {
      code: 'function f(k) { map.set(`user:${k}`, map.get(`user:${k}`).concat(1)) }',
      errors: [['lost', { update: 'function f(k) { map.update(`user:${k}`, (value) => value.concat(1)) }' }]],
    },
    {
      code: 'function f(k) { map.set("u" + k, map.get("u" + k)?.concat(1)) }',
      errors: [['lost', { update: 'function f(k) { map.update("u" + k, (value) => value?.concat(1)) }' }]],
    },
    { code: 'function f(k) { cache.set(k, cache.get(k) * 2, { ttl: 5 }) }', errors: ['lost'] },
    { code: 'async function f(k) { map.set(k, await change(map.get(k))) }', errors: ['lost'] },
    { code: 'function f(k) { const v = map.get(k); map.set(k, { ...v, seen: true }) }', errors: ['lost'] },
    { code: 'function f(k, x) { const list = map.get(k) ?? []; map.set(k, [...list, x]) }', errors: ['lost'] },
    {
      code: 'function f(k, item) { const { cart, ...rest } = map.get(k); const next = [...cart, item]; map.set(k, { ...rest, cart: next }) }',
      errors: ['lost'],
    },
    { code: 'function f(k) { const { value } = map.getEntry(k); map.set(k, value * 2) }', errors: ['lost'] },
    { code: 'function f(k, x) { let v = map.get(k) ?? ""; v += x; map.set(k, v) }', errors: ['lost'] },
    { code: 'function f(k) { let v = map.get(k); v = { ...v, a: 1 }; map.set(k, v) }', errors: ['lost'] },
    {
      code: 'async function f(id) { const user = await cache.getOrLoad(id, load); cache.set(id, { ...user, seen: true }) }',
      errors: ['lost'],
    },
    { code: 'function f(k) { const v = map.get(k); return map.swap(k, v * 2) }', errors: ['lost'] },
    { code: 'function f(k) { const v = map.get(k); return map.replace(k, v * 2) }', errors: ['lost'] },
    { code: 'function f(o) { const v = map.get(o.user.id); map.set(o.user.id, v * 2) }', errors: ['lost'] },
    { code: 'for (let i = 0; i < 9; i++) { const v = map.get(i); map.set(i, v * 2) }', errors: ['lost'] },
    { code: 'for (const [k, v] of map) map.set(k, v * 2)', errors: ['iterated'] },
    { code: 'for (const [id, { cart }] of map.entries()) map.set(id, { cart: [...cart, 1] })', errors: ['iterated'] },
    { code: 'function f(k, v) { if (map.get(k) < v) map.set(k, v) }', errors: ['checked'] },
    { code: 'function f(k, v) { const best = map.get(k); if (best >= v) return; map.set(k, v) }', errors: ['checked'] },
    { code: 'function f(k, v) { map.get(k)?.owner === v && map.set(k, 1) }', errors: ['checked'] },
    {
      code: 'class Store { #m = new ConcurrentMap(); f(k) { this.#m.set(k, this.#m.get(k) * 2) } }',
      errors: [
        [
          'lost',
          { update: 'class Store { #m = new ConcurrentMap(); f(k) { this.#m.update(k, (value) => value * 2) } }' },
        ],
      ],
    },
    {
      code: 'class Store { constructor() { this.m = new ConcurrentCache() } f(k) { const v = this.m.get(k); this.m.set(k, v * 2) } }',
      errors: ['lost'],
    },
    {
      code: "import * as shared from 'mapsafe'; const m = shared.ConcurrentMap.attach(handle); function f(k) { const v = m.get(k); m.set(k, v * 2) }",
      errors: ['lost'],
    },
    {
      code: "const { ConcurrentMap: Shared } = require('mapsafe'); const m = new Shared(); function f(k) { const v = m.get(k); m.set(k, v * 2) }",
      errors: ['lost'],
    },
    {
      code: "const mapsafe = await import('mapsafe'); const m = new mapsafe.ConcurrentCache(); function f(k) { const v = m.get(k); m.set(k, v * 2) }",
      errors: ['lost'],
    },
    {
      code: 'class Sessions extends ConcurrentMap { f(k) { const v = this.get(k); this.set(k, v * 2) } }',
      errors: ['lost'],
    },
    {
      code: 'const state = { m: isMain ? new ConcurrentMap() : ConcurrentMap.attach(handle) }; function f(k) { const v = state.m.get(k); state.m.set(k, v * 2) }',
      errors: ['lost'],
    },
    {
      code: "import { sessions } from './state.js'; function f(k) { const v = sessions.get(k); sessions.set(k, v * 2) }",
      settings: { mapsafe: { maps: ['sessions'] } },
      errors: ['lost'],
    },
    {
      code: '/* no head */ function f(k) { const v = app.locals.userCache.get(k); app.locals.userCache.set(k, v * 2) }',
      settings: { mapsafe: { maps: ['/Cache$/'] } },
      errors: ['lost'],
    },
    {
      code: "import { ConcurrentMap } from './shared.js'; const m = new ConcurrentMap(); function f(k) { const v = m.get(k); m.set(k, v * 2) }",
      settings: { mapsafe: { modules: ['./shared.js'] } },
      errors: ['lost'],
    },
  ],
  typescript: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; class S { accessor m = new Map(); f(k: string) { const v = this.m.get(k); this.m.set(k, v * 2) } }",
      "import type { ConcurrentMap } from 'elsewhere'; function f(m: ConcurrentMap<string, number>, k: string) { m.set(k, m.get(k)! * 2) }",
      'function f(m: Map<string, number>, k: string) { m.set(k, m.get(k)! * 2) }',
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; class S { @dec() accessor m = new ConcurrentMap(); f(k: string) { const v = this.m.get(k); this.m.set(k, v * 2) } }",
        errors: ['lost'],
      },
      {
        code: "import shared = require('mapsafe'); const m = new shared.ConcurrentMap(); function f(k: string) { const v = m.get(k); m.set(k, v * 2) }",
        errors: ['lost'],
      },
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; function f(m: ConcurrentMap<string, number>, k: string) { m.set(k, m.get(k)! * 2) }",
        errors: [
          [
            'lost',
            {
              update:
                "import type { ConcurrentMap } from 'mapsafe'; function f(m: ConcurrentMap<string, number>, k: string) { m.update(k, (value) => value! * 2) }",
            },
          ],
        ],
      },
      {
        code: "import type * as shared from 'mapsafe'; class S { constructor(private readonly m: shared.ConcurrentMap<string, number> | undefined) {} f(k: string) { const v = this.m!.get(k) as number; this.m!.set(k, v * 2) } }",
        errors: ['lost'],
      },
    ],
  },
  typed: {
    valid: [
      'function f(m: Map<string, number>, k: string) { const v = m.get(k)!; m.set(k, v * 2) }',
      '/* no head */ class ConcurrentMap { get(k: string) { return k } set(k: string, v: string) {} } function f(m: ConcurrentMap, k: string) { m.set(k, m.get(k).trim()) }',
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; const open = () => new ConcurrentMap<string, number>(); function f(k: string) { const m = open(); const v = m.get(k)!; m.set(k, v * 2) }",
        errors: ['lost'],
      },
      {
        code: "import type { ConcurrentCache } from 'mapsafe'; interface App { cache?: ConcurrentCache<string, number> } function f(app: App, k: string) { const v = app.cache!.get(k)!; app.cache?.set(k, v * 2) }",
        errors: ['lost'],
      },
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; function f<M extends ConcurrentMap<string, number>>(maps: M[], k: string) { const [m] = maps; const v = m.get(k)!; m.set(k, v * 2) }",
        errors: ['lost'],
      },
    ],
  },
})
