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
