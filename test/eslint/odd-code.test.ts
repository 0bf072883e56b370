import { createRequire } from 'node:module'
import { Linter } from 'eslint'
import tseslint from 'typescript-eslint'
import { describe, expect, test } from 'vitest'
import plugin from '../../src/eslint/index.js'

// A rule that throws ends the run of ESLint for the whole project. So no code may make one throw, however odd it is.

const HEAD =
  "import { ConcurrentMap, ConcurrentCache } from 'mapsafe'; const map = new ConcurrentMap(); const cache = new ConcurrentCache();\n"

/** What is defined by itself, or by what it defines. */
const circular = [
  'var App = App || {}; App.name = 1',
  'var a = b.x, b = a.y; a.z = 1; b.z = 2',
  'var m = m; m.set(1, m.get(1))',
  'let a = (b = a), b = (a = b); a.set(1, b.get(1))',
  'const e = e.value; e.value.x = 1',
  'var { a } = a; a.b = 1',
  'var { value } = value; value.b = 1',
  'const q = await q; new q.ConcurrentMap().get(1)',
  'const a = await b, b = await a; new a.ConcurrentMap().get(1)',
  'class A extends A {} new A().set(1, 2)',
  'class A extends B {} class B extends A {} const x = new A(); x.set(1, x.get(1))',
  'class C { m = this.n; n = this.m; f(k) { this.m.set(k, this.m.get(k)) } }',
  'class C { static m = C.m; f(k) { C.m.set(k, C.m.get(k)) } }',
  'const o = { o: o.o }; o.o.set(1, o.o.get(1))',
  'const f = f; map.update("a", f)',
  'const g = () => g; map.update("a", g)',
  'function h() { return h() } map.update("a", h); map.getOrInsertComputed("b", h)',
  'const l = () => cache.getOrLoad("a", l)',
  'const { ConcurrentMap: X = X } = await import("mapsafe"); new X().set(1, 2)',
  'for (var v of v) v.x = 1',
  'function f(a = b, b = a) { a.x = 1; map.set(a, map.get(b)) }',
]

/** Calls without what they need, or with what nobody expects. */
const calls = [
  'map.set(...x); map.set(); map.get(); map.update(); map.update("a"); map.getOrLoad(); map.deleteWhere(); map.forEach()',
  'postMessage(); new Worker(); new Worker(...x); structuredClone(...map); setEnvironmentData()',
  'map.get`a`; map.set?.("a", map.get?.("a") + 1); map["set"]("a", map["get"]("a") * 2); map[`set`]("a", 1)',
  'const { get, set } = map; set.call(map, 1, get.call(map, 1))',
  'map.set("a", map.get("a", map.get("a")) ?? map.set("a", map.get("a")))',
  'map.update("a", ({ b: { c } = {} } = {}, [d] = [], ...rest) => { c.x = d; rest.push(1) })',
]

/** Syntax that is rare. */
const syntax = [
  'for (const [k, { v: [w = 1, ...r] = [] } = {}] of map) { r.push(1); w.x = 1; map.set(k, r) }',
  'for (let [k, v] of map) { v = 1; map.set(k, v) } for (var k in map.get("a")) map.set(k, map.get(k))',
  'for (map.x of map); for await (const [k, v] of map) map.set(k, v)',
  'label: for (;;) { if (map.has(1)) continue label; map.set(1, 2); break label }',
  'while (map.has(1)); do map.set(1, 2); while (map.get(1)); for (;;) break',
  'import.meta.x = map.get("a"); async function* g() { yield* map; const v = map.get(yield 1); map.set(await v, v) }',
  'delete map.get("a").b; map.get("a").b++; [map.get("a").b] = [1]; ({ x: map.get("a").b } = y); map.get("a").b ||= 1',
  'class A { #m = new ConcurrentMap(); has(o) { return #m in o && o.#m.get(1) } static { this.x = new this() } [computed]() { return this.get(1) } }',
  'const c = class extends (class extends ConcurrentMap {}) { f(k) { this.set(k, this.get(k) * 2) } }',
  'export default class extends ConcurrentMap { f = this.get(1) } export * as ns from "mapsafe"; export { map as "a name" }',
  'if (map.get("a")) map.set("a", 1); else if (map.get("b")) map.set("b", 1); else { map.set("c", map.get("c")) }',
  'const x = map.has("a") ? map.has("b") ? map.get("a") : map.get("b") : map.get("c")',
  'switch (map.get("a")) { case map.get("b"): map.set("a", 1); default: }',
  'try { map.get("a") } catch { map.set("a", map.get("a")) } finally { map.close() }',
  'var undefined; if (map.get("a") === undefined) map.set("a", 1)',
  'const z = { get z() { return z.z }, z: z, ["w"]: 1, ...z, 5: map }; z.z.set(1, z.z.get(1)); z[5].get(1)',
]

const typescript = [
  'const x = <T,>(k: T) => map.set(k, map.get(k) satisfies T as T)',
  'abstract class S { abstract m: ConcurrentMap<string, number>; declare n: ConcurrentMap; f(): void; f(k?: any) { this.m.set(k, this.n.get(k)) } }',
  'namespace N { export const m = new ConcurrentMap(); m.set(1, m.get(1)! * 2) } declare module "x" { const m: ConcurrentMap }',
  'enum E { A = map.get("a") as any } let x: typeof map; let y: import("mapsafe").ConcurrentMap<string, number>; y!.set(1, y!.get(1)! * 2)',
  'function f(this: ConcurrentMap, [a, b] = map.get("a"), { value: { c } = {} } = map.getEntry("b") ?? {}, ...rest) { a.x = 1; c.y = 2; rest.push(map); b++ }',
  '@decorate(map.get("a")) class D { @dec(map) m() {} @dec accessor x = map; constructor(private n = this.m) {} }',
  'export = map',
  'import shared = require("mapsafe"); import Again = shared.ConcurrentMap; new Again().set(1, 2)',
]

const jsx = ['const x = <div onClick={() => map.set("a", map.get("a") + 1)}>{map.get("a")}{...map}</div>']

const linters = {
  10: Linter,
  9: (createRequire(import.meta.url)('eslint-9') as { Linter: typeof Linter }).Linter,
}
const files = ['**/*.ts', '**/*.tsx']
const byTypeScript: Linter.Config = {
  files,
  languageOptions: { parser: tseslint.parser, parserOptions: { ecmaFeatures: { jsx: true } } },
}
const byEspree: Linter.Config = { files, languageOptions: { parserOptions: { ecmaFeatures: { jsx: true } } } }
const strict: Linter.Config = { ...plugin.configs.strict, files }
/** Takes every expression for a map, so that the rules look into all that there is. */
const everything: Linter.Config = { files, settings: { mapsafe: { maps: ['/./'] } } }

describe.each(Object.entries(linters))('ESLint %s', (_version, Version) => {
  const lint = (code: string, parser: Linter.Config, more: readonly Linter.Config[]): string[] =>
    new Version()
      .verify(HEAD + code, [parser, strict, ...more], { filename: 'odd.tsx' })
      .filter(({ fatal }) => fatal === true)
      .map(({ message }) => message)

  test.each([...circular, ...calls, ...syntax, ...jsx])('no rule throws: %s', (code) => {
    for (const more of [[], [everything]]) {
      // What only one of the parsers takes is looked at by the other.
      expect([...new Set(lint(code, byTypeScript, more))]).toEqual([])
      lint(code, byEspree, more)
    }
  })

  test.each(typescript)('nor of TypeScript: %s', (code) => {
    for (const more of [[], [everything]]) expect(lint(code, byTypeScript, more)).toEqual([])
  })
})
