import { readFileSync } from 'node:fs'
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
  const leaving = numbers(cpp, /k(\w+) = (-?\d+),/g).filter(([, value]) => value < 100)
  expect(leaving.length).toBeGreaterThan(10)
  expect(leaving).toEqual(numbers(typescript, /export const (\w+) = (-?\d+)$/gm))
})

test('both languages know the same modes of writing', () => {
  const cpp = section('native/core/base/outcome.h', '// Conditions and flags', '}  // namespace')
  const typescript = section('src/engine/engine.ts', '// Modes', '\0')
  expect(numbers(cpp, /k(\w+) = (\d+);/g)).toEqual(numbers(typescript, /export const (\w+) = (\d+)$/gm))
})

test('both languages find the words of a result at the same places', () => {
  const cpp = section('native/core/base/outcome.h', 'struct Outcome', '};')
  const fields = Array.from(cpp.matchAll(/^ {2}(\S+) (\w+);/gm), ([, type, name]) => ({ type, name }))
  const words = new Map<string, number>()
  let at = 0
  for (const { type, name } of fields) {
    words.set(name.replaceAll('_', '').toUpperCase(), type === 'double' ? at / 2 : at)
    at += type === 'double' ? 2 : 1
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
