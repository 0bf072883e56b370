import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { getEnvironmentData, setEnvironmentData, Worker } from 'node:worker_threads'
import { isNativeError } from './brands.js'

/**
 * The addon's functions for files. Where nothing else is said they return 0 or an errno value: on Windows ENOSYS. See native/platform/mapped_file.h.
 */
export interface FileFunctions {
  /**
   * Makes a file of mode 0600 in `directory` that has no name yet.
   *
   * @returns a descriptor, or a negative errno value where there are no such files
   */
  openAnonymousFile(directory: string): number
  /** Gives an anonymous file its name; EEXIST if that is taken. */
  nameFile(descriptor: number, path: string): number
  /** Makes a file `bytes` long, with every block of it allocated: what is not there yet is zero. */
  allocateFile(descriptor: number, bytes: number): number
  /**
   * The file's first `bytes` bytes, shared with all who map it, until the buffer was collected. `bytes` is at most the
   * file's length and `buffer.constants.MAX_LENGTH`.
   */
  mapFile(descriptor: number, bytes: number): ArrayBuffer | number
  /** As {@link FileFunctions.mapFile}, but a store to the buffer ends the process, and no engine may work on it. */
  mapFileForReading(descriptor: number, bytes: number): ArrayBuffer | number
  /**
   * Whether somebody has the lock of a record of the file that any descriptor leads to: 1 if so, 0 if certainly nobody,
   * -1 where that is not to be told. Takes no lock.
   */
  lookAtRecordLock(descriptor: number, record: number): number
  /**
   * Takes the lock under which a copied file is looked at: EAGAIN if another descriptor has it, EBUSY if somebody has
   * the file open already. See native/platform/copy_lock.h.
   */
  lockCopy(descriptor: number): number
  unlockCopy(descriptor: number): void
}

/** Where {@link threadState} keeps what it is asked for. */
const STATE = Symbol.for('mapsafe: state of the thread, version 1')
/**
 * Locks by which everybody who has a file sees who else is there: one for each thread record, and one for the thread
 * that takes over from the dead. The system drops them with the thread. See native/platform/record_locks.h.
 */
export interface RecordLocks {
  /**
   * Keeps the open file description that `descriptor` leads to, which was opened for this alone and may be closed then.
   * Nothing happens if there is one already.
   *
   * @returns 0 or an errno value
   */
  open(descriptor: number): number
  /** Whether this system has locks of records. If not, only the functions about the takeover lock are of use. */
  areSupported(): boolean
  /** Takes the lock of a record; false if somebody has it. */
  tryLock(record: number): boolean
  unlock(record: number): void
  /** The same, after which the description is closed unless a lock is left: for who gives a record back. */
  unlockAndClose(record: number): void
  /** False only if certainly nobody has it, this thread included. */
  isLocked(record: number): boolean
  tryLockTakeover(): boolean
  unlockTakeover(): void
}

/** What is done for a thread after its last JavaScript, whatever ended it: `terminate()`, too. */
export interface ExitNote {
  /** Names the record that is to be marked as abandoned, if its owner has this thread's name. */
  note(record: number): void
  cancel(): void
}

/** The addon's functions about threads, for the TypeScript engine. */
export interface ThreadFunctions {
  /** The kernel's number for the calling thread; 0 where there is none. */
  ownThreadId(): number
  /** The locks of the file that a buffer shows; null if it was not made by {@link FileFunctions.mapFile}. */
  openRecordLocks(region: ArrayBuffer): RecordLocks | null
  /** @param name this thread's name in the region: also where it is at the time the one who takes over from the dead */
  noteExit(region: Uint8Array, name: bigint): ExitNote
}

/** The addon's exports; see native/addon. */
export interface NativeBinding extends FileFunctions, ThreadFunctions {
  /**
   * Attaches this thread to a formatted and checked region.
   *
   * @param words the whole region
   * @param pid process id, for other threads to tell who holds what
   * @param threadId `threadId` of `node:worker_threads`
   * @param isOutOfReach whether the memory of an empty `Uint8Array`, given as a key, is gone: Node-API does not tell
   * @returns an `Engine` (src/engine/engine.ts); null if every thread record of the region is taken
   * @throws TypeError if `words` is no Int32Array aligned to 8 bytes
   */
  createEngine(
    words: Int32Array,
    pid: number,
    threadId: number,
    isOutOfReach?: (view: ArrayBufferView) => boolean,
  ): object | null

  /**
   * Has a clock ticking as long as this thread lives, and returns where it shows the time: milliseconds of the
   * monotonic clock, late by 10, or by as long as the ticking thread waits for a processor. To be called once a thread.
   * Null where Node.js allows no external buffers.
   */
  openClock(): Float64Array | null

  /**
   * Stores the milliseconds of the monotonic clock, of the wall clock (since 1970) and since the system started, or
   * NaN, of one instant.
   */
  readClocks(clocks: Float64Array): void

  /** What names this start of the system; empty where nothing does. */
  bootName(): string
}

const WARNED = 'mapsafe: warned that there is no native engine'

let loaded: NativeBinding | undefined
let failure = ''
let clock: Float64Array | null | undefined

/**
 * Loads the native engine: a binary built in place (build/Release), else the prebuilt one of this platform.
 *
 * @returns undefined if there is none, or it does not load here; {@link nativeFailure} tells why. What failed is tried
 *   again the next time, since the reason may pass (no free file descriptor, say).
 */
export function loadNative(): NativeBinding | undefined {
  if (loaded !== undefined) return loaded
  try {
    loaded = load()
  } catch (error) {
    failure = (isNativeError(error) ? error.message : String(error)).split('\n')[0]
  }
  return loaded
}

/**
 * The addon's clock, ticking from now on: see {@link NativeBinding.openClock}. Undefined where there is none, or where
 * a plain load of a double may meet half of it.
 */
export function openNativeClock(): Float64Array | undefined {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined
  clock ??= loadNative()?.openClock() ?? null
  return clock ?? undefined
}

/** Why {@link loadNative} returned undefined the last time, in one line. */
export function nativeFailure(): string {
  return failure
}

/**
 * Warns that the TypeScript engine serves in place of the native one: once in a thread and the workers it starts
 * afterwards.
 */
export function warnWithoutNative(): void {
  if (getEnvironmentData(WARNED) === true) return
  setEnvironmentData(WARNED, true)
  process.emitWarning(`mapsafe runs on its slower TypeScript engine: ${nativeFailure()}`, 'MapsafeWarning')
}

/**
 * State that must be one for the whole thread, however often the package is loaded in it: as an ES module and as a
 * CommonJS one, once for each test file, or again after the cache of modules was cleared. So it hangs on a class of
 * Node.js itself, of which a thread has one: test runners copy `globalThis` and `process` for each file, and the addon's
 * exports are made anew when it is forgotten.
 *
 * @param name what the state is; its shape must not change under one name
 */
export function threadState<T>(name: string, make: () => T): T {
  const owner = Worker as { [STATE]?: Record<string, unknown> | undefined }
  const states: Record<string, unknown> = (owner[STATE] ??= {})
  return (states[name] ??= make()) as T
}

/** The file of a CommonJS module; not there in an ES module. */
declare const __filename: string | undefined

function load(): NativeBinding {
  // A bundler that makes CommonJS of this leaves no `import.meta.url`.
  const here = (import.meta.url as string | undefined) ?? (typeof __filename === 'string' ? __filename : undefined)
  if (here === undefined) throw new Error('a bundler took away where this file is')
  // Not named `require`, which the CommonJS bundle needs to translate `import.meta`.
  const requireFromHere = createRequire(here)
  // The package's own name leads to its root, from the sources as from either bundle.
  const root = dirname(requireFromHere.resolve('mapsafe/package.json'))
  const loadBinary = requireFromHere('node-gyp-build') as (root: string) => NativeBinding
  return loadBinary(root)
}
