import { readdirSync, readFileSync } from 'node:fs'
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

/** What does not keep the rules yet. A line goes when its reason is gone: the test demands that, too. */
const DEBTS: readonly string[] = [
  'src/base/describe.ts imports node:util',
  'src/codec/clone/dom-exception.ts imports node:v8',
  'src/codec/clone/freeze.ts imports node:util',
  'src/codec/clone/writer.ts imports node:v8',
  'src/codec/walk.ts imports node:util',
  'src/engine/open.ts imports node:worker_threads',
  'src/engine/typescript/format.ts imports node:crypto',
  'src/engine/typescript/index/value.ts imports node:buffer',
  'src/engine/typescript/threads/exit.ts imports node:worker_threads',
  'src/engine/typescript/threads/thread-record.ts imports node:worker_threads',
  'src/platform/addon.ts imports src/engine/engine.ts',
  'src/public/handle.ts imports node:path',
  'src/public/handle.ts imports node:util',
  'src/public/handle.ts imports src/engine/typescript/format.ts',
]

const sources = readSources()

test('every file keeps to the floor plan', () => {
  expect(sources.size).toBeGreaterThan(150)
  expect(violations(sources)).toEqual([...DEBTS].sort())
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
    ['a circle', 'src/format/layout.ts', "import { heapPages } from './geometry.js'"],
    ['a circle of types', 'src/format/layout.ts', "import type { Region } from './region.js'"],
    ['a header of Node.js', 'native/core/base/layout.h', '#include <node_api.h>'],
    ['a wrapper of it', 'native/core/engine.cc', '#include <napi.h>'],
    ['an include upwards', 'native/core/base/region.h', '#include "index/bucket.h"'],
    ['a circle of headers', 'native/core/base/layout.h', '#include "base/region.h"'],
    ['a look of the platform into the core', 'native/platform/mapped_file.cc', '#include "../core/engine.h"'],
  ])('%s', (_, path, line) => {
    expect(sources.has(path)).toBe(true)
    expect(violations(plant(path, line)).length).toBeGreaterThan(violations(sources).length)
  })
})
