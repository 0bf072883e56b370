import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'
import { describe, expect, test } from 'vitest'
import { violations, type Sources } from './layers.js'

const root = new URL('../../', import.meta.url)

function readSources(): Map<string, string> {
  const sources = new Map<string, string>()
  for (const folder of ['src', 'native/core', 'native/platform']) {
    for (const name of readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|h|cc)$/.test(name)) continue
      const path = `${folder}/${name.replaceAll('\\', '/')}`
      sources.set(path, readFileSync(new URL(path, root), 'utf8'))
    }
  }
  return sources
}

const sources = readSources()

test('every file keeps to the floor plan', () => {
  expect(sources.size).toBeGreaterThan(150)
  expect(violations(sources)).toEqual([])
})

describe('a planted violation is found', () => {
  const plant = (path: string, line: string): Sources =>
    new Map(sources).set(path, `${sources.get(path) ?? ''}\n${line}\n`)
  test.each([
    ['an import upwards', 'src/format/layout.ts', "import { Store } from '../store/store.js'"],
    ['an import of a type upwards', 'src/base/errors.ts', "import type { Key } from '../format/key.js'"],
    ['a look into an engine', 'src/store/scan.ts', "import { Core } from '../engine/typescript/core.js'"],
    ['an export from above', 'src/codec/value.ts', "export { ConcurrentMap } from '../public/concurrent-map.js'"],
    ['a dynamic import upwards', 'src/format/layout.ts', "export const later = import('../store/store.js')"],
    ['an import over several lines', 'src/format/layout.ts', "import {\n  Store,\n} from '../store/store.js'"],
    ['a module of Node.js', 'src/format/layout.ts', "import { readFileSync } from 'node:fs'"],
    ['one by its old name', 'src/format/layout.ts', "import { readFileSync } from 'fs'"],
    ['a global of Node.js', 'src/format/layout.ts', 'export const id = process.pid'],
    ['one in a template', 'src/format/layout.ts', 'export const id = `process ${process.pid}`'],
    ['a type of Node.js', 'src/format/layout.ts', 'export function f(bytes: Buffer): void {}'],
    ['a circle', 'src/format/layout.ts', "import { heapPages } from './geometry.js'"],
    ['a circle of types', 'src/format/layout.ts', "import type { Region } from './region.js'"],
    ['a header of Node.js', 'native/core/base/layout.h', '#include <node_api.h>'],
    ['a wrapper of it', 'native/core/engine.cc', '#include <napi.h>'],
    ['an include upwards', 'native/core/base/region.h', '#include "index/bucket.h"'],
    ['a circle of headers', 'native/core/base/layout.h', '#include "base/region.h"'],
    ['a header of the system', 'native/core/index/lookup.cc', '#include <sys/mman.h>'],
    ['a look into the platform', 'native/core/write/write.cc', '#include "../platform/record_locks.h"'],
    ['a look of the platform into the core', 'native/platform/futex.cc', '#include "../core/engine.h"'],
  ])('%s', (_, path, line) => {
    expect(sources.has(path)).toBe(true)
    expect(violations(plant(path, line)).length).toBeGreaterThan(violations(sources).length)
  })
})

test.each([
  ["import { Store } from '../store/store.js'", 'no-restricted-imports'],
  ["import type { Store } from '../store/store.js'", 'no-restricted-imports'],
  ["export { readFileSync } from 'node:fs'", 'no-restricted-imports'],
  ['export const id = process.pid', 'no-restricted-globals'],
])('the linter shows %j', async (line, rule) => {
  const linter = new ESLint({
    cwd: fileURLToPath(root),
    ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted'),
  })
  const [{ messages }] = await linter.lintText(`${line}\n`, { filePath: 'src/format/layout.ts' })
  expect(messages.map(({ ruleId }) => ruleId)).toEqual([rule])
})
