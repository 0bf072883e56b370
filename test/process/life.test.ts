import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { REGISTRY_THREADS } from '../../src/format/layout.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { processCode, workerCode } from '../support/worker-code.js'
import type * as tasks from './life.tasks.js'

const crew = new Crew<typeof tasks>(new URL('life.tasks.ts', import.meta.url), 2, 'processes')
const scratch = new Scratch()
afterAll(async () => {
  await crew.dismiss()
  scratch[Symbol.dispose]()
})

describe.each(lineups)('after all processes have ended ($name)', (lineup) => {
  test.each([
    ['close', 0],
    ['return', 0],
    ['exit', 0],
    ['throw', 1],
    ['kill', null],
  ] as const)('by %s, all is there', (ending, status) => {
    const file = scratch.file()
    for (const worker of [0, 1]) expect(runProgram(file, lineup.engineOf(worker), ending)).toBe(status)
    using map = new ConcurrentMap<string, unknown>({ file, engine: lineup.engineOf(0) })
    expect(map.get('runs')).toBe(2)
    expect(map.get('object')).toEqual({ from: ending, list: [1, 2, 3] })
    expect(map.size).toBe(1002)
    expect(map.stats().threads, 'those of ended processes are free again').toHaveLength(1)
    expectSound(map)
  })
})

/** Runs program.ts; returns its exit code. */
function runProgram(file: string, engine: string, ending: string): number | null {
  const { path, execArgv } = processCode(new URL('program.ts', import.meta.url))
  return spawnSync(process.execPath, [...execArgv, path, file, engine, ending]).status
}

describe.each(lineups)('a near hit is current ($name)', (lineup) => {
  test('after another process wrote or deleted the key', async () => {
    using map = crew.open<string, unknown>(lineup)
    const run = { lineup, handle: map.handle }
    for (let i = 0; i < 20; i++) {
      await crew.run(run, 'write', 'key', { i })
      const value = map.get('key')
      expect(value).toEqual({ i })
      expect(map.get('key'), 'a hit').toBe(value)
      if (i % 5 !== 0) continue
      await crew.run(run, 'remove', 'key')
      expect(map.has('key')).toBe(false)
      expect(map.get('key')).toBeUndefined()
    }
    expectSound(map)
  })
})

test('when every thread record is taken, by whichever process, one more is refused', async () => {
  const [lineup] = lineups
  using map = crew.open<string, unknown>(lineup)
  const others = Array.from({ length: 100 }, () => ConcurrentMap.attach<string, unknown>(map.handle))
  const run = { lineup, handle: map.handle, workers: 1 }
  // This map, the hundred, and the one that the task was given.
  const [{ opened, code }] = await crew.run(run, 'takeAllRecords')
  expect({ opened, code }).toEqual({ opened: REGISTRY_THREADS - 102, code: 'ERR_MAPSAFE_THREADS' })
  expect(map.stats().threads).toHaveLength(101)
  for (const other of others) other.close()
  expect((await crew.run(run, 'takeAllRecords'))[0].opened).toBe(REGISTRY_THREADS - 2)
})

const lists = process.platform === 'linux' ? describe : describe.skip

lists('opening and closing leaves nothing (as /proc tells)', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  const mapped = (): string[][] =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .map((line) => line.split(/ +/))
  /** Told by the inode, since a file that was made without a name is not listed under the one that it got. */
  const mappings = (file: string): number => {
    const { ino } = statSync(file)
    return mapped().filter(([, , , , inode]) => Number(inode) === ino).length
  }
  const mappingsIn = (folder: string): number =>
    mapped().filter(([, , , , , path = '']) => path.includes(folder)).length
  const descriptors = (): number => readdirSync('/proc/self/fd').length

  /** Collects until no mapping is left, or patience is. Node.js unmaps a turn after the collection. */
  async function expectUnmapped(count: () => number): Promise<void> {
    for (let i = 0; i < 50 && count() > 0; i++) {
      collect()
      await nextTurn()
    }
    expect(count()).toBe(0)
  }

  test.each(lineups)('one map, again and again ($name)', async (lineup) => {
    const file = scratch.file()
    const before = descriptors()
    new ConcurrentMap({ file }).close()
    for (let i = 0; i < scaled(1000); i++) {
      using map = new ConcurrentMap<string, number>({ file, engine: lineup.engineOf(i) })
      map.increment('openings')
      if (i % 100 === 99) expect(mappings(file)).toBe(1)
    }
    expect(descriptors()).toBeLessThanOrEqual(before) // one of the runner may have been closed
    await expectUnmapped(() => mappings(file))
    using map = new ConcurrentMap<string, number>({ file })
    expect(map.get('openings')).toBe(scaled(1000))
    expect(map.stats().threads).toHaveLength(1)
    expectSound(map)
  })

  test('many maps, one after the other', async () => {
    const before = descriptors()
    using folder = new Scratch()
    for (let i = 0; i < scaled(200); i++) {
      const file = folder.file()
      using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20 })
      map.set('key', i)
      rmSync(file)
      if (i % 50 === 49) await nextTurn()
    }
    expect(descriptors()).toBeLessThanOrEqual(before) // one of the runner may have been closed
    await expectUnmapped(() => mappingsIn(folder.path))
  })

  test('a map stays mapped while it is open, closed only by some', async () => {
    const file = scratch.file()
    using map = new ConcurrentMap<string, number>({ file })
    map.set('key', 1)
    new ConcurrentMap({ file }).close()
    for (let i = 0; i < 5; i++) {
      collect()
      await nextTurn()
    }
    expect(mappings(file)).toBe(1)
    expect(map.get('key')).toBe(1)
  })

  test.each(['native', 'typescript'] as const)('a worker that ends without closing (%s)', async (engine) => {
    using map = new ConcurrentMap<string, number>({ file: scratch.file() })
    for (let i = 1; i <= 5; i++) {
      const worker = new Worker(new URL('../support/typescript-worker.js', import.meta.url), {
        workerData: { entry: workerCode(new URL('life.worker.ts', import.meta.url)).href, handle: map.handle, engine },
      })
      await once(worker, 'exit')
      expect(map.get('workers')).toBe(i)
      expect(mappings(map.handle.file!)).toBe(1)
      expect(map.stats().threads).toHaveLength(1)
    }
  })
})
