import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { getEnvironmentData, setEnvironmentData, Worker } from 'node:worker_threads'
import { isNativeError } from './brands.js'

/**
 * The addon's functions for files. Unless their comments say otherwise, they return 0 or an errno value. See
 * native/platform/mapped_file.h.
 */
export interface FileFunctions {
  /**
   * Makes a file of mode 0600 in `directory` that has no name yet.
   *
   * @returns a descriptor, or a negative errno value where the system has no such files
   */
  openAnonymousFile(directory: string): number
  /** Closes what {@link FileFunctions.openAnonymousFile} opened. */
  closeAnonymousFile(descriptor: number): void
  /** Gives an anonymous file its name; EEXIST if the name is taken. */
  nameFile(descriptor: number, path: string): number
  /** Renames a file, open and mapped or not, unless the new name is taken: EEXIST. On Windows alone. */
  renameNew(from: string, to: string): number
  /** Makes a file `bytes` long and allocates all its blocks; new bytes are zero. */
  allocateFile(descriptor: number, bytes: number): number
  /**
   * Maps the file's first `bytes` bytes, shared with all threads that map it, until the buffer is collected. `bytes` is
   * at most the file's length and `buffer.constants.MAX_LENGTH`.
   */
  mapFile(descriptor: number, bytes: number): ArrayBuffer | number
  /**
   * Maps as {@link FileFunctions.mapFile} does, but a store to the buffer ends the process, and no engine may work on
   * it.
   */
  mapFileForReading(descriptor: number, bytes: number): ArrayBuffer | number
  /**
   * Returns whether a thread has the lock of a record of the file that `descriptor`, of any kind, leads to: 1 if so, 0
   * if certainly none has, -1 if that cannot be found out. Takes no lock.
   */
  lookAtRecordLock(descriptor: number, record: number): number
  /**
   * Takes the lock under which a copied file is checked: EAGAIN if another descriptor has it, EBUSY if a process has
   * the file open already. See native/platform/copy_lock.h.
   */
  lockCopy(descriptor: number): number
  unlockCopy(descriptor: number): void
}

/** The property in which {@link threadState} keeps all states. */
const STATE = Symbol.for('mapsafe: state of the thread, version 1')
/**
 * Locks by which each thread that has a file open sees the others: one for each thread record, and one for the thread
 * that takes over from the dead. The system drops them with the thread. See native/platform/record_locks.h.
 */
export interface RecordLocks {
  /**
   * Keeps the open file description that `descriptor` leads to. The descriptor was opened for this alone, and may be
   * closed afterwards. Does nothing if a description is kept already.
   *
   * @returns 0 or an errno value
   */
  open(descriptor: number): number
  /** Returns whether this system has locks of records. If not, only the functions about the takeover lock work. */
  areSupported(): boolean
  /** Takes the lock of a record; false if another thread has it. */
  tryLock(record: number): boolean
  unlock(record: number): void
  /** Unlocks a record, and closes the description unless a lock is left: for a thread that gives its record back. */
  unlockAndClose(record: number): void
  /** Returns whether a thread has the lock of a record: false only if certainly none has it, this thread included. */
  isLocked(record: number): boolean
  tryLockTakeover(): boolean
  unlockTakeover(): void
}

/** Work that is done for a thread after its last JavaScript, for any kind of end, including `terminate()`. */
export interface ExitNote {
  /** Names the record to mark as abandoned, if its owner has this thread's name. */
  note(record: number): void
  cancel(): void
}

/** The addon's functions about threads, for the TypeScript engine. */
export interface ThreadFunctions {
  /** Returns the kernel's number for the calling thread; 0 where the system has none. */
  ownThreadId(): number
  /**
   * Returns the locks of the file that a buffer maps; null if {@link FileFunctions.mapFile} did not make the buffer.
   */
  openRecordLocks(region: ArrayBuffer): RecordLocks | null
  /**
   * Notes the end of this thread.
   *
   * @param name this thread's name in the region; marked also where this thread has the takeover lock at its end
   */
  noteExit(region: Uint8Array, name: bigint): ExitNote
}

/** A thread's part in the wake-ups of a region. It keeps neither the thread nor the region. */
export interface Listening {
  /** Has a change of the word told, if it has another value than `value` now or later. */
  watch(index: number, value: number): void
  close(): void
}

/** The addon's functions about waiting; see native/addon/wake_ups.h. */
export interface WaitFunctions {
  /**
   * Listens to a region.
   *
   * @param onWake called, as a task of its own, when a word watched in a file changed; in other memory when a thread
   * ended without a last word
   * @returns null where the system cannot wake
   */
  listen(words: Int32Array, onWake: () => void): Listening | null
  /** Wakes all processes that listen to the file of this region. */
  ringBell(words: Int32Array): void
}

/** The addon's exports; see native/addon. */
export interface NativeBinding extends FileFunctions, ThreadFunctions, WaitFunctions {
  /**
   * Attaches this thread to a formatted and checked region.
   *
   * @param words the whole region
   * @param pid process id, which shows other threads who holds what
   * @param threadId `threadId` of `node:worker_threads`
   * @param isOutOfReach whether the memory of an empty `Uint8Array`, given as a key, is gone, which Node-API does not
   * report
   * @param wake called with the index of a word at which threads of this process wait by `Atomics.waitAsync`; left out
   * in a file
   * @returns an `Engine` (src/engine/engine.ts); null if every thread record of the region is taken
   * @throws TypeError if `words` is no Int32Array aligned to 8 bytes
   */
  createEngine(
    words: Int32Array,
    pid: number,
    threadId: number,
    isOutOfReach?: (view: ArrayBufferView) => boolean,
    wake?: (at: number) => void,
  ): object | null

  /**
   * Starts a clock thread that ticks as long as this thread lives, and returns the place where it shows the time:
   * milliseconds of the monotonic clock, late by up to 10, or by as long as the clock thread waits for a processor.
   * Called once a thread. Null where Node.js allows no external buffers.
   */
  openClock(): Float64Array | null

  /**
   * Stores three times of one instant, in milliseconds: of the monotonic clock, of the wall clock (since 1970), and
   * since the system started, or NaN.
   */
  readClocks(clocks: Float64Array): void

  /** Returns the name of this start of the system; empty where it has none. */
  bootName(): string
}

const WARNED = 'mapsafe: warned that there is no native engine'

let loaded: NativeBinding | undefined
let failure = ''
let clock: Float64Array | null | undefined

/**
 * Loads the native engine: a binary built in place (build/Release), else the prebuilt one of this platform.
 *
 * @returns undefined if there is no binary, or it does not load here; {@link nativeFailure} says why. The next call
 * tries again after a failure, since the reason may pass (no free file descriptor, say).
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
 * Starts the addon's clock thread: see {@link NativeBinding.openClock}. Undefined without one, or where a plain load of
 * a double may read halves of two values.
 */
export function openNativeClock(): Float64Array | undefined {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined
  clock ??= loadNative()?.openClock() ?? null
  return clock ?? undefined
}

/** Returns why {@link loadNative} last returned undefined, in one line. */
export function nativeFailure(): string {
  return failure
}

/**
 * Warns that the TypeScript engine is used in place of the native one: once in a thread and the workers it starts
 * afterwards.
 */
export function warnWithoutNative(): void {
  if (getEnvironmentData(WARNED) === true) return
  setEnvironmentData(WARNED, true)
  process.emitWarning(`mapsafe runs on its slower TypeScript engine: ${nativeFailure()}`, 'MapsafeWarning')
}

/**
 * Returns state that the whole thread shares, no matter how often the package is loaded in it: as an ES module and as a
 * CommonJS one, once for each test file, or again after the cache of modules was cleared. So the state is a property of
 * a class of Node.js itself, of which a thread has one: test runners copy `globalThis` and `process` for each file, and
 * the addon's exports are made anew when it is forgotten.
 * @param name the name of the state, whose shape must not change under one name
 */
export function threadState<T>(name: string, make: () => T): T {
  const owner = Worker as { [STATE]?: Record<string, unknown> | undefined }
  const states: Record<string, unknown> = (owner[STATE] ??= {})
  return (states[name] ??= make()) as T
}

/** The file of a CommonJS module; not defined in an ES module. */
declare const __filename: string | undefined

function load(): NativeBinding {
  // A bundler that makes CommonJS from this module removes `import.meta.url`.
  const here = (import.meta.url as string | undefined) ?? (typeof __filename === 'string' ? __filename : undefined)
  if (here === undefined) throw new Error('a bundler took away where this file is')
  // Not named `require`, which the CommonJS bundle needs to translate `import.meta`.
  const requireFromHere = createRequire(here)
  // The package's own name leads to its root, both from the sources and from either bundle.
  const root = dirname(requireFromHere.resolve('mapsafe/package.json'))
  const loadBinary = requireFromHere('node-gyp-build') as (root: string) => NativeBinding
  return loadBinary(root)
}
