import { testRule } from '../cases.js'

testRule('no-unchecked-result', {
  valid: [
    'if (!map.setIfVersion("a", 1, 2)) retry()',
    'function f() { return map.setIfVersion("a", 1, 2) }',
    'const f = () => map.setIfVersion("a", 1, 2)',
    'for (;;) if (map.compareAndSwap("a", 1, 2)) break',
    'while (!map.compareAndSwap("a", map.get("a"), 2));',
    'const done = map.setIfVersion("a", 1, 2); report(done)',
    'export const done = map.setIfVersion("a", 1, 2)',
    'let done; done = map.setIfVersion("a", 1, 2)',
    'void map.setIfVersion("a", 1, 2)',
    'report(map.setIfVersion("a", 1, 2))',
    'expect(map.compareAndSwap("a", 1, 2)).toBe(true)',
    'const all = [map.setIfVersion("a", 1, 2)]; report(all)',
    'const text = `${map.setIfVersion("a", 1, 2)}`; report(text)',
    'map.setIfVersion("a", 1, 2) || retry()',
    'map.setIfVersion("a", 1, 2) ? report() : retry()',
    // What was to be is so, in either case.
    'map.setIfAbsent("a", 1)',
    'map.replace("a", 1)',
    'map.deleteIfVersion("a", 1)',
    'map.compareAndDelete("a", 1)',
    'cache.touch("a")',
    'map.set("a", 1)',
    'const other = new Other(); other.setIfVersion("a", 1, 2)',
    { code: 'if (!map.deleteIfVersion("a", 1)) retry()', options: [{ also: ['deleteIfVersion'] }] },
  ],
  invalid: [
    {
      code: 'map.setIfVersion("a", 1, 2)',
      errors: [
        [
          'dropped',
          { throw: 'if (!map.setIfVersion("a", 1, 2)) throw new Error(\'setIfVersion found another value\')' },
        ],
      ],
    },
    {
      code: 'map.compareAndSwap("a", 1, 2);',
      errors: [
        [
          'dropped',
          { throw: 'if (!map.compareAndSwap("a", 1, 2)) throw new Error(\'compareAndSwap found another value\');' },
        ],
      ],
    },
    {
      code: 'function f(k, v, version) { cache.setIfVersion(k, v, version, { ttl: 5 }); return v }',
      errors: [
        [
          'dropped',
          {
            throw:
              "function f(k, v, version) { if (!cache.setIfVersion(k, v, version, { ttl: 5 })) throw new Error('setIfVersion found another value'); return v }",
          },
        ],
      ],
    },
    { code: 'on && map.setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'on || map.compareAndSwap("a", 1, 2)', errors: ['dropped'] },
    { code: 'on ?? map.compareAndSwap("a", 1, 2)', errors: ['dropped'] },
    { code: 'on ? map.setIfVersion("a", 1, 2) : report()', errors: ['dropped'] },
    { code: 'map.setIfVersion("a", 1, 2), report()', errors: ['dropped'] },
    { code: 'report(), map.setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'const done = map.setIfVersion("a", 1, 2)', errors: ['unread'] },
    { code: 'function f() { let done = map.compareAndSwap("a", 1, 2); report() }', errors: ['unread'] },
    {
      code: 'const m = ConcurrentMap.attach(handle); m.setIfVersion("a", 1, 2)',
      errors: [
        [
          'dropped',
          {
            throw:
              'const m = ConcurrentMap.attach(handle); if (!m.setIfVersion("a", 1, 2)) throw new Error(\'setIfVersion found another value\')',
          },
        ],
      ],
    },
    { code: 'on && new ConcurrentCache().setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'class S { m = new ConcurrentMap(); f() { on && this.m.setIfVersion("a", 1, 2) } }', errors: ['dropped'] },
    { code: 'class S extends ConcurrentMap { f() { on && this.setIfVersion("a", 1, 2) } }', errors: ['dropped'] },
    { code: 'let m; m = new ConcurrentMap(); on && m.setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'on && map?.setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'on && map["setIfVersion"]("a", 1, 2)', errors: ['dropped'] },
    { code: 'on && map.set("b", 1).setIfVersion("a", 1, 2)', errors: ['dropped'] },
    { code: 'on && map.deleteIfVersion("a", 1)', options: [{ also: ['deleteIfVersion'] }], errors: ['dropped'] },
    { code: 'on && cache.touch("a")', options: [{ also: ['touch', 'replace'] }], errors: ['dropped'] },
    { code: 'on && map.setIfVersion("a", 1, 2)', options: [{ also: [] }], errors: ['dropped'] },
  ],
  typescript: {
    valid: [],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; export function f(m: ConcurrentMap<string, number> | null) { if (m) on && m!.setIfVersion('a', 1, 2) }",
        errors: ['dropped'],
      },
    ],
  },
  typed: {
    valid: ['declare const m: { setIfVersion(): boolean }; m.setIfVersion()'],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; class Own<V> { constructor(readonly maps: ConcurrentMap<string, V>[]) {} f(v: V) { for (const m of this.maps) v && m.setIfVersion('a', v, 2) } }",
        errors: ['dropped'],
      },
    ],
  },
})
