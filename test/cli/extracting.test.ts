import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { Scratch } from '../support/scratch.js'
import { end, json, mapsafe, PROGRAM } from './program.js'

const scratch = new Scratch()
afterAll(() => scratch[Symbol.dispose]())

/** Starts the victim, allowed to leave a core dump where it works. */
async function startVictim(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../../out/tests/test/cli/victim.program.js', import.meta.url))
  const command = 'ulimit -c unlimited; exec "$0" "$1"'
  const child = spawn('sh', ['-c', command, process.execPath, program], {
    cwd: scratch.path,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).once('line', () => resolve())
    child.once('exit', () => reject(new Error('it ended too early')))
  })
  return child
}

/** Kills a process with a core dump; where the system keeps none, gdb makes it before. Undefined: there is none. */
async function killWithCore(child: ChildProcess): Promise<string | undefined> {
  const core = join(scratch.path, 'core')
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim()
  if (pattern !== 'core') {
    spawnSync('gcore', ['-o', core, String(child.pid)])
    await end(child, 'SIGKILL')
  } else {
    await end(child, 'SIGABRT')
  }
  const made = readdirSync(scratch.path).find((name) => /^core(\.\d+)?$/.test(name))
  if (made === undefined) return undefined
  renameSync(join(scratch.path, made), core)
  return core
}

/** Numbers differ from run to run. */
const shape = (line: string): string => line.replace(/0x[\da-f]+/g, 'ADDRESS').replace(/stock:\d+/g, 'stock:N')

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('a core dump', () => {
  test('of a process killed in the middle of writes has its map, and the trail of deletions, as the guide shows', async (context) => {
    const core = await killWithCore(await startVictim())
    if (core === undefined) return context.skip('this system makes no core dumps')
    const page = readFileSync(new URL('../../docs/guide/29-program.md', import.meta.url), 'utf8')
    const transcript = /```console\n([\s\S]*?)```/.exec(page)![1]
    const calls = transcript.split(/^\$ mapsafe /m).slice(1)
    expect(calls.length).toBeGreaterThan(3)
    for (const call of calls) {
      const [command, ...promised] = call.trimEnd().split('\n')
      const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...command.split(' ')], {
        cwd: scratch.path,
        encoding: 'utf8',
      })
      // A write under way when the process ended may add problems, and only those.
      expect((stdout + stderr).split('\n').map(shape), command).toEqual(expect.arrayContaining(promised.map(shape)))
    }
    const { found } = json(['extract', core])
    expect(found).toMatchObject({ regions: [{ bytes: 2 ** 22, missing: 0, kind: 'map', entries: 300 }] })
    // What was extracted is no map to go on with: its thread was not done.
    const lost = join(scratch.path, 'lost-1.map')
    expect(() => new ConcurrentMap({ file: lost })).toThrow(/copied while threads/)
    const lines = mapsafe(['dump', lost]).stdout.trimEnd().split('\n')
    expect(lines.length).toBe(302)
    // A dump of which the end is missing still has what it has, or nothing.
    for (const bytes of [2 ** 24, 5000, 100, 10]) {
      truncateSync(core, bytes)
      const { status, stderr } = mapsafe(['extract', core])
      expect([0, 1, 3]).toContain(status)
      if (status === 3) expect(stderr).toMatch(/^mapsafe: Cannot read .* as a core dump/)
    }
  })

  test('a running process is looked into, if the system allows it', async () => {
    const child = await startVictim()
    try {
      const { status, stderr, stdout } = mapsafe(['extract', '--pid', String(child.pid), '-o', scratch.file('running')])
      if (status === 3) expect(stderr).toMatch(/Cannot look at process/)
      else {
        expect(stdout).toContain('map of 4.0 MiB at 0x')
        using seen = openInspection(
          readdirSync(scratch.path)
            .filter((name) => name.startsWith('running'))
            .map((name) => join(scratch.path, name))[0],
        )
        expect([...seen.keys({ onProblem: () => undefined })].length).toBeGreaterThan(290)
      }
      expect(child.exitCode).toBeNull()
    } finally {
      await end(child, 'SIGKILL')
    }
  })

  test('without a map in it, and what is none', () => {
    expect(mapsafe(['extract', PROGRAM])).toMatchObject({ status: 3, stdout: '' })
    expect(mapsafe(['extract', process.execPath]).stderr).toMatch(/no core dump/)
    expect(mapsafe(['extract', scratch.file('none')]).status).toBe(3)
    expect(mapsafe(['extract']).status).toBe(2)
    expect(mapsafe(['extract', '--pid', '0']).status).toBe(2)
    const header = Buffer.alloc(64 + 56)
    header.write('\u007fELF\u0002\u0001', 'latin1')
    header.writeUInt16LE(4, 16)
    header.writeBigUInt64LE(64n, 32)
    header.writeUInt16LE(56, 54)
    header.writeUInt16LE(1, 56)
    header.writeUInt32LE(1, 64)
    header.writeBigUInt64LE(2n ** 60n, 64 + 32)
    const empty = scratch.file('empty-core')
    writeFileSync(empty, header)
    expect(mapsafe(['extract', empty])).toMatchObject({ status: 1, stderr: '' })
  })
})

test('deletions leave a trail until they are cleaned up', () => {
  const file = scratch.file()
  {
    using map = new ConcurrentMap<string, unknown>({ file, maxBytes: 2 ** 20 })
    for (const key of ['a', 'b', 'c', 'big']) map.set(key, key === 'big' ? 'x'.repeat(600) : { key })
    for (const key of ['a', 'b', 'big']) map.delete(key)
    map.set('b', 2)
  }
  const { stdout } = mapsafe(['deleted', file])
  expect(
    stdout
      .trim()
      .split('\n')
      .sort()
      .filter((line) => !line.startsWith('"b"')),
  ).toEqual(['"a"'])
  expect(mapsafe(['deleted', file, '-l', '--prefix', 'a']).stdout).toBe('"a"  version 1, {"key":"a"}\n')
  expect(json(['deleted', file, '--prefix', 'a']).found).toMatchObject({ key: 'a', state: 'deleted', again: false })
  expect(mapsafe(['deleted', file, '--prefix', 'none']).stdout).toBe('No deleted entry is left.\n')
  // Through a keyhole: they are in no walk that does not ask for them.
  expect(mapsafe(['keys', file, '--expired']).stdout.trim().split('\n').sort()).toEqual(['"b"', '"c"'])
  expect(json(['repair', file])).toMatchObject({ status: 0, found: { ok: true, deadThreads: 0, problems: [] } })
})

test('repair finishes what the dead left, and refuses what is no map', () => {
  expect(mapsafe(['repair', PROGRAM]).status).toBe(3)
  const file = scratch.file('there.map')
  expect(mapsafe(['repair', file]).status).toBe(3)
  expect(existsSync(file)).toBe(false)
})
