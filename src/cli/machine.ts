import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { ConcurrentMap } from '../index.js'
import { showBytes } from './output.js'

/** What the machine gives to maps. Undefined: it is not to be told here. */
export interface Machine {
  readonly node: string
  readonly platform: string
  /** The engine that `auto` chooses. */
  readonly engine: 'native' | 'typescript'
  /** The loaded binary. */
  readonly binary: string | undefined
  /** Why there is none. */
  readonly withoutBinary: string | undefined
  readonly processors: number
  readonly processorLimit: number | undefined
  readonly memoryBytes: number
  readonly memoryLimit: number | undefined
  readonly sharedMemory: Disk | undefined
  readonly disk: Disk | undefined
}

interface Disk {
  readonly path: string
  readonly bytes: number
  readonly free: number
}

/** @param file a map file, whose disk is looked at as well */
export function describeMachine(file: string | undefined): Machine {
  const withoutBinary = tryNative()
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    engine: withoutBinary === undefined ? 'native' : 'typescript',
    binary: withoutBinary === undefined ? binaryOf() : undefined,
    withoutBinary,
    processors: availableParallelism(),
    processorLimit: processorLimit(),
    memoryBytes: totalmem(),
    memoryLimit: memoryLimit(),
    sharedMemory: diskOf('/dev/shm'),
    disk: file === undefined ? undefined : diskOf(dirname(file)),
  }
}

/** What of it speaks against maps, one sentence each. */
export function adviceOn(machine: Machine, maxBytes: number | undefined): string[] {
  const { withoutBinary, sharedMemory, disk, memoryLimit, processorLimit, processors } = machine
  const advice: string[] = []
  if (withoutBinary !== undefined)
    advice.push(`The TypeScript engine is used, which is slower, and maps in files do not open: ${withoutBinary}`)
  if (sharedMemory !== undefined && sharedMemory.bytes < 128 * 2 ** 20) {
    advice.push(
      `/dev/shm has ${showBytes(sharedMemory.bytes)} in all: a map file there must be smaller. Docker takes --shm-size, Kubernetes an emptyDir with medium: Memory.`,
    )
  }
  if (disk !== undefined && disk.free < disk.bytes / 50)
    advice.push(`The disk of ${disk.path} is nearly full: ${showBytes(disk.free)} are free.`)
  if (memoryLimit !== undefined && maxBytes !== undefined && maxBytes > memoryLimit / 2) {
    advice.push(
      `The container may use ${showBytes(memoryLimit)}, and a map of ${showBytes(maxBytes)} counts against it as far as it is filled: leave room for the heaps of the processes.`,
    )
  }
  if (processorLimit !== undefined && processorLimit < 1 && processors > 1) {
    advice.push(
      `The container gets ${processorLimit} of a processor: a thread may be stopped in the middle of a write for tens of milliseconds.`,
    )
  }
  return advice
}

/** Returns why the native engine does not load; undefined if it does. */
function tryNative(): string | undefined {
  try {
    new ConcurrentMap({ engine: 'native', maxBytes: 2 ** 20 }).close()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function binaryOf(): string | undefined {
  const report = process.report.getReport() as unknown as { readonly sharedObjects?: readonly string[] }
  return report.sharedObjects?.find((path) => /mapsafe[^/\\]*\.node$|[/\\]mapsafe[/\\].*\.node$/.test(path))
}

function diskOf(path: string): Disk | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(path)
    return { path, bytes: bsize * blocks, free: bsize * bavail }
  } catch {
    return undefined
  }
}

/** Limits beyond this are none: the first version of control groups says so by the greatest number of pages. */
const NO_LIMIT = 2 ** 60

function memoryLimit(): number | undefined {
  for (const file of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    const limit = Number(readText(file))
    if (limit > 0 && limit < NO_LIMIT) return limit
  }
  return undefined
}

function processorLimit(): number | undefined {
  const [quota, period] = (readText('/sys/fs/cgroup/cpu.max') ?? '').split(' ').map(Number)
  return quota > 0 && period > 0 ? quota / period : undefined
}

function readText(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  } catch {
    return undefined
  }
}
