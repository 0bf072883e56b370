/**
 * Map files opened to be read alone. Nothing is stored in the file, no lock is taken, and nobody who has it open
 * notices. See docs/internals/protocol.md for what a reader without a thread record may believe.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { MapsafeError, MapsafeRangeError } from '../base/errors.js'
import { loadNative } from '../platform/addon.js'
import { systemError } from './file-error.js'
import { absolutePath, realPathOf } from './file.js'
import { identityOf, isNoted } from './identity.js'
import { checkMappable } from './mapping.js'
import { checkOpened } from './opened.js'

/** How much of a file is read at once: the most that one call reads on every system is a little under 2 GiB. */
const READ_BYTES = 2 ** 30

/** A map file that is open to be read. */
export interface ReadableFile {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly region: ArrayBuffer
  /** Whether {@link ReadableFile.region} shows what others write. Else it was read, piece after piece. */
  readonly isMapped: boolean
  /** Whether the file is a copy that nobody has made a map of its own yet. */
  readonly isCopy: boolean
  /** Whether somebody has the lock of a thread record; undefined where that is not to be told. A system call. */
  isLocked(record: number): boolean | undefined
  close(): void
}

/**
 * Opens a map file to read it. Without the addon, and with `copies`, the file is read into memory.
 *
 * @param trusts whether other users may be able to write the file (owner.ts)
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the file is not there or the system refuses, `ERR_MAPSAFE_FORMAT` if it
 * holds no region of this version
 */
export function openToRead(path: string, trusts: boolean, copies: boolean): ReadableFile {
  const absolute = absolutePath(path)
  let descriptor: number
  try {
    // Without O_NONBLOCK, opening a named pipe might never return.
    descriptor = openSync(absolute, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
  } catch (error) {
    throw systemError('open', path, error)
  }
  try {
    return describeFile(absolute, descriptor, trusts, copies)
  } catch (error) {
    closeSync(descriptor)
    throw error instanceof MapsafeError || error instanceof MapsafeRangeError ? error : systemError('read', path, error)
  }
}

function describeFile(path: string, descriptor: number, trusts: boolean, copies: boolean): ReadableFile {
  const bytes = checkOpened(descriptor, path, trusts, 'inspect it with the version that made it, or choose another one')
  checkMappable(bytes, path)
  const native = copies ? undefined : loadNative()
  const region = native === undefined ? readWhole(descriptor, bytes) : native.mapFileForReading(descriptor, bytes)
  if (typeof region === 'number') throw systemError('map', path, region)
  const isMapped = native !== undefined
  const identity = identityOf(fstatSync(descriptor, { bigint: true }))
  let isOpen = true
  return {
    path: realPathOf(path),
    region,
    isMapped,
    get isCopy() {
      return !isNoted(region, identity)
    },
    isLocked(record) {
      // A copy has no threads whose locks could be asked for.
      if (native === undefined || !isOpen || this.isCopy) return undefined
      const found = native.lookAtRecordLock(descriptor, record)
      return found < 0 ? undefined : found === 1
    },
    close() {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}

function readWhole(descriptor: number, bytes: number): ArrayBuffer {
  const region = new ArrayBuffer(bytes)
  for (let at = 0; at < bytes;) {
    const view = new Uint8Array(region, at, Math.min(READ_BYTES, bytes - at))
    const length = readSync(descriptor, view, 0, view.length, at)
    if (length === 0) break // it has just been cut off; the rest is zeros, which the checks find
    at += length
  }
  return region
}
