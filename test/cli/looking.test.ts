import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { Random } from '../support/random.js'
import { scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { end, json, mapsafe, PROGRAM, start } from './program.js'

const scratch = new Scratch()
afterAll(() => scratch[Symbol.dispose]())
const file = scratch.file('looked-at.map')

beforeAll(() => {
  using cache = new ConcurrentCache<Key, unknown>({ file, maxBytes: 2 ** 21, ttl: 3_600_000 })
  cache.set('user:1', { name: 'Ada', born: new Date(0), ids: new Set([1n]) }, { tags: ['people'] })
  cache.set('user:2', 'x'.repeat(5000))
  cache.set(7, NaN)
  cache.set(7n, undefined)
  cache.set(true, null)
  cache.set(new Uint8Array([1, 255]), new Uint8Array([9]))
  cache.set('\u001b[2Jscreen\u202e', 1)
  cache.increment('hits', 3)
  cache.set('short', 1, { expiresAt: 1000 })
})

describe('what is looked at', () => {
  test('inspect tells settings and figures', () => {
    const { status, found } = json(['inspect', file])
    expect(status).toBe(0)
    expect(found).toMatchObject({
      settings: { kind: 'cache', maxBytes: 2 ** 21, ttl: 3_600_000, formatVersion: 2 },
      isLive: true,
      isCopy: false,
      entries: 9,
      threads: [],
    })
    expect(mapsafe(['inspect', file]).stdout).toContain('lifetime    3600000 ms')
  })

  test('keys are told as they would stand in a program, and move no cursor', () => {
    const { status, stdout } = mapsafe(['keys', file])
    expect(status).toBe(0)
    expect(stdout.trim().split('\n').sort()).toEqual(
      ['"\\u001b[2Jscreen\\u202e"', '"hits"', '"user:1"', '"user:2"', '7', '7n', 'bytes 01ff', 'true'].sort(),
    )
    expect(mapsafe(['keys', file, '--prefix', 'user:', '-n', '1']).stdout).toMatch(/^"user:[12]"\n$/)
    expect(mapsafe(['keys', file, '--match', '^.its$', '-l']).stdout).toMatch(
      /^counter +\d+ B +\d+ +2\S+Z +live +"hits"\n$/,
    )
    expect(mapsafe(['keys', file, '--expired', '--match', 'short', '-l']).stdout).toMatch(/expired +"short"/)
  })

  test.each([
    [['user:1'], '{"name":"Ada","born":{"$date":0},"ids":{"$set":[{"$bigint":"1"}]}}'],
    [['7', '-t', 'number'], '{"$number":"NaN"}'],
    [['7', '--type', 'bigint'], '{"$undefined":true}'],
    [['true', '-t', 'boolean'], 'null'],
    [['01FF', '-t', 'bytes'], '{"$bytes":"CQ=="}'],
    [['hits'], '3'],
  ])('get %j prints the value', (words, printed) => {
    expect(mapsafe(['get', file, ...words])).toEqual({ status: 0, stdout: `${printed}\n`, stderr: '' })
  })

  test('a key that is not there, or no more, is exit code 1', () => {
    expect(mapsafe(['get', file, '7'])).toMatchObject({ status: 1, stderr: 'mapsafe: The key "7" is not there.\n' })
    expect(mapsafe(['get', file, 'short'])).toMatchObject({
      status: 1,
      stderr: 'mapsafe: The key "short" has expired.\n',
    })
    expect(mapsafe(['get', file, 'short', '--now', '1970-01-01T00:00:00.5Z']).stdout).toBe('1\n')
    expect(json(['get', file, 'none'])).toEqual({ status: 1, found: { found: false } })
  })

  test('big puts the largest first', () => {
    const { found } = json(['big', file, '-n', '2'])
    expect(found).toMatchObject({ entries: 8, largest: [{ key: 'user:2', valueBytes: 5000 }, {}] })
  })

  test('verify finds nothing, and doctor says what the machine has', () => {
    expect(mapsafe(['verify', file])).toEqual({ status: 0, stdout: 'sound\n', stderr: '' })
    const { status, found } = json(['doctor', file])
    expect(status).toBe(0)
    expect(found).toMatchObject({ ok: true, problems: [], machine: { node: process.version, engine: 'native' } })
    expect(mapsafe(['doctor']).stdout).toContain('engine')
  })

  test('nothing of the file has changed', () => {
    const before = readFileSync(file)
    const { mtimeNs } = statSync(file, { bigint: true })
    for (const command of ['inspect', 'verify', 'keys', 'big', 'doctor', 'dump']) {
      if (command !== 'dump') expect(mapsafe([command, file]).status).toBe(0)
      else expect(mapsafe([command, file, '--look']).status).toBe(0)
    }
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(mtimeNs)
  })
})

describe('wrong calls', () => {
  test.each([
    [[], 2],
    [['nothing'], 2],
    [['get', file], 2],
    [['get', file, 'a', 'b'], 2],
    [['keys', file, '--nope'], 2],
    [['keys', file, '-n', 'many'], 2],
    [['keys', file, '--match', '('], 2],
    [['get', file, 'x', '-t', 'number'], 2],
    [['get', file, 'x', '-t', 'object'], 2],
    [['inspect', file, '--now', 'soon'], 2],
    [['inspect', '/none/of/that'], 3],
    [['inspect', '.'], 3],
    [['verify', PROGRAM], 3],
    [['--help'], 0],
    [['help', 'get'], 0],
    [['get', '--help'], 0],
  ])('mapsafe %j ends with %i', (words, code) => {
    const { status, stdout, stderr } = mapsafe(words)
    expect(status).toBe(code)
    if (code !== 0 && words.length > 0)
      expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringMatching(/^mapsafe: /) })
  })
})

test('a reader that goes away ends the program quietly', async () => {
  const many = scratch.file('many.map')
  using map = new ConcurrentMap<string, number>({ file: many, maxBytes: 2 ** 24 })
  for (let i = 0; i < 50_000; i++) map.set(`key ${i}`, i)
  const child = spawn(process.execPath, [PROGRAM, 'keys', many], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()))
  const code = new Promise((resolve) => child.once('close', resolve))
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await code).toBe(0)
  expect(complaints).toBe('')
})

test('while a process writes, and after it was killed, it tells what is there', async () => {
  const live = scratch.file('live.map')
  const child = await start('writer.program.js', live)
  try {
    for (let i = 0; i < scaled(3); i++) {
      const { status, stdout } = mapsafe(['keys', live, '--prefix', 'lasting'])
      expect(status).toBe(0)
      expect(new Set(stdout.trim().split('\n')).size).toBe(500)
      expect(mapsafe(['verify', live])).toMatchObject({ status: 0, stdout: 'sound\n' })
      expect(mapsafe(['get', live, 'lasting 7']).stdout).toBe('{"i":7,"text":"xxxxxxx"}\n')
    }
    const { found } = json(['hot', live, '-s', '1', '-n', '1'])
    expect(found).toMatchObject({ keys: [{ key: expect.stringMatching(/counter|passing/) }] })
    expect(json(['inspect', live]).found).toMatchObject({ threads: [{ pid: child.pid, state: 'running' }] })
    child.kill('SIGSTOP')
    expect(json(['inspect', live]).found).toMatchObject({ threads: [{ pid: child.pid }] })
    child.kill('SIGCONT')
  } finally {
    await end(child, 'SIGKILL')
  }
  expect(json(['inspect', live]).found).toMatchObject({ threads: [{ pid: child.pid, state: 'dead' }] })
  expect(mapsafe(['get', live, 'lasting 7']).status).toBe(0)
})

test('damaged bytes end in what can be read, a message or an exit code', () => {
  const random = new Random(seed)
  const bytes = Buffer.alloc(statSync(file).size)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, bytes)
  closeSync(descriptor)
  const used = bytes.findLastIndex((byte) => byte !== 0)
  const damaged = scratch.file('damaged.map')
  const commands = [['inspect'], ['verify'], ['keys', '-l'], ['big'], ['dump', '--look'], ['get', 'user:1'], ['doctor']]
  for (let round = 0; round < scaled(12); round++) {
    const copy = Buffer.from(bytes)
    for (let i = 1 + random.below(40); i > 0; i--) {
      // The first words are checked before all else, so they are mostly left as they are.
      const at = random.chance(0.05) ? random.below(256) : 256 + random.below(used - 256)
      copy[at] = random.below(256)
    }
    writeFileSync(damaged, random.chance(0.1) ? copy.subarray(0, random.below(copy.length)) : copy, { mode: 0o600 })
    const [command, ...rest] = random.pick(commands)
    const { status } = mapsafe([command, damaged, ...rest])
    expect([0, 1, 3], `seed ${seed}, round ${round}: ${command}`).toContain(status)
  }
})
