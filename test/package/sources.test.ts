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

/** The sources of both languages that name a constant of the layout which one file of each is to know. */
function filesThatName(constants: RegExp): string[] {
  return ['src', 'native/core', 'native/platform', 'native/addon']
    .flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|h|cc)$/.test(name))
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
    )
    .filter((file) => constants.test(read(file)))
    .sort()
}

test('where a thread record lies, one file of each language knows', () => {
  expect(filesThatName(/\b(REGISTRY_BLOCK|THREAD_WORDS|kRegistryBlock|kThreadWords)\b/)).toEqual([
    'native/core/base/geometry.h', // where the registry ends
    'native/core/base/layout.h',
    'native/core/threads/thread_record.h',
    'src/format/geometry.ts',
    'src/format/layout.ts',
    'src/format/thread-record.ts',
  ])
})

test('the lock file names no registry: npm asks the one that is configured', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string }> }
  const named = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)
  expect(named, 'npm install --omit-lockfile-registry-resolved').toEqual([])
})

test('how an entry tells the lengths of its key and its value, one file of each language knows', () => {
  expect(filesThatName(/\b(KEY_LENGTH_BITS|ENTRY_VALUE_LENGTH|kKeyLengthBits|kEntryValueLength)\b/)).toEqual([
    'native/core/base/layout.h',
    'native/core/index/entry.h',
    'src/format/entry.ts',
    'src/format/layout.ts',
  ])
})

test('where an entry tells when it expires, those that read and write it know', () => {
  expect(filesThatName(/\b(EXPIRY_WORDS|kExpiryWords)\b/)).toEqual([
    'native/core/base/layout.h',
    'native/core/index/entry.h',
    'native/core/index/expiry.h',
    'src/engine/typescript/index/value.ts', // writes it
    'src/format/entry.ts',
    'src/format/expiry.ts',
    'src/format/layout.ts',
  ])
})

test('how a bigint is written, one file of each language knows', () => {
  expect(filesThatName(/magnitude/i)).toEqual([
    'native/addon/key_reader.cc',
    'src/codec/bigint/codec.ts', // its greatest length
    'src/codec/clone/reader.ts', // V8 puts the sign elsewhere
    'src/format/bigint.ts',
  ])
})

const outsideEngines = (file: string): boolean => !file.startsWith('src/engine/')

test('how an operation gets room for its bytes, and tries again, one file knows', () => {
  expect(filesThatName(/\bSCRATCH_TOO_SMALL\b/).filter(outsideEngines)).toEqual(['src/store/room.ts'])
})

test('when a write that lost races holds its key, and lets go of it, one file knows', () => {
  expect(filesThatName(/\.letGo\(\)/).filter(outsideEngines)).toEqual([
    'src/store/store.ts', // passes the call on
    'src/store/until-written.ts',
  ])
})

test('test/README.md says of every folder of test/ what it proves', () => {
  const firstCells = [...read('test/README.md').matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell).join()
  const folders = readdirSync(new URL('test', root), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).filter((name) => !firstCells.includes(`\`${name}\``))).toEqual([])
})
