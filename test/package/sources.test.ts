import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

test('binding.gyp and CMakeLists.txt list every C++ source, and the same ones', () => {
  const onDisk = ['native/addon', 'native/core', 'native/platform'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.cc'))
      .map((name) => `${folder}/${name}`),
  )
  const gyp = JSON.parse(read('binding.gyp')) as { targets: [{ sources: string[] }] }
  const cmake = read('CMakeLists.txt').match(/native\/(addon|core|platform)\/[\w/]+\.cc/g)
  expect(gyp.targets[0].sources.sort()).toEqual(onDisk.sort())
  expect(cmake?.sort()).toEqual(onDisk)
})
