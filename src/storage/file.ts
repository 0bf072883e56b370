import { closeSync, constants, fstatSync, linkSync, openSync, readSync, realpathSync, rmSync } from 'node:fs'
import { constants as system } from 'node:os'
import { dirname } from 'node:path'
import type { FileFunctions } from '../platform/addon.js'
import { headerProblem } from '../format/header.js'
import { MapsafeError, MapsafeRangeError } from '../base/errors.js'
import { systemError } from './file-error.js'
import { PAGE_BYTES } from '../format/layout.js'
import { checkMappable, fileFunctions, mapWholeFile } from './mapping.js'

/** A region in a file. */
export interface FileRegion {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly region: ArrayBuffer
}

const MODE = 0o600
/** What the file is called while it is made. Whoever has the directory's lock may delete it. */
const UNFINISHED = '.mapsafe-new'
/** Longer than it takes to allocate 16 GiB. */
const LOCK_BOUND_MS = 60_000
const LOCK_SLEEP_MS = 5

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Opens the region in an existing file.
 *
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the file is not there or the system refuses, `ERR_MAPSAFE_FORMAT` if it
 * holds no region of this version, `ERR_MAPSAFE_ENGINE` without the addon
 */
export function openFile(path: string): FileRegion {
  const functions = fileFunctions()
  const opened = tryOpen(functions, path)
  if (opened instanceof Error) throw systemError('open', path, opened)
  return opened
}

/**
 * Opens the region in a file, which is made first if it is not there. Of several processes that do so at once, one
 * makes the file and all open the same.
 *
 * The file has its name only once it is complete: it is made under another name, and linked. Meanwhile the maker holds
 * the lock of the directory, so that the others wait instead of allocating as much again; the system ends the lock with
 * the process. What a maker left that died is deleted by the next one.
 *
 * @param bytes length of a new file
 * @param format makes an empty region of zeroed memory
 * @throws as {@link openFile}; also `ERR_MAPSAFE_FILE` if the disk is full, `ERR_MAPSAFE_TIMEOUT` if the directory's
 * lock was not to be had for a minute
 */
export function openOrCreateFile(path: string, bytes: number, format: (region: ArrayBuffer) => void): FileRegion {
  const functions = fileFunctions()
  const opened = tryOpen(functions, path)
  if (!(opened instanceof Error)) return opened
  checkMappable(bytes, path)
  return withDirectoryLock(functions, path, () => {
    const made = tryOpen(functions, path)
    return made instanceof Error ? create(functions, path, bytes, format) : made
  })
}

/** @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if the file is not as long as was asked for */
export function checkLength({ path, region }: FileRegion, maxBytes: number): void {
  if (region.byteLength === maxBytes) return
  throw new MapsafeRangeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option maxBytes asks for ${maxBytes} bytes, but the map file ${path} was made with ${region.byteLength}, which are ` +
      'fixed. Leave the option out, or choose another file.',
  )
}

/** The region in a file; the system's error if there is no such file. */
function tryOpen(functions: FileFunctions, path: string): FileRegion | Error {
  let descriptor: number
  try {
    // Without O_NONBLOCK, opening a named pipe might never return.
    descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return error as Error
    throw systemError('open', path, error)
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new MapsafeError('ERR_MAPSAFE_FILE', `Cannot open ${path} as a map file: it is no file.`)
    const header = new Int32Array(PAGE_BYTES / 4)
    const length = readSync(descriptor, header, 0, PAGE_BYTES, 0)
    const problem = length === 0 ? 'it is empty' : headerProblem(header, stat.size)
    if (problem !== undefined) {
      throw new MapsafeError(
        'ERR_MAPSAFE_FORMAT',
        `The file ${path} holds no map that this version can use: ${problem}. It was left as it is; delete it or choose ` +
          'another one.',
      )
    }
    return { path: realpathSync(path), region: mapWholeFile(functions, descriptor, path) }
  } finally {
    closeSync(descriptor)
  }
}

/** Makes the file. The caller holds the directory's lock and found no file of that name. */
function create(
  functions: FileFunctions,
  path: string,
  bytes: number,
  format: (region: ArrayBuffer) => void,
): FileRegion {
  const unfinished = path + UNFINISHED
  let descriptor: number | undefined
  try {
    // A dead maker's. Not to be written to: if that maker came as far as the link, it is a region in use.
    rmSync(unfinished, { force: true })
    descriptor = openSync(unfinished, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, MODE)
    const error = functions.allocateFile(descriptor, bytes)
    if (error !== 0) throw systemError('allocate', path, error)
    const region = mapWholeFile(functions, descriptor, path)
    format(region)
    // Fails where there is something by now, be it a symbolic link that leads nowhere.
    linkSync(unfinished, path)
    return { path: realpathSync(path), region }
  } catch (error) {
    throw error instanceof MapsafeError ? error : systemError('make', path, error)
  } finally {
    if (descriptor !== undefined) {
      closeSync(descriptor)
      rmSync(unfinished, { force: true })
    }
  }
}

function withDirectoryLock<T>(functions: FileFunctions, path: string, action: () => T): T {
  let descriptor: number
  try {
    descriptor = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    throw systemError('make', path, error)
  }
  try {
    const deadline = performance.now() + LOCK_BOUND_MS
    for (;;) {
      const error = functions.lockFile(descriptor)
      if (error === 0) return action()
      if (error !== system.errno.EWOULDBLOCK) throw systemError('lock the directory of', path, error)
      if (performance.now() > deadline) {
        throw new MapsafeError(
          'ERR_MAPSAFE_TIMEOUT',
          `Another process has held the lock of ${dirname(path)} for ${LOCK_BOUND_MS / 1000} seconds, so ${path} could not ` +
            'be made. If that process is stopped or being debugged, let it go on or end it.',
        )
      }
      Atomics.wait(sleeper, 0, 0, LOCK_SLEEP_MS)
    }
  } finally {
    closeSync(descriptor) // and so ends the lock
  }
}
