import { createRequire } from 'node:module'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ESLint } from 'eslint'
import { Linter } from 'eslint'
import tseslint from 'typescript-eslint'
import { describe, expect, test } from 'vitest'
import plugin from '../../src/eslint/index.js'
import { programOf } from '../examples/pages.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const older = createRequire(import.meta.url)('eslint-9') as { ESLint: typeof ESLint; Linter: typeof Linter }

const names = Object.keys(plugin.rules)
const { recommended, strict } = plugin.configs
const isTypeScript: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }

test('strict has every rule, recommended those on mistakes, each as an error', () => {
  expect(Object.keys(strict.rules!)).toEqual(names.map((name) => `mapsafe/${name}`))
  expect(Object.keys(strict.rules!)).toEqual(expect.arrayContaining(Object.keys(recommended.rules!)))
  expect(Object.keys(strict.rules!).filter((name) => !(name in recommended.rules!))).toEqual([
    'mapsafe/no-self-load',
    'mapsafe/no-unbounded-iteration',
    'mapsafe/prefer-using',
  ])
  expect(new Set(Object.values({ ...recommended.rules, ...strict.rules }))).toEqual(new Set(['error']))
  expect(recommended.plugins).toEqual({ mapsafe: plugin })
})

test('the plugin has the version of the package', () => {
  expect(plugin.meta).toEqual({
    name: 'mapsafe',
    version: (JSON.parse(read('package.json')) as { version: string }).version,
  })
})

test.each(['modules', 'maps'])('settings.mapsafe.%s that are no array of strings are refused', (name) => {
  const linter = new Linter()
  const config = [recommended, { settings: { mapsafe: { [name]: 'sessions' } } }]
  expect(() => linter.verify('a.set(1, 2)', config)).toThrow(
    `settings.mapsafe.${name} of the ESLint configuration must be an array of strings.`,
  )
})

test('the configurations in the guide are those to write', async () => {
  const page = read('docs/guide/18-eslint.md')
  const blocks = Array.from(page.matchAll(/^```js\n([\s\S]*?^export default[\s\S]*?)^```$/gm), ([, code]) => code)
  const told: (string | null)[][] = []
  for (const block of blocks) {
    const code = block.replace(/^import .*$/m, '').replace('export default', 'export default (mapsafe) =>')
    const { default: make } = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as {
      default: (mapsafe: typeof plugin) => Linter.Config[]
    }
    const lines = ['sessions.set(1, sessions.get(1) * 2)', 'userCache.set(1, userCache.get(1) + 1)']
    for (const module of ['mapsafe', './shared/maps.js']) {
      lines.push(`import { ConcurrentMap as M } from '${module}'; const m = new M(); if (!m.has(1)) m.set(1, 2)`)
    }
    told.push(lines.flatMap((line) => new Linter().verify(line, make(plugin)).map(({ ruleId }) => ruleId)))
  }
  expect(told).toEqual([
    ['mapsafe/prefer-set-if-absent'],
    [
      'mapsafe/no-get-then-set',
      'mapsafe/prefer-increment',
      'mapsafe/prefer-set-if-absent',
      'mapsafe/prefer-set-if-absent',
    ],
  ])
})

describe('the repository is without alarm', () => {
  const settings = { mapsafe: { modules: ['/src\\/index\\.js$/', '/(^|\\/)concurrent-(map|cache)\\.js$/'] } }
  // `npm run lint` runs them in ESLint 10, with types.
  test('its sources, examples and tests, in ESLint 9 and without types', async () => {
    const eslint = new older.ESLint({
      cwd: root,
      overrideConfigFile: true,
      overrideConfig: [
        // What other rules are switched off for is nothing to tell here.
        {
          linterOptions: { reportUnusedDisableDirectives: 'off' },
          plugins: { '@typescript-eslint': tseslint.plugin },
        },
        // Cases of types do the wrong things on purpose, and are linted by nobody.
        { ignores: ['test/eslint/fixture/', 'test/types/cases/'] },
        isTypeScript,
        recommended,
        { settings },
      ],
    })
    const results = await eslint.lintFiles(
      ['src', 'test', 'examples', 'demo', 'bench'].map((folder) => `${folder}/**/*.ts`),
    )
    expect(results.length).toBeGreaterThan(500)
    expect(alarmsIn(results)).toEqual([])
  })

  test('the examples of README and guide', () => {
    const linter = new older.Linter()
    const guide = readdirSync(`${root}docs/guide`).filter((name) => name !== 'README.md')
    for (const page of ['README.md', ...guide.map((name) => `docs/guide/${name}`)]) {
      const messages = linter.verify(programOf(read(page)), [isTypeScript, recommended], { filename: 'page.ts' })
      expect({ page, messages: messages.map(({ ruleId, message, line }) => [ruleId, message, line]) }).toEqual({
        page,
        messages: [],
      })
    }
  })
})

function alarmsIn(results: readonly ESLint.LintResult[]): string[] {
  return results.flatMap(({ filePath, messages }) =>
    messages
      .filter(({ ruleId, fatal }) => fatal === true || ruleId?.startsWith('mapsafe/') === true)
      .map(({ line, ruleId, message }) => `${filePath.slice(root.length)}:${line} ${ruleId}: ${message}`),
  )
}

describe('each rule has a page', () => {
  /** Blocks of code of a page, by whether they are marked as wrong. */
  const blocksOf = (page: string): { isWrong: boolean; code: string }[] =>
    Array.from(page.matchAll(/^```js(?: wrong)?\n([\s\S]*?)^```$/gm), ([block, code]) => ({
      isWrong: block.startsWith('```js wrong'),
      code,
    }))

  test('and nothing else has', () => {
    expect(readdirSync(`${root}docs/eslint`)).toEqual(names.map((name) => `${name}.md`).sort())
  })

  test.each(names)('%s: its wrong examples are told, and the right ones are not', (name) => {
    const page = read(`docs/eslint/${name}.md`)
    const { description, url } = plugin.rules[name].meta!.docs as { description: string; url: string }
    expect(page.startsWith(`# ${name}\n\n${description}.\n`)).toBe(true)
    expect(page).toMatch(/^## Incident$/m)
    expect(url).toBe(`https://unpkg.com/mapsafe/docs/eslint/${name}.md`)
    const blocks = blocksOf(page)
    expect(new Set(blocks.map(({ isWrong }) => isWrong))).toEqual(new Set([true, false]))
    for (const { isWrong, code } of blocks) {
      const told = new Linter().verify(code, [strict]).map(({ ruleId, message }) => ruleId ?? message)
      expect({ code, told: [...new Set(told)] }).toEqual({ code, told: isWrong ? [`mapsafe/${name}`] : [] })
    }
  })

  test('and the guide lists it with what it says of itself', () => {
    const rows = Array.from(
      read('docs/guide/18-eslint.md').matchAll(/^\| \[`([\w-]+)`\]\(\.\.\/eslint\/([\w-]+)\.md\) \| (.*) \|$/gm),
    )
    const wanted = names.map((name) => [name, name, plugin.rules[name].meta!.docs!.description])
    expect(rows.map(([, name, page, description]) => [name, page, description])).toEqual(wanted)
  })
})
