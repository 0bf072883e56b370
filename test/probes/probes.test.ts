import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'
import { probeNotesOf } from './probe-notes.js'

const addon = fileURLToPath(new URL('../../build/Release/mapsafe.node', import.meta.url))
const page = readFileSync(new URL('../../docs/guide/23-probes.md', import.meta.url), 'utf8')
/** The probes agreed on, and their arguments: the table of the guide. */
const listed = new Map(
  Array.from(page.matchAll(/^\| `(\w+__\w+)` \| ([^|]+) \|/gm), ([, name, args]) => [
    name,
    Array.from(args.matchAll(/`(\w+)`/g), ([, arg]) => arg),
  ]),
)
/** Those in every call. */
const WITH_SEMAPHORE = ['key__delete', 'key__get', 'key__increment', 'key__set']

const hasProbes = platform === 'linux' && (arch === 'x64' || arch === 'arm64')

describe.skipIf(!hasProbes)('the notes of the addon', () => {
  const notes = hasProbes ? probeNotesOf(addon)! : []

  test('name the probes that the guide lists, with as many arguments', () => {
    expect(listed.size).toBe(18)
    const inBinary = new Map(notes.map(({ name, args }) => [name, args.length]))
    expect([...inBinary].sort()).toEqual(Array.from(listed, ([name, args]) => [name, args.length]).sort())
    expect(new Set(notes.map(({ provider }) => provider))).toEqual(new Set(['mapsafe']))
  })

  test('lead to instructions that do nothing', () => {
    for (const { name, instruction } of notes) {
      expect(instruction, name).toMatch(arch === 'x64' ? /^90/ : /^1f2003d5$/)
    }
  })

  test('have arguments in registers, 64 bits wide', () => {
    for (const { name, args } of notes) {
      for (const arg of args) expect(arg, name).toMatch(arch === 'x64' ? /^-?8@%r\w+$/ : /^-?8@x\d+$/)
    }
  })

  test('have a semaphore, 0 until a tracer counts it up, where every call passes, and only there', () => {
    const names = notes.filter(({ semaphore }) => semaphore !== undefined).map(({ name }) => name)
    expect([...new Set(names)].sort()).toEqual(WITH_SEMAPHORE)
    for (const { semaphore } of notes) expect(semaphore ?? 0).toBe(0)
  })
})

const gdb = hasProbes ? spawnSync('gdb', ['--version']) : undefined
if (gdb?.error !== undefined) console.warn('skips stopping at probes: install gdb')

/** Commands of gdb that run a program, print the arguments of each probe the first time it is passed, and go on. */
function commands(): string {
  const lines = ['set confirm off', 'set pagination off', 'set debuginfod enabled off', 'set breakpoint pending on']
  lines.push('catch load mapsafe.node', 'run')
  for (const [name, args] of listed) {
    const values = args.map((_, i) => `$_probe_arg${i}`)
    lines.push(`tbreak -probe-stap mapsafe:${name}`, 'commands', 'silent')
    lines.push(`printf "HIT ${name}${' %lu'.repeat(args.length)}\\n", ${values.join(', ')}`)
    if (args.includes('key')) {
      const letters = [0, 1, 2].map((i) => `*((char*)$_probe_arg${args.indexOf('key')} + ${i})`)
      lines.push(`printf "KEY ${name} %c%c%c\\n", ${letters.join(', ')}`)
    }
    lines.push('continue', 'end')
  }
  return [...lines, 'continue'].join('\n')
}

describe.skipIf(gdb?.status !== 0)('gdb', () => {
  test('stops at each probe, and reads its arguments', () => {
    using scratch = new Scratch()
    const script = scratch.file('commands')
    writeFileSync(script, commands())
    const { path, execArgv } = processCode(new URL('probes.program.ts', import.meta.url))
    const program = [process.execPath, ...execArgv, path, scratch.file()]
    const options = { encoding: 'utf8', maxBuffer: 2 ** 26 } as const
    const { stdout, stderr } = spawnSync('gdb', ['-nx', '-batch', '-x', script, '--args', ...program], options)
    if (/ptrace|not permitted/.test(stderr)) {
      console.warn('skips stopping at probes: gdb may trace no process here')
      return
    }
    const hits: Record<string, Record<string, bigint>> = {}
    for (const [, name, values] of stdout.matchAll(/^HIT (\w+) ([\d ]+)$/gm)) {
      const named = values.split(' ').map((value, i) => [listed.get(name)![i], BigInt(value)])
      hits[name] = Object.fromEntries(named) as Record<string, bigint>
    }
    expect(Object.keys(hits).sort(), stdout.slice(-2000) + stderr).toEqual([...listed.keys()].sort())

    const { key__set: set } = hits
    expect(set).toMatchObject({ keyBytes: 3n, status: 4n })
    expect(set.mode & 3n, 'the condition: always').toBe(0n)
    expect(hits.key__get).toMatchObject({ region: set.region, hash: set.hash, keyBytes: 3n, status: 1n })
    expect(hits.key__delete).toMatchObject({ region: set.region, hash: set.hash, keyBytes: 3n, status: 4n })
    expect(hits.key__increment).toMatchObject({ region: set.region, keyBytes: 5n, status: 4n })
    for (const name of ['key__get', 'key__set', 'key__delete']) expect(stdout).toContain(`KEY ${name} key\n`)
    expect(hits.key__hold).toEqual({ region: set.region, hash: set.hash })
    expect(hits.wait__begin).toMatchObject({ region: set.region, obstacle: 0n })
    expect(hits.wait__end).toEqual(hits.wait__begin)
    expect(hits.thread__takeover.region).toBe(set.region)
    expect(hits.snapshot__end).toEqual({ region: set.region, entries: 1n })
    expect(hits.directory__double).toEqual({ region: hits.segment__split.region, depth: 1n })
    expect(hits.segment__split.depth).toBe(1n)
    expect(hits.region__full.region).toBe(hits.segment__split.region)
    expect(hits.entry__evict.region).toBe(hits.entry__expire.region)
    expect(hits.lease__lapse).toEqual(hits.lease__take)
    expect(hits.lease__end).toEqual(hits.lease__take)
  })
})
