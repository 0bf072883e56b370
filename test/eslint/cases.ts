import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { RuleTester, type Linter } from 'eslint'
import tseslint from 'typescript-eslint'
import { describe, expect, test } from 'vitest'
import plugin from '../../src/eslint/index.js'

/** Code without alarm: text, or text with what its configuration is to have. */
type Valid = string | { readonly code: string; readonly settings?: object; readonly options?: unknown[] }

/** What is told of code: the message's name, and what each suggestion, by its message's name, would make of the code. */
type Alarm = string | readonly [message: string, suggestions: Readonly<Record<string, string>>]

interface Invalid {
  readonly code: string
  readonly errors: readonly Alarm[]
  /** What the fix makes of it. */
  readonly output?: string
  readonly settings?: object
  readonly options?: unknown[]
}

interface Cases {
  readonly valid: readonly Valid[]
  readonly invalid: readonly Invalid[]
  /** TypeScript, parsed without types. */
  readonly typescript?: { readonly valid: readonly Valid[]; readonly invalid: readonly Invalid[] }
  /** TypeScript with types. */
  readonly typed?: { readonly valid: readonly Valid[]; readonly invalid: readonly Invalid[] }
}

const LEAST = 20

/** What a case begins with that imports nothing itself. */
const HEAD =
  "import { ConcurrentMap, ConcurrentCache } from 'mapsafe'; const map = new ConcurrentMap(); const cache = new ConcurrentCache();\n"

const withHead = (code: string): string =>
  /^import |import\('mapsafe'\)|require\('mapsafe'\)|no head/.test(code) ? code : HEAD + code

const testers = {
  10: RuleTester,
  // No types of it are needed, and none are there where it is not installed yet.
  9: (createRequire(import.meta.url)('eslint-9') as { RuleTester: typeof RuleTester }).RuleTester,
}

const espree = { ecmaVersion: 'latest', sourceType: 'module' } as const
const typescript = { ...espree, parser: tseslint.parser }
const fixture = fileURLToPath(new URL('fixture/', import.meta.url))
const typed = { ...typescript, parserOptions: { projectService: true, tsconfigRootDir: fixture } }

/** Tests a rule in both versions of ESLint: JavaScript by ESLint's parser and by that of typescript-eslint, then TypeScript. */
export function testRule(name: string, cases: Cases): void {
  const rule = plugin.rules[name]
  const all = [cases, cases.typescript, cases.typed]
  test(`${name} has at least ${LEAST} valid and ${LEAST} invalid cases`, () => {
    for (const kind of ['valid', 'invalid'] as const) {
      const count = all.reduce((sum, each) => sum + (each?.[kind].length ?? 0), 0)
      expect(count, kind).toBeGreaterThanOrEqual(LEAST)
    }
  })
  for (const [version, Tester] of Object.entries(testers)) {
    Tester.describe = describe
    Tester.it = test
    Tester.itOnly = test.only
    const run = (
      parser: string,
      languageOptions: Linter.LanguageOptions,
      { valid, invalid }: Cases,
      filename?: string,
    ): void => {
      const at = filename === undefined ? {} : { filename }
      describe(`ESLint ${version}, ${parser}`, () => {
        new Tester({ languageOptions }).run(name, rule, {
          valid: valid.map((each) => {
            const given = typeof each === 'string' ? { code: each } : each
            return { ...given, ...at, name: given.code, code: withHead(given.code) } as RuleTester.ValidTestCase
          }),
          invalid: invalid.map(
            ({ code, errors, output, ...rest }) =>
              ({
                ...rest,
                ...at,
                name: code,
                code: withHead(code),
                output: output === undefined ? null : withHead(output),
                errors: errors.map((alarm) => {
                  const [messageId, wanted] = typeof alarm === 'string' ? [alarm, {}] : alarm
                  const suggestions = Object.entries(wanted).map(([id, text]) => ({
                    messageId: id,
                    output: withHead(text),
                  }))
                  return { messageId, suggestions }
                }),
              }) as unknown as RuleTester.InvalidTestCase,
          ),
        })
      })
    }
    run('espree', espree, cases)
    run('typescript-eslint', typescript, cases)
    if (cases.typescript !== undefined) run('TypeScript', typescript, cases.typescript)
    if (cases.typed !== undefined) run('TypeScript with types', typed, cases.typed, `${fixture}case.ts`)
  }
}
