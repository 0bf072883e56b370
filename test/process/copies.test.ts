import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, linkSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap, MapsafeError } from '../../src/index.js'
import { BLOCK_BYTES, HEADER_DIRECTORY, HEADER_FILE_BORN, HEADER_FILE_INODE } from '../../src/format/layout.js'
import { findPlace } from '../../src/public/handle.js'
import { fileFunctions } from '../../src/storage/mapping.js'
import { CONTAINER, mayContain } from '../support/container.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { faultOf } from '../support/telling-value.js'
import { processCode } from '../support/worker-code.js'
import type * as tasks from './copies.tasks.js'

const MIB = 2 ** 20
const COPIES = 15
const WRITERS = 3

const crew = new Crew<typeof tasks>(new URL('copies.tasks.ts', import.meta.url), WRITERS, 'processes')
const scratch = new Scratch()
afterAll(async () => {
  await crew.dismiss()
  scratch[Symbol.dispose]()
})

/** A closed file with some entries. */
function makeFile(): string {
  const file = scratch.file()
  using map = new ConcurrentMap<string, number>({ file, maxBytes: MIB })
  for (let i = 0; i < 500; i++) map.set(`key ${i}`, i)
  for (let i = 0; i < 500; i += 3) map.delete(`key ${i}`)
  return file
}

function copyOf(file: string): string {
  const copy = scratch.file()
  copyFileSync(file, copy)
  return copy
}

function refusalOf(file: string): MapsafeError {
  try {
    new ConcurrentMap({ file }).close()
  } catch (error) {
    expect(error).toBeInstanceOf(MapsafeError)
    return error as MapsafeError
  }
  return expect.fail('nothing was thrown')
}

/** How often a function of the addon is called while `action` runs. */
function countCalls(name: 'lockCopy', action: () => void): number {
  const functions = fileFunctions()
  const original = functions[name]
  let calls = 0
  functions[name] = (descriptor) => {
    calls++
    return original(descriptor)
  }
  try {
    action()
  } finally {
    functions[name] = original
  }
  return calls
}

/** Has a process begin to look at a copy and killed in the middle of it. */
async function dieLookingAt(
  copy: string,
  { when, isContained }: { when: string; isContained: boolean },
): Promise<void> {
  const { path, execArgv } = processCode(new URL('looker.program.ts', import.meta.url))
  const [program, ...args] = [...(isContained ? CONTAINER : []), process.execPath, ...execArgv, path, copy, when]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const over = once(child, 'close')
  child.stdout.once('data', () => child.kill('SIGKILL'))
  const [code, signal] = (await over) as [number | null, string | null]
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
}

describe.each(lineups)('a copy ($name)', (lineup) => {
  test('of a closed file is a map of its own', () => {
    const file = makeFile()
    for (const copy of [copyOf(file), copyOf(copyOf(file))]) {
      using original = new ConcurrentMap<string, number>({ file, engine: lineup.engineOf(0) })
      using map = new ConcurrentMap<string, number>({ file: copy, engine: lineup.engineOf(1) })
      expect([...map].toSorted()).toEqual([...original].toSorted())
      map.set('key 1', -1)
      expect(original.get('key 1')).toBe(1)
      expectSound(map)
    }
  })

  test('made while the file is open is refused, and stays as it is', () => {
    const file = makeFile()
    using map = new ConcurrentMap<string, number>({ file, engine: lineup.engineOf(0) })
    const copy = copyOf(file)
    const before = readFileSync(copy)
    const error = refusalOf(copy)
    expect(error.code).toBe('ERR_MAPSAFE_FORMAT')
    expect(error.message).toContain(copy)
    expect(error.message).toContain('snapshot()')
    expect(() => ConcurrentMap.attach({ kind: 'mapsafe.map', file: copy })).toThrow(error.message)
    expect(readFileSync(copy).equals(before)).toBe(true)
    expect(map.get('key 1')).toBe(1)
  })

  test('made under writers is refused, all of fifteen', async () => {
    using map = crew.open<number, unknown>(lineup, { maxBytes: 4 * MIB })
    const writing = crew.run({ lineup, handle: map.handle }, 'write', scaled(4000))
    for (let i = 0; i < COPIES; i++) {
      const copy = scratch.file()
      await copyFile(map.handle.file!, copy)
      expect(refusalOf(copy).code).toBe('ERR_MAPSAFE_FORMAT')
      rmSync(copy)
    }
    await writing
    expectSound(map)
  })

  test('made while others open and close the file is refused or sound, and its values are whole', async () => {
    const file = scratch.file()
    new ConcurrentMap({ file, maxBytes: 4 * MIB }).close()
    using other = crew.open<number, unknown>(lineup, { maxBytes: MIB })
    const engines = Array.from({ length: WRITERS }, (_, i) => lineup.engineOf(i))
    const work = { isOver: false }
    const working = crew
      .run({ lineup, handle: other.handle, workers: 1 }, 'openAndClose', file, engines, scaled(200))
      .finally(() => (work.isOver = true))
    const codes = new Map<string, number>()
    for (let i = 0; !work.isOver || i < COPIES; i++) {
      const copy = scratch.file()
      await copyFile(file, copy)
      let outcome = 'sound'
      try {
        using map = new ConcurrentMap<number, unknown>({ file: copy, engine: lineup.engineOf(1) })
        expectSound(map)
        for (const [key, value] of map) expect(faultOf(key, value)).toBeUndefined()
      } catch (error) {
        if (!(error instanceof MapsafeError)) throw error
        outcome = error.code
      }
      codes.set(outcome, (codes.get(outcome) ?? 0) + 1)
      rmSync(copy)
    }
    await working
    expect([...codes.keys()].filter((code) => code !== 'sound' && code !== 'ERR_MAPSAFE_FORMAT')).toEqual([])
  })

  test('is found to be one by several at once, of which one makes it a map', async () => {
    const file = makeFile()
    const copies = Array.from({ length: scaled(10) }, () => copyOf(file))
    using map = crew.open<string, number>(lineup, { maxBytes: MIB })
    const counts = await crew.run({ lineup, handle: map.handle }, 'openCopies', copies)
    for (const i of copies.keys()) {
      expect(counts.map((row) => row[i]).toSorted((a, b) => a - b)).toEqual([1, 2, 3])
    }
  })
})

describe('a copy', () => {
  test('is looked at once, and has its own identity then', () => {
    const copy = copyOf(makeFile())
    const lookups = countCalls('lockCopy', () => {
      for (let i = 0; i < 3; i++) new ConcurrentMap({ file: copy }).close()
    })
    expect(lookups).toBe(1)
    const { ino, birthtimeNs } = statSync(copy, { bigint: true })
    const header = readFileSync(copy)
    expect(header.readBigUInt64LE(HEADER_FILE_INODE * 4)).toBe(ino)
    expect(header.readBigUInt64LE(HEADER_FILE_BORN * 4)).toBe(birthtimeNs)
  })

  test('with a fault in it is refused, each time', () => {
    const copy = copyOf(makeFile())
    const bytes = readFileSync(copy)
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    // The directory's depth, which says how many segments there are.
    words[(words[HEADER_DIRECTORY] * BLOCK_BYTES) / 4] = 7
    writeFileSync(copy, bytes)
    for (let i = 0; i < 2; i++) {
      const error = refusalOf(copy)
      expect(error.code).toBe('ERR_MAPSAFE_FORMAT')
      expect(error.message).toContain('not a sound one')
    }
  })

  const separately = [false, ...(mayContain ? [true] : [])]
  const deaths = separately.flatMap((isContained) => [
    { name: 'at once', when: 'attached', isContained },
    { name: 'with a bucket held', when: 'holding', isContained },
  ])
  test.each(deaths)(
    'whose first user died looking at it, $name, is looked at by the next (in a container: $isContained)',
    async (death) => {
      const copy = copyOf(makeFile())
      await dieLookingAt(copy, death)
      using map = new ConcurrentMap<string, number>({ file: copy })
      expect(map.get('key 1')).toBe(1)
      map.set('key 1', 2)
      expect(map.stats().threads).toHaveLength(1)
      expectSound(map)
    },
  )

  test('written over a file that is open is refused', (context) => {
    const file = makeFile()
    using map = new ConcurrentMap<string, number>({ file })
    if (
      !fileFunctions()
        .openRecordLocks(findPlace(map.handle).region as ArrayBuffer)
        ?.areSupported()
    ) {
      return context.skip('this system has no locks by which one sees who has a file open')
    }
    // Not cut off first, or this process would lose the memory that it maps.
    writeFileSync(file, readFileSync(makeFile()), { flag: 'r+' })
    const error = refusalOf(file)
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain('written over')
  })

  test('has no holes, even if it was made with some', () => {
    const copy = scratch.file()
    execFileSync('cp', ['--sparse=always', makeFile(), copy])
    expect(statSync(copy).blocks * 512).toBeLessThan(MIB)
    new ConcurrentMap({ file: copy }).close()
    expect(statSync(copy).blocks * 512).toBeGreaterThanOrEqual(MIB)
  })

  test('takes the place of the deleted original', () => {
    const file = makeFile()
    const copy = copyOf(file)
    rmSync(file)
    copyFileSync(copy, file)
    using map = new ConcurrentMap<string, number>({ file })
    expect(map.get('key 1')).toBe(1)
  })

  test('of a file whose process was killed is refused until the original was opened and closed', () => {
    const file = makeFile()
    const program = new URL('program.ts', import.meta.url).pathname
    try {
      execFileSync(process.execPath, ['--import', 'tsx', program, file, 'native', 'kill'], { stdio: 'ignore' })
    } catch {
      // Killed, as planned.
    }
    expect(refusalOf(copyOf(file)).message).toContain('threads (1) had the original open')
    new ConcurrentMap({ file }).close()
    using map = new ConcurrentMap<string, number>({ file: copyOf(file) })
    expect(map.get('runs')).toBe(1)
  })
})

test('a file under another name, by a link or after a move, is no copy', () => {
  const file = makeFile()
  using map = new ConcurrentMap<string, number>({ file })
  const [hard, soft, moved] = [scratch.file(), scratch.file(), scratch.file()]
  linkSync(file, hard)
  symlinkSync(hard, soft)
  renameSync(file, moved)
  for (const name of [hard, soft, moved]) {
    using same = new ConcurrentMap<string, number>({ file: name })
    same.increment('names')
  }
  expect(map.get('names')).toBe(3)
})
