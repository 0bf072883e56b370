import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const BUILD_FOLDER = 'out/cmake/release'

/** The reason why a C++ benchmark cannot run here. */
export class NoNativeProgram extends Error {}

/**
 * Builds a program of native/bench with CMake.
 *
 * @returns its path
 * @throws NoNativeProgram if CMake is missing or the build fails
 */
export async function buildNativeProgram(name: string): Promise<string> {
  if (spawnSync('cmake', ['--version']).error)
    throw new NoNativeProgram('cmake is not installed; install it (apt-get install cmake g++ make)')
  for (const parameters of [
    ['--preset', 'release', '--log-level=WARNING'],
    ['--build', '--preset', 'release', '--target', name],
  ]) {
    const { status, output } = await capture('cmake', parameters)
    if (status !== 0) throw new NoNativeProgram(`\`cmake ${parameters.join(' ')}\` failed: ${output.slice(-1000)}`)
  }
  return join(BUILD_FOLDER, name)
}

/** Runs a benchmark that prints JSON. */
export async function runNativeProgram<Row>(path: string, parameters: readonly string[]): Promise<Row[]> {
  const { status, output } = await capture(path, [...parameters, '--json'])
  if (status !== 0) throw new Error(`${path} ended with status ${status}: ${output}`)
  return JSON.parse(output) as Row[]
}

async function capture(
  command: string,
  parameters: readonly string[],
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output: status === 0 ? output : output + errors }
}
