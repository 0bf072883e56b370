import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/patience.js'
import { Scratch } from '../support/scratch.js'
import { end, mapsafe, PROGRAM, start } from './program.js'

const scratch = new Scratch()
const file = scratch.file('top.map')
let writer: ChildProcess

beforeAll(async () => {
  writer = await start('writer.program.js', file)
})
afterAll(async () => {
  await end(writer, 'SIGKILL')
  scratch[Symbol.dispose]()
})

test('where there is no terminal it prints its pictures', () => {
  const { status, stdout } = mapsafe(['top', file, '-n', '2', '--json'])
  expect(status).toBe(0)
  const pictures = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { rates: { writes: number; deleted: number } })
  expect(pictures).toHaveLength(2)
  expect(pictures[1]).toMatchObject({ threads: [{ pid: writer.pid, engine: 'native' }], hot: expect.any(Array) })
  expect(pictures[1].rates.writes).toBeGreaterThan(0)
  const text = mapsafe(['top', file, '-n', '1']).stdout
  expect(text).toContain(`${writer.pid}/0`)
  expect(text).not.toContain('\u001b')
})

test('a reader that goes away ends it quietly', async () => {
  const child = spawn(process.execPath, [PROGRAM, 'top', file, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()))
  const code = new Promise((resolve) => child.once('close', resolve))
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await code).toBe(0)
  expect(complaints).toBe('')
})

const hasTmux = spawnSync('tmux', ['-V']).status === 0

describe.runIf(hasTmux)('in a terminal', () => {
  const socket = `mapsafe-${process.pid}`
  const tmux = (...words: string[]): string => spawnSync('tmux', ['-L', socket, ...words], { encoding: 'utf8' }).stdout
  const screen = (): string => tmux('capture-pane', '-p', '-t', 'top')
  const isFullScreen = (): boolean => tmux('display', '-p', '-t', 'top', '#{alternate_on}').trim() === '1'

  beforeAll(() => {
    tmux('new-session', '-d', '-x', '90', '-y', '30', '-s', 'top', 'env PS1=prompt: sh')
  })
  afterAll(() => {
    tmux('kill-server')
  })

  test.each([
    ['q', 'q'],
    ['ctrl-c', 'C-c'],
  ])('it shows rates, fits the size of the screen, and gives it back at %s', async (_, key) => {
    tmux('resize-window', '-t', 'top', '-x', '90', '-y', '30')
    tmux('send-keys', '-t', 'top', `clear; echo before; '${process.execPath}' '${PROGRAM}' top '${file}'`, 'Enter')
    await until('it shows a picture', () => screen().includes('keys written most'), screen)
    expect(isFullScreen()).toBe(true)
    expect(screen()).toMatch(/writes +[1-9]/)
    expect(screen()).not.toContain('before')
    tmux('resize-window', '-t', 'top', '-x', '40', '-y', '6')
    await until('it fits the smaller screen', () => screen().trimEnd().split('\n').length <= 6, screen)
    expect(screen()).toContain('mapsafe top')
    tmux('resize-window', '-t', 'top', '-x', '90', '-y', '30')
    tmux('send-keys', '-t', 'top', key)
    await until('the screen is as it was', () => !isFullScreen(), screen)
    await until('the shell goes on', () => screen().trimEnd().endsWith('prompt:'), screen)
    expect(screen()).toContain('before')
    expect(tmux('display', '-p', '-t', 'top', '#{cursor_flag}').trim()).toBe('1')
  })
})
