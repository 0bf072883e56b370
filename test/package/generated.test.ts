import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

test.each(['decisions', 'drawings'])('what scripts/%s.js writes is current', (name) => {
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
