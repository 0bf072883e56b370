import { testRule } from '../cases.js'

testRule('prefer-using', {
  valid: [
    'function f() { using m = new ConcurrentMap(); m.set("a", 1) }',
    // Once, when the module is loaded: it is closed when the process ends.
    'const m = new ConcurrentMap(); m.set("a", 1); m.close()',
    '{ const m = new ConcurrentMap(); m.set("a", 1) }',
    // Others have it, and may close it.
    'function f() { const m = new ConcurrentMap(); return m }',
    'function f() { const m = new ConcurrentMap(); report(m) }',
    'function f() { const m = new ConcurrentMap(); return { m } }',
    'function f() { const m = new ConcurrentMap(); state.m = m }',
    'function f() { const m = new ConcurrentMap(); return () => m.get("a") }',
    'function f() { const m = new ConcurrentMap(); on("exit", () => m.close()) }',
    'function f() { const m = new ConcurrentMap(); return m.set("a", 1) }',
    'function f() { const m = new ConcurrentMap(); return m.keys() }',
    'function f() { const m = new ConcurrentMap(); const { handle } = m; send(handle) }',
    'function f() { const m = new ConcurrentMap(); report(m.handle) }',
    'function f() { const m = new ConcurrentMap(); try { m.set("a", 1) } finally { m.close() } }',
    'function f() { const m = open(); m.close() }',
    'function f() { let m = new ConcurrentMap(); m.close(); m = new ConcurrentMap() }',
    'function f(m) { m.close() }',
    'function f() { const m = new Map(); m.set("a", 1) }',
    'function f() { const { size } = new ConcurrentMap(); return size }',
    'function f() { const m = new ConcurrentMap(), n = 1; m.close() }',
    'class S { m = new ConcurrentMap(); f() { this.m.close() } }',
  ],
  invalid: [
    {
      code: 'function f() { const m = new ConcurrentMap(); m.set("a", 1); m.close() }',
      errors: [['close', { using: 'function f() { using m = new ConcurrentMap(); m.set("a", 1); }' }]],
    },
    {
      code: 'function f() {\n  const m = ConcurrentMap.attach(handle)\n  m.set("a", 1)\n  m.close()\n}',
      errors: [['close', { using: 'function f() {\n  using m = ConcurrentMap.attach(handle)\n  m.set("a", 1)\n}' }]],
    },
    {
      code: 'function f() { const c = new ConcurrentCache({ ttl: 5 }); c.close() }',
      errors: [['close', { using: 'function f() { using c = new ConcurrentCache({ ttl: 5 }); }' }]],
    },
    { code: 'function f() { const m = new ConcurrentMap(); m.close(); report() }', errors: ['close'] },
    {
      code: 'function f() { const m = new ConcurrentMap(); const n = m.get("a"); m.close(); return n }',
      errors: ['close'],
    },
    {
      code: 'function f() { const m = new ConcurrentMap(); if (m.has("a")) { m.close(); return } m.close() }',
      errors: ['close'],
    },
    {
      code: 'async function f() { const m = new ConcurrentMap(); await m.get("a"); m.close(); report() }',
      errors: ['close'],
    },
    {
      code: 'function f() { const m = new ConcurrentMap(); try { m.set("a", 1); m.close() } catch { report() } }',
      errors: ['close'],
    },
    {
      code: 'function f() { const m = new ConcurrentMap(); m.set("a", 1) }',
      errors: [['open', { using: 'function f() { using m = new ConcurrentMap(); m.set("a", 1) }' }]],
    },
    {
      code: 'function f() { const m = ConcurrentMap.attach(handle); return m.get("a") }',
      errors: [['open', { using: 'function f() { using m = ConcurrentMap.attach(handle); return m.get("a") }' }]],
    },
    {
      code: 'const f = () => { const c = ConcurrentCache.attach(handle); for (const k of c.keys()) report(k) }',
      errors: [
        [
          'open',
          {
            using: 'const f = () => { using c = ConcurrentCache.attach(handle); for (const k of c.keys()) report(k) }',
          },
        ],
      ],
    },
    {
      code: 'function f() { if (on) { const m = new ConcurrentMap(); report(m.get("a")) } }',
      errors: [['open', { using: 'function f() { if (on) { using m = new ConcurrentMap(); report(m.get("a")) } }' }]],
    },
    {
      code: 'function f() { const m = new ConcurrentMap(); return [...m.values()] }',
      errors: [['open', { using: 'function f() { using m = new ConcurrentMap(); return [...m.values()] }' }]],
    },
    {
      code: 'function f() { const m = new ConcurrentMap(); m.set("a", 1); m.set("b", 2) }',
      errors: [['open', { using: 'function f() { using m = new ConcurrentMap(); m.set("a", 1); m.set("b", 2) }' }]],
    },
    {
      code: 'function f() { const m = new ConcurrentMap() }',
      errors: [['open', { using: 'function f() { using m = new ConcurrentMap() }' }]],
    },
    {
      code: 'class S { f() { const m = new ConcurrentMap(); m?.increment("a") } }',
      errors: [['open', { using: 'class S { f() { using m = new ConcurrentMap(); m?.increment("a") } }' }]],
    },
    {
      code: 'server.on("request", () => { const m = ConcurrentMap.attach(handle); m.increment("a") })',
      errors: [
        ['open', { using: 'server.on("request", () => { using m = ConcurrentMap.attach(handle); m.increment("a") })' }],
      ],
    },
    {
      code: 'function f(k) { switch (k) { case 1: { const m = new ConcurrentMap(); m.increment(k) } } }',
      errors: [
        [
          'open',
          { using: 'function f(k) { switch (k) { case 1: { using m = new ConcurrentMap(); m.increment(k) } } }' },
        ],
      ],
    },
    {
      code: 'function f(k) { switch (k) { case 1: const m = new ConcurrentMap(); m.increment(k) } }',
      errors: ['open'],
    },
    {
      code: "import * as shared from 'mapsafe'; function f() { const m = new shared.ConcurrentMap(); m.increment(1) }",
      errors: [
        [
          'open',
          {
            using:
              "import * as shared from 'mapsafe'; function f() { using m = new shared.ConcurrentMap(); m.increment(1) }",
          },
        ],
      ],
    },
  ],
  typescript: {
    valid: [
      "import { ConcurrentMap } from 'mapsafe'; function f(): ConcurrentMap<string, number> { const m = new ConcurrentMap<string, number>(); return m as never }",
    ],
    invalid: [
      {
        code: "import { ConcurrentMap } from 'mapsafe'; function f() { const m = new ConcurrentMap<string, number>(); m!.increment('a'); m.close() }",
        errors: [
          [
            'close',
            {
              using:
                "import { ConcurrentMap } from 'mapsafe'; function f() { using m = new ConcurrentMap<string, number>(); m!.increment('a'); }",
            },
          ],
        ],
      },
    ],
  },
})
