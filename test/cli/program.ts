import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The program as the setup of the tests compiled it; test/package runs the one that is packed. */
export const PROGRAM = fileURLToPath(new URL('../../out/tests/src/cli/index.js', import.meta.url))

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `mapsafe` as a process of its own, and demands that no stack is printed. */
export function mapsafe(words: readonly string[], input?: string): Ran {
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [PROGRAM, ...words], {
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 28,
  })
  if (signal !== null) throw new Error(`mapsafe ${words.join(' ')} ended by ${signal}\n${stderr}`)
  if (/^\s+at /m.test(stdout + stderr))
    throw new Error(`mapsafe ${words.join(' ')} printed a stack\n${stdout}${stderr}`)
  return { status, stdout, stderr }
}

/** Runs `mapsafe` with `--json`, and returns what it printed and the exit code. */
export function json(words: readonly string[]): { status: number | null; found: unknown } {
  const { status, stdout } = mapsafe([...words, '--json'])
  return { status, found: JSON.parse(stdout) }
}

/** Starts a program of this folder, and waits until it prints a line. */
export async function start(name: string, ...words: string[]): Promise<ChildProcess> {
  const path = fileURLToPath(new URL(`../../out/tests/test/cli/${name}`, import.meta.url))
  const child = spawn(process.execPath, [path, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).once('line', () => resolve())
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
  })
  return child
}

/** Ends a process, and waits until it has. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (!child.kill(signal)) return
  await ended
}
