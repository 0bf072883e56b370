import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, linkSync, openSync, rmSync } from 'node:fs'
import { constants as system } from 'node:os'
import { dirname, join } from 'node:path'
import { MapsafeError } from '../base/errors.js'
import type { NativeBinding } from '../platform/addon.js'
import { systemError } from './file-error.js'
import { identityOf, note } from './identity.js'
import { keepOpen, mapWholeFile } from './mapping.js'

const MODE = 0o600

/** A file that is being made. */
interface Unnamed {
  readonly descriptor: number
  /** @returns whether the name was free */
  giveName(path: string): boolean
  /** Leaves nothing behind but the file with its name, if it was given one. */
  discard(): void
}

/**
 * Makes a map file under `path`, complete before it has its name.
 *
 * Where the file system supports it (Linux: ext4, xfs, btrfs, tmpfs ...), the file has no name before, so that nothing
 * is left of it when its maker dies, and no other process's file is in the way. Elsewhere it first has a name that no
 * other process uses, and a maker that dies leaves the file behind.
 *
 * Takes no lock: several processes that make one file at once each make their own, and all but one throw theirs away.
 *
 * @param format makes an empty region of zeroed memory
 * @returns the region; undefined if the name was taken meanwhile
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the system refuses
 */
export function makeFile(
  functions: NativeBinding,
  path: string,
  bytes: number,
  format: (region: ArrayBuffer) => void,
): ArrayBuffer | undefined {
  let file: Unnamed | undefined
  try {
    file = openAnonymous(functions, path) ?? openNamed(functions, path)
    const error = functions.allocateFile(file.descriptor, bytes)
    if (error !== 0) throw systemError('allocate', path, error)
    const region = mapWholeFile(functions, file.descriptor, path)
    format(region)
    note(region, identityOf(fstatSync(file.descriptor, { bigint: true })))
    if (!file.giveName(path)) return undefined
    keepOpen(functions, region, file.descriptor, path)
    return region
  } catch (error) {
    throw error instanceof MapsafeError ? error : systemError('make', path, error)
  } finally {
    file?.discard()
  }
}

/**
 * Opens a file without a name; undefined where the file system has none. Other errors show when a file with a name is
 * made.
 */
function openAnonymous(functions: NativeBinding, path: string): Unnamed | undefined {
  const descriptor = functions.openAnonymousFile(dirname(path))
  if (descriptor < 0) return undefined
  if (!isKnown(descriptor)) {
    functions.closeAnonymousFile(descriptor)
    return undefined
  }
  return {
    descriptor,
    giveName(name) {
      const error = functions.nameFile(descriptor, name)
      if (error !== 0 && error !== system.errno.EEXIST) throw systemError('name', name, error)
      return error === 0
    },
    discard() {
      functions.closeAnonymousFile(descriptor)
    },
  }
}

/** Returns whether this runtime takes a descriptor that it did not make. Deno does not. */
function isKnown(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

function openNamed(functions: NativeBinding, path: string): Unnamed {
  const own = join(dirname(path), `.mapsafe-${randomBytes(16).toString('hex')}`)
  const descriptor = openSync(own, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, MODE)
  return {
    descriptor,
    giveName(name) {
      if (process.platform === 'win32') return rename(functions, own, name)
      try {
        linkSync(own, name)
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
    },
    discard() {
      closeSync(descriptor)
      try {
        rmSync(own, { force: true })
      } catch (error) {
        // Windows keeps a file for as long as it is mapped.
        if (process.platform !== 'win32') throw error
        process.once('exit', () => {
          rmSync(own, { force: true })
        })
      }
    },
  }
}

function rename(functions: NativeBinding, own: string, name: string): boolean {
  const error = functions.renameNew(own, name)
  if (error !== 0 && error !== system.errno.EEXIST) throw systemError('name', name, error)
  return error === 0
}
