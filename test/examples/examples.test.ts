import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

/** A file, or the index of a folder; the incidents and recipes have tests of their own. */
const programs = readdirSync(path('examples'), { withFileTypes: true })
  .filter(({ name }) => name !== 'incidents' && name !== 'recipes')
  .map((entry) => (entry.isDirectory() ? `${entry.name}/index` : basename(entry.name, '.ts')))

test.each(programs)('%s prints what it says', (name) => {
  // scripts/test.js has compiled it.
  const { status, stdout, stderr } = spawnSync(process.execPath, [path(`out/programs/examples/${name}.js`)], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const promised = /console\.log\(.*\) \/\/ (.*)/.exec(readFileSync(path(`examples/${name}.ts`), 'utf8'))?.[1]
  expect(stdout.trim()).toBe(promised)
})

test('the example in the README is the program', () => {
  expect(readFileSync(path('README.md'), 'utf8')).toContain(readFileSync(path('examples/workers.ts'), 'utf8'))
})

test('the guide lists the errors as the sources do, and says what to do about each', () => {
  const rows = (file: string): string[] => readFileSync(path(file), 'utf8').match(/\| `ERR_MAPSAFE_\w+` \|.*\|/g) ?? []
  const sources = rows('src/base/errors.ts')
  const guide = rows('docs/guide/13-errors.md')
  expect(sources.length).toBeGreaterThan(0)
  expect(guide.map((row, i) => row.startsWith(`${sources[i]} `))).toEqual(sources.map(() => true))
  expect(guide.filter((row) => !/\| [^|]{20,} \|$/.test(row))).toEqual([])
})

test('the README names the command of the tests that CI runs', () => {
  expect(readFileSync(path('README.md'), 'utf8')).toContain('npm ci && npm test ')
  expect(readFileSync(path('.ci/run'), 'utf8')).toMatch(/^npm ci .*\n(?:.*\n)*npm test /m)
})
