import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { promisesOf } from './pages.js'

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const read = (relative: string): string => readFileSync(path(relative), 'utf8')
const recipes = readdirSync(path('examples/recipes'))
  .map((name) => name.replace('.ts', ''))
  .filter((name) => name !== 'index')

/** Runs the index, as `npm run example recipes` does. */
const run = (...names: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [path('out/programs/examples/recipes/index.js'), ...names], { encoding: 'utf8' })

/** What a recipe prints: the comments behind its calls of `console.log`, or those below the loop in which it prints. */
function promises(source: string): string[] {
  const below = /^ {2}\}\n((?: {2}\/\/ .*\n)+)/m.exec(source)?.[1]
  if (below !== undefined)
    return below
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^ *\/\/ /, ''))
  return promisesOf(source)
}

test.each(recipes)('%s prints what it says: the wrong way first, then ours', (name) => {
  const { status, stdout, stderr } = run(name)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const promised = promises(read(`examples/recipes/${name}.ts`))
  expect(promised).toHaveLength(2)
  expect(stdout.trim().split('\n')).toEqual([`# ${name}`, ...promised])
})

test('each has fewer than 120 lines', () => {
  for (const name of recipes) expect(read(`examples/recipes/${name}.ts`).split('\n').length).toBeLessThan(120)
})

test('a name that is none is refused with those that are', () => {
  const { status, stderr } = run('none')
  expect(status).toBe(1)
  for (const name of recipes) expect(stderr).toContain(name)
})

test('the page has every recipe, with what it prints', () => {
  const page = read('docs/guide/31-recipes.md')
  const sections = Array.from(page.matchAll(/^## (.*)$/gm), ([, title]) => title)
  const named = Array.from(page.matchAll(/examples\/recipes\/([\w-]+)\.ts/g), ([, name]) => name)
  expect([...named].sort()).toEqual([...recipes].sort())
  expect(sections).toHaveLength(recipes.length)
  for (const name of recipes) {
    for (const promise of promises(read(`examples/recipes/${name}.ts`))) expect(page).toContain(promise)
  }
})
