import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveGuard } from '../../src/observe/guard/options.js'
import { until } from '../support/patience.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

const folder = new URL('../../tools/bpftrace/', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.bt'))
const textOf = (script: string): string => readFileSync(new URL(script, folder), 'utf8')

/** What keeps bpftrace from watching a process here; undefined if nothing does. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'bpftrace is for Linux'
  const version = spawnSync('bpftrace', ['--version'])
  if (version.error !== undefined) return 'install bpftrace'
  const trial = spawnSync('bpftrace', ['-e', 'BEGIN { exit(); }'], { encoding: 'utf8' })
  return trial.status === 0 ? undefined : `bpftrace may not run here: ${trial.stderr.trim().split('\n').at(-1)}`
}

const reason = obstacle()
if (reason !== undefined) console.warn(`skips scripts of bpftrace: ${reason}`)

test('scripts watch only probes that there are', () => {
  const listed = [
    ...readFileSync(new URL('../../docs/guide/23-probes.md', import.meta.url), 'utf8').matchAll(/^\| `(\w+__\w+)`/gm),
  ]
  const names = listed.map(([, name]) => name)
  for (const script of scripts) {
    const used = [...textOf(script).matchAll(/^usdt:\*:mapsafe:(\w+)/gm)].map(([, name]) => name)
    expect(used, script).not.toEqual([])
    for (const name of used) expect(names, script).toContain(name)
  }
})

test('scripts have the thresholds of the option guard', () => {
  const { callsPerSecond, largeValueBytes, slowUpdateMs } = resolveGuard(true)!
  const thresholds = {
    'hot-keys.bt': callsPerSecond,
    'large-values.bt': largeValueBytes,
    'slow-updates.bt': slowUpdateMs,
  }
  for (const [script, threshold] of Object.entries(thresholds)) {
    expect(textOf(script)).toContain(`@threshold = $1 == 0 ? ${threshold} : $1;`)
  }
})

describe.skipIf(reason !== undefined)('in a running process', () => {
  const scratch = new Scratch()
  const { path, execArgv } = processCode(new URL('traced.program.ts', import.meta.url))
  let traced: ChildProcess
  let rounds = 0

  beforeAll(async () => {
    traced = fork(path, [scratch.file()], { execArgv })
    traced.on('message', (round) => (rounds = round as number))
    await once(traced, 'message')
  })
  afterAll(() => {
    traced.kill()
    scratch[Symbol.dispose]()
  })

  /** Runs a script until its output matches, and for some rounds; ends it as Ctrl-C does; returns all that it printed. */
  async function traceUntil(script: string, expected: RegExp, ...given: string[]): Promise<string> {
    const words = ['-B', 'none', '-p', String(traced.pid), new URL(script, folder).pathname, ...given]
    const tracer = spawn('bpftrace', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(tracer, 'close')
    let output = ''
    let errors = ''
    tracer.stdout.on('data', (data: Buffer) => (output += data.toString()))
    tracer.stderr.on('data', (data: Buffer) => (errors += data.toString()))
    await until(
      `${script} prints ${expected}`,
      () => expected.test(output) || tracer.exitCode !== null,
      () => output.length + errors.length,
    )
    const enough = rounds + 20
    await until(
      'the program goes on',
      () => rounds >= enough || tracer.exitCode !== null,
      () => rounds,
    )
    tracer.kill('SIGINT')
    await ended
    expect(output, errors).toMatch(expected)
    return output
  }

  test('lock-waits.bt measures how long calls wait', async () => {
    const output = await traceUntil('lock-waits.bt', /Ctrl-C/)
    expect(output).toMatch(/@longest_us\[a mutex\]: \d{4,}/)
    expect(output).not.toContain('@since')
  })

  test('evictions.bt counts what goes each second', async () => {
    await traceUntil('evictions.bt', /@evicted\[\d+\]: \d+/)
  })

  test('hot-keys.bt tells of keys with too many calls', async () => {
    const output = await traceUntil('hot-keys.bt', /more than 300 calls within a second/, '300', '1')
    expect(output).toContain(', key hot: more')
    expect(output).not.toContain('key slow')
  })

  test('large-values.bt tells of values with too many bytes, and of keys only if it is asked', async () => {
    const output = await traceUntil('large-values.bt', /a value of 1000 bytes/, '999')
    expect(output).not.toContain('key large')
    expect(output).toContain('@stored_bytes')
    expect(await traceUntil('large-values.bt', /Ctrl-C/, '1000')).not.toContain('a value of')
  })

  test('slow-updates.bt tells of updates whose function takes long', async () => {
    const output = await traceUntil('slow-updates.bt', /written \d+ ms after it was read/, '3', '1')
    expect(output).toContain(', key slow: written')
  })
})
