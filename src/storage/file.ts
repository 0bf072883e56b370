import { closeSync, constants, fstatSync, openSync, realpathSync } from 'node:fs'
import { constants as system } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import type { NativeBinding } from '../platform/addon.js'
import { MapsafeError, MapsafeRangeError } from '../base/errors.js'
import { systemError } from './file-error.js'
import { adoptCopy } from './copy.js'
import { identityOf, isNoted } from './identity.js'
import { checkMappable, fileFunctions, keepOpen, mapWholeFile } from './mapping.js'
import { makeFile } from './new-file.js'
import { checkOpened } from './opened.js'

/** What the layers above know of what is in a region. */
export interface Contents {
  /** Makes an empty region of zeroed memory. */
  format(region: ArrayBuffer): void
  /** Repairs a region that nobody uses, and returns what is wrong with it after that, one line each. */
  repairAndVerify(region: ArrayBuffer): readonly string[]
}

/** A region in a file. */
export interface FileRegion {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly region: ArrayBuffer
}

/**
 * Opens the region in an existing file.
 *
 * @param trusts whether other users may be able to write the file (owner.ts)
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the file is not there or the system refuses, `ERR_MAPSAFE_FORMAT` if it
 * holds no region of this version or is a copy that cannot be used (copy.ts), `ERR_MAPSAFE_TIMEOUT` if another process
 * takes long to look at a copy, `ERR_MAPSAFE_ENGINE` without the addon
 */
export function openFile(path: string, trusts: boolean, contents: Pick<Contents, 'repairAndVerify'>): FileRegion {
  const functions = fileFunctions()
  const opened = tryOpen(functions, path, trusts, contents)
  if (!isRegion(opened)) throw systemError('open', path, opened.missing)
  return opened
}

/**
 * Opens the region in a file, which is made first if it is not there. Of several processes that do so at once, one
 * makes the file and all open the same.
 *
 * The file has its name only once it is complete (new-file.ts). Nobody waits for another maker: all make one, of which
 * the first to be complete gets the name.
 *
 * @param trusts as for {@link openFile}
 * @param bytes length of a new file
 * @throws as {@link openFile}; also `ERR_MAPSAFE_FILE` if the disk is full
 */
export function openOrCreateFile(path: string, trusts: boolean, bytes: number, contents: Contents): FileRegion {
  const functions = fileFunctions()
  const opened = tryOpen(functions, path, trusts, contents)
  if (isRegion(opened)) return opened
  checkMappable(bytes, path)
  try {
    const made = makeFile(functions, path, bytes, (region) => {
      contents.format(region)
    })
    if (made !== undefined) return { path: realPathOf(path), region: made }
  } catch (error) {
    // Who lacks the room for a second file finds the first one, if there was a race.
    const faster = tryOpen(functions, path, trusts, contents)
    if (isRegion(faster)) return faster
    throw error
  }
  const faster = tryOpen(functions, path, trusts, contents)
  if (isRegion(faster)) return faster
  // A symbolic link that leads nowhere; or a file that was deleted as soon as it was made.
  throw systemError('make', path, system.errno.EEXIST)
}

export { isAbsolute }

/** @throws MapsafeError `ERR_MAPSAFE_FILE` if `path` is relative, and the working directory was deleted */
export function absolutePath(path: string): string {
  try {
    return resolve(path)
  } catch (error) {
    throw systemError('find', path, error)
  }
}

/** Returns the last part of a path. */
export function baseName(path: string): string {
  return basename(path)
}

/** Returns whether a path, which may have symbolic links in it, is that of `file`, which is absolute and has none. */
export function leadsTo(path: string, file: string): boolean {
  const absolute = absolutePath(path)
  try {
    return realpathSync(absolute) === file
  } catch {
    // The file may have been deleted since.
    try {
      return join(realpathSync(dirname(absolute)), basename(absolute)) === file
    } catch {
      return false
    }
  }
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

/** The system's error if there is no such file. */
interface NoFile {
  readonly missing: unknown
}

/** Told by its shape: what Node.js throws is no instance of the class `Error` of another realm, as test runners make. */
function isRegion(opened: FileRegion | NoFile): opened is FileRegion {
  return 'region' in opened
}

/** The region in a file, if there is one. */
function tryOpen(
  functions: NativeBinding,
  path: string,
  trusts: boolean,
  { repairAndVerify }: Pick<Contents, 'repairAndVerify'>,
): FileRegion | NoFile {
  let descriptor: number
  try {
    // Without O_NONBLOCK, opening a named pipe might never return.
    descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: error }
    throw systemError('open', path, error)
  }
  try {
    checkOpened(descriptor, path, trusts, 'delete it or choose another one')
    const region = mapWholeFile(functions, descriptor, path)
    const identity = identityOf(fstatSync(descriptor, { bigint: true }))
    if (!isNoted(region, identity)) adoptCopy(functions, { descriptor, path, region, identity }, repairAndVerify)
    keepOpen(functions, region, descriptor, path)
    return { path: realPathOf(path), region }
  } catch (error) {
    throw error instanceof MapsafeError || error instanceof MapsafeRangeError ? error : systemError('read', path, error)
  } finally {
    closeSync(descriptor)
  }
}

/** @throws MapsafeError `ERR_MAPSAFE_FILE` if the file is there no more */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    throw systemError('find', path, error)
  }
}
