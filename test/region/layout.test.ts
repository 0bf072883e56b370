import { readdirSync, readFileSync } from 'node:fs'
import { createContext, runInContext, type Context } from 'node:vm'
import { expect, test } from 'vitest'

/**
 * Reads the constants a file declares, by a name that both languages' spellings map to: kFooBar and FOO_BAR are FOOBAR.
 */
function constants(path: string, declaration: RegExp): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').split('\n')) {
    if (!line.includes(' = ')) continue
    const match = declaration.exec(line)
    if (!match) throw new Error(`${path}: not understood as a constant: ${line}`)
    const [, name, value] = match
    found.set(name.replaceAll('_', '').toUpperCase(), Number(value))
  }
  return found
}

test('layout.ts and layout.h declare the same constants', () => {
  const typescript = constants('src/format/layout.ts', /^export const (\w+) = (0x[0-9a-f]+|\d+)$/)
  const cpp = constants('native/core/base/layout.h', /^inline constexpr std::uint32_t k(\w+) = (0x[0-9a-f]+|\d+);$/)
  expect(typescript.size).toBeGreaterThan(100)
  expect(cpp).toEqual(typescript)
})

/** Source of one of the two languages, from `start` to `end`. */
function section(path: string, start: string, end: string): string {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const from = text.indexOf(start)
  expect(from, `${path} has ${start}`).toBeGreaterThanOrEqual(0)
  return text.slice(from, text.indexOf(end, from))
}

/** Names with their numbers, and names that differ in how their language spells them made equal. */
function numbers(text: string, declaration: RegExp): [string, number][] {
  const found = Array.from(text.matchAll(declaration), ([, name, value]): [string, number] => [
    name.replaceAll('_', '').toUpperCase(),
    Number(value),
  ])
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}

test('both languages know the same statuses', () => {
  const cpp = section('native/core/base/outcome.h', 'enum class Status', '};')
  const typescript = section('src/engine/engine.ts', '// Statuses', '// Modes')
  const own = section('src/engine/typescript/write/edit.ts', 'export const NEEDS_NODE', '\n\n')
  const statuses = numbers(cpp, /k(\w+) = (-?\d+),/g)
  expect(statuses.length).toBeGreaterThan(12)
  expect(statuses).toEqual(numbers(typescript + own, /const (\w+) = (-?\d+)$/gm))
})

test.each([
  ['Life', 'native/core/threads/liveness.h', 'src/format/thread-name.ts'],
  ['Proof', 'native/core/threads/liveness.h', 'src/format/thread-name.ts'],
  ['GhostClass', 'native/core/eviction/ghosts.h', 'src/engine/typescript/eviction/ghosts.ts'],
])('both languages number %s alike', (name, header, source) => {
  const cpp = numbers(section(header, `enum class ${name} `, '};'), /\bk(\w+) = (\d+)/g)
  const prefix = name === 'GhostClass' ? 'GHOST' : name.toUpperCase()
  const typescript = numbers(
    section(source, '', '\0'),
    new RegExp(`^(?:export )?const ${prefix}_(\\w+) = (\\d+)$`, 'gm'),
  )
  expect(cpp.length).toBeGreaterThan(1)
  expect(cpp).toEqual(typescript)
})

test('both languages know the same modes of writing', () => {
  const cpp = section('native/core/base/outcome.h', '// Conditions and flags', '}  // namespace')
  const typescript = section('src/engine/engine.ts', '// Modes', '\0')
  expect(numbers(cpp, /k(\w+) = (\d+);/g)).toEqual(numbers(typescript, /export const (\w+) = (\d+)$/gm))
})

test('both languages find the words of a result at the same places', () => {
  const cpp = section('native/core/base/outcome.h', 'struct Outcome', '};')
  const fields = Array.from(cpp.matchAll(/^ {2}(\S+) (\w+)(?:\[(\d+)\])?;/gm), ([, type, name, count]) => ({
    type,
    name,
    count: Number((count as string | undefined) ?? 1),
  }))
  const words = new Map<string, number>()
  let at = 0
  for (const { type, name, count } of fields) {
    words.set(name.replaceAll('_', '').toUpperCase(), type === 'double' ? at / 2 : at)
    at += type === 'double' ? 2 : count
  }
  const typescript = new Map(
    numbers(section('src/engine/engine.ts', '// Words of Engine.result', '// Statuses'), /RESULT_(\w+) = (\d+)$/gm),
  )
  expect(typescript.get('WORDS')).toBe(at)
  typescript.delete('WORDS')
  expect(typescript.size).toBeGreaterThan(10)
  for (const [name, word] of typescript) expect([name, words.get(name)]).toEqual([name, word])
})

test('both languages have the same table of value kinds', () => {
  const row = (name: string, ...rest: string[]): string =>
    [name.replaceAll('_', ''), ...rest]
      .map((cell) =>
        cell
          .trim()
          .toUpperCase()
          .replaceAll(/\bK(?=[A-Z])/g, ''),
      )
      .join()
  const cpp = Array.from(
    section('native/core/base/kinds.h', 'kValueKinds[]', '};').matchAll(
      /\{kValue(\w+), (\w+), (\w+), (\w+), ([^}]+)\}/g,
    ),
    ([, ...cells]) => row(cells[0], ...cells.slice(1)),
  )
  const typescript = Array.from(
    section('src/format/kinds.ts', 'VALUE_KINDS:', '\n]').matchAll(/\[VALUE_(\w+), (\w+), (\w+), (\w+), ([^\]]+)\]/g),
    ([, ...cells]) => row(cells[0], ...cells.slice(1)),
  )
  expect(cpp.length).toBeGreaterThan(10)
  expect(cpp).toEqual(typescript)
})

/** A constant's value, or undefined if it is more than numbers and other constants. */
function evaluate(expression: string, known: Context): number | undefined {
  const javascript = expression
    .replaceAll(/std::chrono::\w+|std::size_t|std::uint64_t|Math\.floor/g, '')
    .replaceAll(/sizeof\([\w:]+\)/g, '4')
    .replaceAll(/\{([^{}]*)\}/g, '($1)')
    .replaceAll(/\b(0x[0-9a-f]+|\d+)u\b/g, '$1')
    .replaceAll('<<', '* 2 **') // exact beyond 32 bits, too
    .replaceAll(/\bk[A-Z]\w*|\b[A-Z]\w*/g, plain)
  if (/[^\w\s.()+*/|-]|\w\(/.test(javascript)) return undefined
  const unknown = javascript.match(/\b[A-Z]\w*/g)?.some((name) => !(name in known))
  if (unknown === true) return undefined
  const value = runInContext(javascript, known) as unknown
  // C++ divides integers without a remainder. Words are signed in one language only.
  return typeof value === 'number' && !Number.isNaN(value) ? Math.floor(value < 0 ? value >>> 0 : value) : undefined
}

/** A name as both languages would have it: kFooBar and FOO_BAR are FOOBAR. */
function plain(name: string): string {
  return name
    .replace(/^k(?=[A-Z])/, '')
    .replaceAll('_', '')
    .toUpperCase()
}

/** The values of the constants that the files below these paths declare, by their plain names. */
function declared(paths: readonly string[], declaration: RegExp): Map<string, Map<string, number>> {
  const root = new URL('../../', import.meta.url)
  const files = paths.flatMap((path) =>
    /\.\w+$/.test(path)
      ? [path]
      : readdirSync(new URL(path, root), { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`),
  )
  const texts = files
    .filter((file) => /\.(ts|h|cc)$/.test(file))
    .map((file): [string, string] => [file, readFileSync(new URL(file, root), 'utf8')])
  const found = new Map<string, Map<string, number>>()
  const known = createContext({}) as Record<string, number>
  // Several rounds, because constants are made of others, of other files.
  for (let round = 0; round < 4; round++) {
    for (const [file, text] of texts) {
      for (const [, type, name, expression] of text.matchAll(declaration)) {
        const value = evaluate(expression, known)
        if (value === undefined) continue
        const isDuration = type === 'WaitBudget::Duration' || expression.includes('milliseconds')
        const key = plain(name) + (isDuration ? 'MS' : '')
        known[plain(name)] = value
        const places = found.get(key) ?? new Map<string, number>()
        found.set(key, places.set(file, value))
      }
    }
  }
  return found
}

/** Constants that differ on purpose. HELD_LOOKS: so many steps of either engine's `Backoff` take the same time. */
const DIFFERENT = ['HELDLOOKS']

test('what both languages call by one name has one value', () => {
  const cpp = declared(['native/core', 'native/addon'], /constexpr ([\w:]+) (k\w+) = ([^;]+);/g)
  const typescript = declared(
    ['src/format', 'src/engine', 'src/base/kept.ts'],
    /^(?:export )?const() ([A-Z][A-Z0-9_]*)(?:: number)? = (.+)$/gm,
  )
  const shared = [...cpp.keys()].filter((name) => typescript.has(name))
  expect(shared).toEqual(
    expect.arrayContaining(['MAXPARTITIONS', 'MINPARTITIONBYTES', 'IDMASK', 'TOMBSTONELIMIT', 'HELDUPMS']),
  )
  for (const name of shared) {
    const places = Object.fromEntries([...cpp.get(name)!, ...typescript.get(name)!])
    const isOne = new Set(Object.values(places)).size === 1
    expect(isOne, `${name}: ${JSON.stringify(places)}`).toBe(!DIFFERENT.includes(name))
  }
})
