import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

test.each(readdirSync(path('examples')).map((file) => basename(file, '.ts')))('%s prints what it says', (name) => {
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

test('the README lists the errors as the sources do', () => {
  const rows = (file: string): string[] => readFileSync(path(file), 'utf8').match(/\| `ERR_MAPSAFE_\w+` \|.*\|/g) ?? []
  expect(rows('src/base/errors.ts').length).toBeGreaterThan(0)
  expect(rows('README.md')).toEqual(rows('src/base/errors.ts'))
})
