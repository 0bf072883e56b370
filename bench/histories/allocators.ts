import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Allocators that do well, by the Debian package that has them, and the library to load before the program. */
const ALLOCATORS = [
  { name: 'jemalloc', package: 'libjemalloc2', library: 'libjemalloc.so.2' },
  { name: 'mimalloc', package: 'libmimalloc2.0', library: 'libmimalloc.so.2.0' },
] as const

/** What native/bench/histories_bench.cc prints. */
export interface AllocatorOutcome {
  readonly rate: number
  readonly longest: number
  readonly resident: number
  readonly peak: number
  readonly live: number
}

/** One that a history can be lived through with. */
export interface Allocator {
  readonly name: string
  readonly start: (file: string) => Promise<AllocatorOutcome>
}

/**
 * Those that are installed; the others are named in `omissions`.
 *
 * @param folder for the program, which is one file and has nothing of the core
 */
export async function startAllocators(folder: string, omissions: string[]): Promise<Allocator[]> {
  const program = join(folder, 'histories_bench')
  try {
    await run('g++', ['-std=c++20', '-O2', 'native/bench/histories_bench.cc', '-o', program])
  } catch (error) {
    omissions.push(`native/bench/histories_bench.cc was not compiled: ${(error as Error).message}`)
    return []
  }
  return ALLOCATORS.flatMap(({ name, package: debian, library }) => {
    const path = find(library)
    if (path === undefined) {
      omissions.push(`${name} is not installed; install it (apt-get install ${debian})`)
      return []
    }
    const start = async (file: string): Promise<AllocatorOutcome> => {
      const { stdout } = await run(program, [file, '--json'], { env: { ...process.env, LD_PRELOAD: path } })
      return (JSON.parse(stdout) as AllocatorOutcome[])[0]
    }
    return [{ name, start }]
  })
}

/** Returns where the system has a library; undefined if it has not. */
function find(library: string): string | undefined {
  const folders = [
    '/usr/lib',
    '/usr/lib64',
    '/usr/local/lib',
    ...readdirOf('/usr/lib').map((name) => `/usr/lib/${name}`),
  ]
  return folders.map((folder) => join(folder, library)).find((path) => existsSync(path))
}

function readdirOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('-linux-gnu')) : []
}
