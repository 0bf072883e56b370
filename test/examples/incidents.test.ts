import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { promisesOf } from './pages.js'

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const read = (relative: string): string => readFileSync(path(relative), 'utf8')
const incidents = readdirSync(path('examples/incidents'))
  .map((name) => name.replace('.ts', ''))
  .filter((name) => name !== 'index')

/** Runs the index, as `npm run example incidents` does. */
const run = (...names: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [path('out/programs/examples/incidents/index.js'), ...names], { encoding: 'utf8' })

test.each(incidents)('%s prints what it says', (name) => {
  const { status, stdout, stderr } = run(name)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const [title, ...lines] = stdout.trim().split('\n')
  expect(title).toBe(`# ${name}`)
  const promised = promisesOf(read(`examples/incidents/${name}.ts`))
  expect(promised.length).toBeGreaterThan(0)
  expect(lines.slice(-promised.length)).toEqual(promised)
})

test('a name that is none is refused with those that are', () => {
  const { status, stderr } = run('none')
  expect(status).toBe(1)
  for (const name of incidents) expect(stderr).toContain(name)
})

test('the page has every program, once in its table, and a section for each row', () => {
  const page = read('docs/guide/22-incidents.md')
  const rows = page.split('\n').filter((line) => line.startsWith('| ['))
  const named = rows.map((row) => /examples\/incidents\/([\w-]+)\.ts/.exec(row)?.[1])
  expect([...named].sort()).toEqual([...incidents].sort())
  const sections = Array.from(page.matchAll(/^## (.*)$/gm), ([, title]) => title)
  expect(rows.map((row) => /^\| \[([^\]]+)\]/.exec(row)?.[1])).toEqual(sections)
})
