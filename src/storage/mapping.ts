import { constants } from 'node:buffer'
import { fstatSync } from 'node:fs'
import { loadNative, nativeFailure, threadState, type NativeBinding } from '../platform/addon.js'
import { MapsafeError, MapsafeRangeError } from '../base/errors.js'
import { systemError } from './file-error.js'

/**
 * This thread's mappings that are still in use, by device and inode. All map objects of a thread on one file share one
 * mapping, so a loop that opens and closes a map piles up no mappings until the garbage collector runs. (An inode
 * cannot be given to another file while it is mapped.)
 */
const mappings = (): Map<string, WeakRef<ArrayBuffer>> =>
  threadState('mappings', () => new Map<string, WeakRef<ArrayBuffer>>())

/** Removes the entry of a collected mapping; Node.js unmaps the memory itself. */
const collected = new FinalizationRegistry<string>((inode) => {
  if (mappings().get(inode)?.deref() === undefined) mappings().delete(inode)
})

/**
 * Returns the addon's functions for files, which both engines need.
 * @throws MapsafeError `ERR_MAPSAFE_ENGINE` if the addon cannot be loaded
 */
export function fileFunctions(): NativeBinding {
  const binding = loadNative()
  if (binding !== undefined) return binding
  throw new MapsafeError(
    'ERR_MAPSAFE_ENGINE',
    `Option file needs native code to map files, with engine: 'typescript', too, but no binary of mapsafe fits here ` +
      `(${nativeFailure()}). Build it with "npm run build:native", or leave the option out to share the map among the ` +
      'threads of one process.',
  )
}

/**
 * @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if this Node.js cannot map a file of that length (the bound is 4 GiB
 * before version 22)
 */
export function checkMappable(bytes: number, path: string): void {
  if (bytes <= constants.MAX_LENGTH) return
  throw new MapsafeRangeError(
    'ERR_MAPSAFE_OPTIONS',
    `The map file ${path} is or would be ${bytes} bytes long, but Node.js ${process.version} maps at most ` +
      `${constants.MAX_LENGTH}. Use Node.js 22 or later, or a new file with a smaller maxBytes.`,
  )
}

/**
 * Keeps the file of `region` open for as long as this thread has a record in it. The system shows that to the other
 * threads by a lock of the open file description that `descriptor` leads to. The descriptor itself may be closed.
 *
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the process may not open more files
 */
export function keepOpen(functions: NativeBinding, region: ArrayBuffer, descriptor: number, path: string): void {
  const error = functions.openRecordLocks(region)?.open(descriptor) ?? 0
  if (error !== 0) throw systemError('keep open', path, error)
}

/**
 * Maps all of an open file. Its memory stays mapped until the buffer is collected; the descriptor may be closed.
 * @throws as {@link checkMappable} does
 * @throws MapsafeError `ERR_MAPSAFE_FILE` if the system refuses to map it
 */
export function mapWholeFile(functions: NativeBinding, descriptor: number, path: string): ArrayBuffer {
  const { dev, ino, size } = fstatSync(descriptor, { bigint: true })
  const bytes = Number(size)
  checkMappable(bytes, path)
  const inode = `${dev}:${ino}`
  const known = mappings().get(inode)?.deref()
  if (known?.byteLength === bytes) return known
  const buffer = functions.mapFile(descriptor, bytes)
  if (typeof buffer === 'number') throw systemError('map', path, buffer)
  mappings().set(inode, new WeakRef(buffer))
  collected.register(buffer, inode)
  return buffer
}
