import { readOptions, wrongInput } from '../base/arguments.js'
import { inSlices, readSignal, type Job, type SlicedOptions } from '../base/slices.js'
import { describe } from '../base/describe.js'
import { MapsafeError, MapsafeTypeError } from '../base/errors.js'
import { refuseCloning } from '../base/thread-bound.js'
import { isCache, readSettings } from '../format/cache-settings.js'
import { verify } from '../format/check/verify.js'
import { inspectBreaker, type BreakerStats } from '../format/breaker-word.js'
import { inspectCounters, type Counters } from '../format/counters.js'
import type { Key } from '../format/key.js'
import { FORMAT_VERSION, REGISTRY_THREADS } from '../format/layout.js'
import { Region } from '../format/region.js'
import { idOf } from '../format/thread-name.js'
import { nameOf } from '../format/thread-record.js'
import { attachedThreads, threadOf, type AttachedThread, type Registry } from '../format/attached-threads.js'
import { findEntry, walkEntries, type EntriesOptions, type InspectedEntry } from './entries.js'
import { HealthCheck, type HealthReport } from './health.js'
import { lifeSeen } from './life.js'
import { inspectMemory, type MemoryUse } from './memory.js'
import { momentOf } from './moment.js'
import { openSource, type InspectionSource, type Source } from './source.js'
import { inspectRegion, type RegionStats } from './stats.js'
import { valueReader, type ValueReader } from './values.js'

/** Options of {@link openInspection}. Wrong ones, and names that are no options, throw `ERR_MAPSAFE_OPTIONS`. */
export interface InspectionOptions {
  /**
   * Whether to open a map file that other users own or may write to. A user who can write it can make every figure
   * wrong, and can end this process by truncating the file while it is mapped; `copy` is safe from that. Default:
   * false, which refuses such a file with `ERR_MAPSAFE_FILE`.
   */
  readonly trustFile?: boolean | undefined
  /**
   * Whether to read all bytes into memory at once and to inspect those. Then all reports show the same bytes; but if
   * another thread was writing, these bytes are of different times. Takes as much memory as the region is large.
   * Default: false. Where a file cannot be mapped (without the addon, and on Windows), it is always read.
   */
  readonly copy?: boolean | undefined
  /** The time by which entries have expired, in milliseconds of `Date.now()`. Default: the time of each call. */
  readonly now?: number | undefined
}

/** The settings with which a map was made. */
export interface InspectedSettings {
  /** Whether it is a map or a cache. */
  readonly kind: 'map' | 'cache'
  /** Size of the region in bytes, as the option of this name rounded it. */
  readonly maxBytes: number
  /** Milliseconds that entries live by default, `Infinity` for ever; undefined for a map. */
  readonly ttl: number | undefined
  /** Milliseconds that each read lets an entry live longer by default; undefined if reads do not, and for a map. */
  readonly slidingTtl: number | undefined
  /** The largest part of a lifetime that is left out at random; undefined for none. */
  readonly ttlJitter: number | undefined
  /** The most entries of a cache; undefined for as many as there is room for, and for a map. */
  readonly maxEntries: number | undefined
  /** Version of the format of the bytes. */
  readonly formatVersion: number
}

/** The figures of `map.stats()`, without those of a map object's own thread. */
export interface InspectedStats extends RegionStats {
  /** Counts of all threads. Each thread adds its latest reads only after about a second. */
  readonly counters: Counters
  /** The circuit breaker of a cache's loads; undefined for a map. */
  readonly breaker: BreakerStats | undefined
  /** Bytes by their use. */
  readonly memory: MemoryUse
  /** Absolute path of the file; undefined for memory. */
  readonly file: string | undefined
}

/** A thread that has the map open, or had it open when the bytes were copied. */
export interface InspectedThread extends AttachedThread {
  /** Number of its thread record. */
  readonly record: number
  /** The system's id of the thread (on Linux its thread id), in its own PID namespace. */
  readonly kernelThreadId: number
}

/** The result of {@link Inspection.verify}. */
export interface InspectedVerification {
  /** Whether there is no problem. */
  readonly ok: boolean
  /** One line for each problem, up to a hundred. */
  readonly problems: readonly string[]
}

/**
 * Opens a map or cache for inspection, without taking part in it: it takes no thread record, no lock and no writable
 * mapping, and changes no byte. Works with read-only files. O(1) where the memory is shared or mapped, O(bytes) where
 * it is copied or read. Any thread may call it, at any time.
 *
 * @param source a {@link InspectionSource}: a path, a handle, or bytes
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument, `ERR_MAPSAFE_FILE` if the system refuses or the file
 * is not trusted, `ERR_MAPSAFE_FORMAT` if it is not a region of this version, or not a whole one; an
 * `ERR_MAPSAFE_OPTIONS` also says that a file is larger than this Node.js can map (4 GiB before version 22)
 */
export function openInspection(source: InspectionSource, options: InspectionOptions = {}): Inspection {
  const { trustFile = false, copy = false, now } = readOptions(options, ['trustFile', 'copy', 'now'])
  checkFlag('trustFile', trustFile)
  checkFlag('copy', copy)
  if (now !== undefined && !(typeof now === 'number' && Number.isFinite(now))) {
    throw wrongInput('Option now', now, 'a time in milliseconds since 1970')
  }
  return new Inspection(openSource(source, trustFile, copy), now)
}

/** What structured clone says of an inspection. */
const SEND_SOURCE = Symbol(
  'An Inspection belongs to the thread that made it: send what it was opened with, and open that with openInspection. It',
)

/** Forgets the files of inspections that were dropped without being closed. */
const forgotten = new FinalizationRegistry<Source>((source) => source.close())

/**
 * A map or cache under inspection. Every report shows its state at the time of the call.
 *
 * Thread safety: one thread; other threads may write meanwhile. Then the figures of a report are from slightly
 * different times, and each entry is shown as it was at some instant of the walk.
 *
 * Errors: every method and property but {@link Inspection.close} throws a MapsafeError `ERR_MAPSAFE_CLOSED` once the
 * inspection is closed, or its memory was transferred to another thread. Unless its comment gives another cost, it
 * takes O(1).
 */
export class Inspection {
  #source: Source | undefined
  readonly #region: Region
  readonly #now: number | undefined
  readonly #bytes: number
  readonly #registry: Registry
  readonly #health: HealthCheck
  readonly #readValue: ValueReader

  /**
   * Use {@link openInspection} instead.
   *
   * @internal
   */
  constructor(source: Source, now: number | undefined) {
    this.#source = source
    this.#region = new Region(source.region)
    this.#now = now
    const { words } = this.#region
    this.#bytes = words.byteLength
    this.#readValue = valueReader(this.#region)
    this.#registry = { words, lifeOf: (record) => lifeSeen(words, record, (index) => source.isLocked(index)) }
    this.#health = new HealthCheck(words, { records: 0, isLive: source.isLive })
    refuseCloning(this, SEND_SOURCE)
    forgotten.register(this, source, this)
  }

  /** The settings with which the map was made. */
  get settings(): InspectedSettings {
    this.#open()
    const { words } = this.#region
    const kind = isCache(words.buffer) ? 'cache' : 'map'
    const { ttl, slidingTtl, ttlJitter, maxEntries } = readSettings(words)
    return { kind, maxBytes: this.#bytes, ttl, slidingTtl, ttlJitter, maxEntries, formatVersion: FORMAT_VERSION }
  }

  /** Absolute path of the file; undefined for memory. */
  get file(): string | undefined {
    return this.#open().file
  }

  /** Whether reports show later writes of other threads. */
  get isLive(): boolean {
    return this.#open().isLive
  }

  /** Whether the file is a copy of a map file that nobody has opened yet. */
  get isCopy(): boolean {
    return this.#open().isCopy
  }

  /** Returns the figures of `map.stats()`, without hot keys. O(segments + spans). */
  stats(): InspectedStats {
    const { file } = this.#open()
    const { words } = this.#region
    const { steps } = momentOf(this.#region, this.#now)
    return {
      ...inspectRegion(this.#registry),
      counters: inspectCounters(words),
      breaker: inspectBreaker(words, (time) => Math.floor(time + steps)),
      memory: inspectMemory(words),
      file,
    }
  }

  /**
   * Judges the map as `map.health()` does. Near reads are those since the last call, or since the inspection was
   * opened. O(slots + free blocks).
   */
  health(): HealthReport {
    this.#open()
    return this.#health.run(this.#registry, momentOf(this.#region, this.#now).time)
  }

  /**
   * Judges as {@link Inspection.health} does, in slices of a millisecond, between which the event loop has a turn.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option; the signal's reason if that aborts. All errors
   * reject the call.
   */
  async healthAsync(options?: SlicedOptions): Promise<HealthReport> {
    this.#open()
    const signal = readSignal(options)
    const job = this.#health.running(this.#registry, momentOf(this.#region, this.#now).time)
    return inSlices(this.#whileOpen(job), signal)
  }

  /**
   * Checks every structural invariant, as `map.verify()` does, and whether the bytes were copied while a thread had the
   * map open. O(size of the map). While other threads write, a write under way may be taken for a fault: call it again,
   * or close the map first.
   */
  verify(): InspectedVerification {
    const { isCopy, isRead } = this.#open()
    const problems = verify(this.#region)
    const threads = isCopy || isRead ? attachedThreads(this.#registry).length : 0
    if (threads > 0) {
      problems.unshift(`it was copied while threads (${threads}) had it open: its parts may be of different times`)
    }
    return { ok: problems.length === 0, problems }
  }

  /**
   * Returns the threads that have the map open, in the order of their records. O(128), the number of thread records,
   * and some system calls for each thread.
   */
  threads(): InspectedThread[] {
    this.#open()
    const threads: InspectedThread[] = []
    for (let record = 0; record < REGISTRY_THREADS; record++) {
      const kernelThreadId = idOf(nameOf(this.#region.words, record))
      const thread = threadOf(this.#registry, record)
      if (thread !== undefined) threads.push({ ...thread, record, kernelThreadId })
    }
    return threads
  }

  /** Yields the keys of {@link Inspection.entries}, with its options, its cost and its errors. */
  *keys(options: EntriesOptions = {}): Generator<Key, undefined, undefined> {
    for (const { key } of this.entries(options)) yield key
    return undefined
  }

  /**
   * Yields the properties of each entry, with `values` also its value, in no particular order, a segment at a time. An entry that
   * is there throughout appears exactly once, as it was at some instant; one that comes or goes meanwhile appears once
   * or not at all; no key appears twice. Does not count as a use of an entry. O(slots + bytes of keys) for a whole
   * walk, with `values` also of those, which keeps one segment in memory.
   *
   * @throws MapsafeError at the first step for wrong options; `ERR_MAPSAFE_CORRUPT` at a damaged entry or segment,
   * unless `onProblem` is given; `ERR_MAPSAFE_TIMEOUT`, likewise, if other threads write a segment for 2 seconds so
   * often that it has no instant of rest; `ERR_MAPSAFE_CLOSED` once the inspection is closed
   */
  entries(options: EntriesOptions = {}): Generator<InspectedEntry, undefined, undefined> {
    this.#open()
    const given = readOptions(options, ['expired', 'leases', 'deleted', 'values', 'onProblem'])
    for (const name of ['expired', 'leases', 'deleted', 'values'] as const) checkFlag(name, given[name] ?? false)
    if (given.onProblem !== undefined && typeof given.onProblem !== 'function') {
      throw wrongInput('Option onProblem', given.onProblem, 'a function')
    }
    return walkEntries(
      this.#region,
      given,
      this.#readValue,
      () => momentOf(this.#region, this.#now),
      () => void this.#open(),
    )
  }

  /**
   * Returns the entry of a key with its value, also one that has expired, and a lease without a value; undefined if there is
   * none. Does not count as a use of the entry. O(slots of a segment + its bytes).
   *
   * @throws MapsafeError as {@link Inspection.entries} does
   */
  find(key: Key): InspectedEntry | undefined {
    this.#open()
    return findEntry(this.#region, key, this.#readValue, () => momentOf(this.#region, this.#now))
  }

  /** Iterates as {@link Inspection.entries} without options does. */
  [Symbol.iterator](): Generator<InspectedEntry, undefined, undefined> {
    return this.entries()
  }

  /**
   * Ends the inspection. A mapping is removed when the garbage collector has found it unused. Closing again does
   * nothing. An inspection that is dropped closes by itself.
   */
  close(): void {
    forgotten.unregister(this)
    this.#source?.close()
    this.#source = undefined
  }

  /** Calls {@link Inspection.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  *#whileOpen<T>(job: Job<T>): Job<T> {
    for (;;) {
      this.#open()
      const step = job.next()
      if (step.done === true) return step.value
      yield step.value
    }
  }

  /** @throws MapsafeError `ERR_MAPSAFE_CLOSED` */
  #open(): Source {
    const source = this.#source
    // A buffer that was transferred to another thread has length 0 here.
    if (source?.region.byteLength === this.#bytes) return source
    throw new MapsafeError(
      'ERR_MAPSAFE_CLOSED',
      source === undefined
        ? 'The inspection is closed. Open another one.'
        : 'The memory was transferred to another thread. Inspect it there.',
    )
  }
}

function checkFlag(name: string, given: unknown): asserts given is boolean {
  if (typeof given === 'boolean') return
  throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option ${name} is ${describe(given)}; expected true or false.`)
}
