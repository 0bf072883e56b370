import { spawn } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HEADER_BELL, PAGE_BYTES } from '../../src/format/layout.js'
import { WAIT_WORDS, waitWordAt } from '../../src/format/wait-words.js'
import { ConcurrentCache } from '../../src/index.js'
import { nearAndFarLineups, lineups, scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { processCode } from '../support/worker-code.js'
import { Sleeper } from './sleeper.js'

const KINDS = [
  { kind: 'threads', inFile: false, apart: 'thread', lineups: nearAndFarLineups },
  { kind: 'threads on a file', inFile: true, apart: 'thread', lineups },
  { kind: 'processes', inFile: true, apart: 'process', lineups },
] as const

const MEMBERS = 3
const ROUNDS = 1500

describe.each(KINDS)('what wakes $kind', ({ inFile, apart, lineups }) => {
  describe.each(lineups)('$name', (lineup) => {
    const scratch = new Scratch()
    let cache: ConcurrentCache<string, string>
    const members: Sleeper[] = []
    const others = (): Sleeper[] => members.slice(1)

    async function start(i: number): Promise<void> {
      const nearCache = lineup.attach.nearCache !== false
      members[i] = new Sleeper({ handle: cache.handle, engine: lineup.engineOf(i), nearCache }, apart)
      await members[i].hear('ready')
    }

    beforeAll(async () => {
      const file = inFile ? scratch.file() : undefined
      cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20, file })
      await Promise.all(Array.from({ length: MEMBERS }, (_, i) => start(i)))
    })

    afterAll(async () => {
      await Promise.all(members.map((member) => member.kill()))
      cache.repair()
      expectSound(cache)
      cache.close()
      scratch[Symbol.dispose]()
    })

    /** Has the first member load, and all others wait. */
    async function begin(...keys: string[]): Promise<void> {
      members[0].order({ does: 'load', keys })
      await members[0].hear('begun')
      for (const member of others()) member.order({ does: 'wait', keys })
      await Promise.all(others().map((member) => member.hear('begun')))
    }

    async function expectOutcomes(...outcomes: string[]): Promise<void> {
      const heard = await Promise.all(others().map((member) => member.hear('outcome', outcomes.length)))
      const all = heard.map((reports) => reports.map(({ key, outcome }) => `${key}: ${outcome}`).sort())
      expect(all).toEqual(others().map(() => outcomes.toSorted()))
    }

    test('no wake-up is lost, however the end of a load and the beginning of a wait meet', async () => {
      for (const [i, member] of members.entries()) {
        member.order({ does: 'race', seed: seed + i, rounds: scaled(ROUNDS), name: 'race' })
      }
      const faults = await Promise.all(members.map((member) => member.hear('raced')))
      expect(
        faults.flat().flatMap((one) => one.faults),
        `MAPSAFE_SEED=${seed}`,
      ).toEqual([])
    })

    test('a value', async () => {
      await begin('value')
      members[0].order({ does: 'end', keys: ['value'] })
      await expectOutcomes('value: loaded')
      await members[0].hear('outcome')
    })

    test('a failure', async () => {
      await begin('failure')
      members[0].order({ does: 'end', keys: ['failure'], error: 'as planned' })
      await expectOutcomes('failure: error: as planned')
      await members[0].hear('outcome')
    })

    test.each(['delete', 'clear'] as const)('a value that a %s overtook', async (does) => {
      await begin(does)
      if (does === 'delete') cache.delete(does)
      else cache.clear()
      // Who waited before is woken by this, and waits on.
      for (const member of others()) member.order({ does: 'wait', keys: [`not ${does}`] })
      await Promise.all(others().map((member) => member.hear('outcome')))
      for (const member of others()) await member.hear('begun')
      members[0].order({ does: 'end', keys: [does] })
      await expectOutcomes(`${does}: loaded`)
      await members[0].hear('outcome')
      expect(cache.has(does)).toBe(false)
    })

    test('a value that another thread sets meanwhile', async () => {
      await begin('set')
      cache.set('set', 'set')
      await expectOutcomes('set: set')
      members[0].order({ does: 'end', keys: ['set'] })
      await members[0].hear('outcome')
    })

    test('many loads, some of them at one wait word, whichever ends first', async () => {
      const keys = Array.from({ length: WAIT_WORDS / 4 }, (_, i) => `key ${i}`)
      await begin(...keys)
      for (const key of keys.toReversed()) members[0].order({ does: 'end', keys: [key] })
      await expectOutcomes(...keys.map((key) => `${key}: loaded`))
      await members[0].hear('outcome', keys.length)
    })

    test('the others, when one of them ends while it waits', async () => {
      await begin('one ends')
      await members[1].kill()
      members[0].order({ does: 'end', keys: ['one ends'] })
      expect(await members[2].hear('outcome')).toMatchObject([{ outcome: 'loaded' }])
      await members[0].hear('outcome')
      await start(1)
    })

    test.runIf(apart === 'thread')('the end of the thread that loads', async () => {
      await begin('thread')
      await members[0].kill()
      await expectOutcomes('thread: taken over')
      await start(0)
    })

    test('the end of the cache in the thread that loads', async () => {
      await begin('closed')
      members[0].order({ does: 'close' })
      await expectOutcomes('closed: taken over')
    })
  })
})

describe.each(lineups)('a wait ($name)', (lineup) => {
  describe.each([
    { place: 'in memory', inFile: false },
    { place: 'in a file', inFile: true },
  ])('$place', ({ inFile }) => {
    let scratch: Scratch
    let cache: ConcurrentCache<string, string>
    let other: ConcurrentCache<string, string>

    beforeEach(() => {
      scratch = new Scratch()
      const file = scratch.file()
      cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 2 ** 20, ...(inFile && { file }) })
      other = ConcurrentCache.attach<string, string>(cache.handle, { engine: lineup.engineOf(1) })
    })
    afterEach(() => {
      other.close()
      cache.close()
      scratch[Symbol.dispose]()
    })

    /** The wait words, and the bell. */
    const waits = (): number[] => {
      const { region, file } = cache.handle
      const words = region === undefined ? readHeader(file!) : new Int32Array(region)
      return [...Array.from({ length: WAIT_WORDS }, (_, i) => words[waitWordAt(i)]), words[HEADER_BELL]]
    }
    /** How many waits there are in memory that nothing has ended yet. */
    const pending = (): number => {
      const { region } = cache.handle
      if (region === undefined) return 0
      const words = new Int32Array(region)
      let sum = 0
      for (let i = 0; i < WAIT_WORDS; i++) sum += Atomics.notify(words, waitWordAt(i))
      return sum
    }

    test('is announced only by a call that waits for another thread, so that others write as before', async () => {
      const before = waits()
      await Promise.all([cache.getOrLoad('a', () => sleep(5, 'a')), cache.getOrLoad('a', () => 'no')])
      await cache.getOrLoad('b', () => Promise.reject(new Error('b'))).catch(() => undefined)
      cache.set('c', 'c')
      cache.delete('a')
      cache.clear()
      expect(waits()).toEqual(before)
      const load = cache.getOrLoad('a', () => sleep(5, 'a'))
      expect(await other.getOrLoad('a', () => 'no')).toBe('a')
      expect(waits().filter((word, i) => word !== before[i])).toHaveLength(inFile ? 2 : 1)
      expect(
        waits()
          .slice(0, WAIT_WORDS)
          .every((word) => word % 2 === 0),
      ).toBe(true)
      await load
    })

    test('leaves no sleep behind', async () => {
      let end: (value: string) => void = () => undefined
      const load = cache.getOrLoad('key', () => new Promise<string>((resolve) => (end = resolve)))
      const controller = new AbortController()
      const aborted = other.getOrLoad('key', () => 'no', { signal: controller.signal })
      const late = other.getOrLoad('key', () => 'no', { timeout: 5 })
      const third = ConcurrentCache.attach<string, string>(cache.handle, { engine: lineup.engineOf(1) })
      const closed = third.getOrLoad('key', () => 'no')
      controller.abort(new Error('left'))
      await expect(aborted).rejects.toThrow('left')
      await expect(late).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
      third.close()
      await expect(closed).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
      expect(pending()).toBe(0)
      const waiting = other.getOrLoad('key', () => 'no')
      end('loaded')
      expect(await load).toBe('loaded')
      expect(await waiting).toBe('loaded')
      expect(pending()).toBe(0)
    })
  })
})

const { path, execArgv } = processCode(new URL('lonely.program.ts', import.meta.url))

describe.each(lineups)('a process that waits ($name)', (lineup) => {
  let scratch: Scratch
  let cache: ConcurrentCache<string, string>
  let end: (value: string) => void
  let load: Promise<string>
  beforeEach(() => {
    scratch = new Scratch()
    cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 2 ** 20, file: scratch.file() })
    load = cache.getOrLoad('key', () => new Promise<string>((resolve) => (end = resolve)))
  })
  afterEach(async () => {
    end('loaded')
    await load
    cache.close()
    scratch[Symbol.dispose]()
  })

  /** @returns what the program printed, and its exit code */
  async function run(ending: string): Promise<{ text: string; code: unknown }> {
    const file = cache.handle.file!
    const child = spawn(process.execPath, [...execArgv, path, file, lineup.engineOf(1), ending], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.endsWith('waits\n') && ending === 'value') end('loaded')
    })
    const [code] = (await once(child, 'close')) as [unknown]
    return { text, code }
  }

  test('gets its value, and then ends by itself, with its cache open', async () => {
    expect(await run('value')).toEqual({ text: 'waits\nloaded\nleft: \n', code: 0 })
  })

  test('ends when it says so', async () => {
    expect(await run('exit')).toEqual({ text: 'waits\n', code: 0 })
  })

  test('ends by itself once no call waits any more', async () => {
    expect(await run('abort')).toEqual({ text: 'waits\naborted\nleft: \n', code: 0 })
  })

  test('has workers that end while they wait', async () => {
    expect(await run('worker')).toEqual({ text: 'waits\nterminated\n', code: 0 })
  })
})

/** Header and thread records of a file, as they are now. */
function readHeader(file: string): Int32Array {
  const bytes = 64 * PAGE_BYTES
  const header = new Int32Array(bytes / 4)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, header, 0, bytes, 0)
  closeSync(descriptor)
  return header
}
