/**
 * Copies of map files. A file that is copied while a process writes to it ends up with parts of different times. No
 * check can detect that for certain: a value may consist of two. So a copy is used only if no process had the original
 * open, and a check of all of it finds nothing wrong. See docs/reliability.md, "Copies of a file".
 */
import { constants as system } from 'node:os'
import { MapsafeError } from '../base/errors.js'
import { REGISTRY_THREADS, THREAD_KERNEL_ID } from '../format/layout.js'
import { threadRecordAt } from '../format/thread-record.js'
import type { NativeBinding } from '../platform/addon.js'
import { systemError } from './file-error.js'
import { isNoted, note, type FileIdentity } from './identity.js'
import { keepOpen } from './mapping.js'

/** A file that is open and mapped. */
export interface OpenFile {
  readonly descriptor: number
  readonly path: string
  readonly region: ArrayBuffer
  readonly identity: FileIdentity
}

const BOUND_MS = 2000
const SLEEP_MS = 5
const sleeper = new Int32Array(new SharedArrayBuffer(4))

const ADVICE =
  'To copy a map, close it everywhere first, or write the entries of its snapshot() into a new one. If its processes were ' +
  'killed, open it and close it before it is copied.'

/**
 * Makes a copy a map of its own, and notes its identity. If several processes do so at once, one does the work, and the
 * others wait.
 *
 * @param repairAndVerify as in `Contents`
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if the copy cannot be used, `ERR_MAPSAFE_FILE` if a process has it open
 * already (an open file was overwritten), or if the disk is full, `ERR_MAPSAFE_TIMEOUT` if another process takes longer
 * than 2 seconds for this work
 */
export function adoptCopy(
  functions: NativeBinding,
  file: OpenFile,
  repairAndVerify: (region: ArrayBuffer) => readonly string[],
): void {
  const { descriptor, path, region, identity } = file
  if (!lock(functions, file)) return
  try {
    if (isNoted(region, identity)) return
    // A process that began before, and died in the middle, found that no process had the original open.
    const begun = { ...identity, born: BigInt.asUintN(64, ~identity.born) }
    if (!isNoted(region, begun)) refuseIfInUse(file)
    note(region, begun)
    // Copying leaves holes where there are only zeros.
    const error = functions.allocateFile(descriptor, region.byteLength)
    if (error !== 0) throw systemError('allocate', path, error)
    // The check takes a thread record, and other threads must see when its owner dies. Once the record is given back,
    // all is closed.
    keepOpen(functions, region, descriptor, path)
    const problem = repairAndVerify(region).at(0)
    if (problem !== undefined) throw refusal(path, `it is a copy, and not a sound one (${problem})`)
    note(region, identity)
  } finally {
    functions.unlockCopy(descriptor)
  }
}

/** @returns false if another process has made the copy a map meanwhile, and perhaps uses it already */
function lock(functions: NativeBinding, { descriptor, path, region, identity }: OpenFile): boolean {
  // The wait is counted in sleeps, which needs no clock that a test may have replaced.
  for (let waited = 0; ; waited += SLEEP_MS) {
    const error = functions.lockCopy(descriptor)
    if (error === 0) return true
    if (isNoted(region, identity)) return false
    if (error === system.errno.EBUSY) {
      throw new MapsafeError(
        'ERR_MAPSAFE_FILE',
        `The map file ${path} was written over while others had it open. End them, delete the file, and copy it anew. ${ADVICE}`,
      )
    }
    if (error !== system.errno.EAGAIN) throw systemError('lock', path, error)
    if (waited >= BOUND_MS) {
      throw new MapsafeError(
        'ERR_MAPSAFE_TIMEOUT',
        `The map file ${path} is a copy, at which another process has been looking for ${BOUND_MS / 1000} seconds. Try again.`,
      )
    }
    Atomics.wait(sleeper, 0, 0, SLEEP_MS)
  }
}

function refuseIfInUse({ path, region }: OpenFile): void {
  const pairs = new BigUint64Array(region)
  let threads = 0
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    if (Atomics.load(pairs, (threadRecordAt(index) + THREAD_KERNEL_ID) / 2) !== 0n) threads++
  }
  if (threads === 0) return
  throw refusal(
    path,
    `it was copied while threads (${threads}) had the original open, so its parts are of different times`,
  )
}

function refusal(path: string, problem: string): MapsafeError {
  return new MapsafeError('ERR_MAPSAFE_FORMAT', `The file ${path} holds no map that can be used: ${problem}. ${ADVICE}`)
}
