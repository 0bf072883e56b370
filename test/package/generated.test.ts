import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

test.each(['decisions', 'drawings', 'contract', 'metrics'])('what scripts/%s.js writes is current', (name) => {
  const { status, stderr } = spawnSync(process.execPath, [`scripts/${name}.js`, '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('the API reference has every entry point of the package', () => {
  const { entryPoints } = JSON.parse(read('typedoc.json')) as { entryPoints: string[] }
  const built = /entry: (\[[^\]]*\]|\{[^}]*\})/.exec(read('tsdown.config.ts'))?.[1]
  expect(entryPoints.sort()).toEqual(built?.match(/src\/[\w/-]+\.ts/g)?.sort())
})

test('the guide lists each of its pages, in order', () => {
  const pages = readdirSync(`${root}docs/guide`).filter((name) => name !== 'README.md')
  expect(
    Array.from(read('docs/guide/README.md').matchAll(/^\d+\. .*?\((\d\d-[\w-]+\.md)\)/gm), ([, page]) => page),
  ).toEqual(pages.sort())
})
