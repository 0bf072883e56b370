import { readOptions, wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeError, MapsafeTypeError } from '../base/errors.js'
import { isCache, readSettings } from '../format/cache-settings.js'
import { verify } from '../format/check/verify.js'
import { inspectCounters, type Counters } from '../format/counters.js'
import type { Key } from '../format/key.js'
import { FORMAT_VERSION, REGISTRY_THREADS } from '../format/layout.js'
import { Region } from '../format/region.js'
import { idOf } from '../format/thread-name.js'
import { nameOf } from '../format/thread-record.js'
import { attachedThreads, threadOf, type AttachedThread, type Registry } from '../format/attached-threads.js'
import { walkEntries, type EntriesOptions, type InspectedEntry } from './entries.js'
import { HealthCheck, type HealthReport } from './health.js'
import { lifeSeen } from './life.js'
import { inspectMemory, type MemoryUse } from './memory.js'
import { momentOf } from './moment.js'
import { openSource, type InspectionSource, type Source } from './source.js'
import { inspectRegion, type RegionStats } from './stats.js'

/** Options of {@link openInspection}. */
export interface InspectionOptions {
  /**
   * Whether to open a map file that other users own or may write to. Who can write it can make every figure wrong, and,
   * by cutting the file off while it is mapped, end this process: `copy` is safe from that. Default false: such a file is
   * refused.
   */
  readonly trustFile?: boolean | undefined
  /**
   * Whether to read all bytes into memory at once and to inspect those. Then all reports are of the same bytes; but if
   * somebody was writing, of bytes of different times. Default false; where a file cannot be mapped (without the addon,
   * and on Windows), files are always read.
   */
  readonly copy?: boolean | undefined
  /** The time by which entries have expired, in milliseconds of `Date.now()`. Default: the time of each call. */
  readonly now?: number | undefined
}

/** What a map was made with. */
export interface InspectedSettings {
  /** Which of the two it is. */
  readonly kind: 'map' | 'cache'
  /** Size of the region. */
  readonly maxBytes: number
  /** Of a cache: milliseconds that its entries live by default. */
  readonly ttl: number | undefined
  /** Of a cache: the most entries; undefined for as many as there is room for. */
  readonly maxEntries: number | undefined
  /** Version of the format of the bytes. */
  readonly formatVersion: number
}

/** As `map.stats()`, but for what a map object does in its own thread. */
export interface InspectedStats extends RegionStats {
  /** Threads keep their latest reads for themselves for about a second. */
  readonly counters: Counters
  /** Bytes by what they are for. */
  readonly memory: MemoryUse
  /** Absolute path of the file; undefined for memory. */
  readonly file: string | undefined
}

/** A thread that has the map open, or had it open when the bytes were copied. */
export interface InspectedThread extends AttachedThread {
  /** Number of its thread record. */
  readonly record: number
  /** What the system calls it (on Linux its thread id), in its own PID namespace. */
  readonly kernelThreadId: number
}

/** What {@link Inspection.verify} found. */
export interface InspectedVerification {
  /** Whether there is no problem. */
  readonly ok: boolean
  /** One line each, up to a hundred. */
  readonly problems: readonly string[]
}

/**
 * Opens a map or cache to look at it, without having a part in it: no thread record, no lock, no writable mapping, no
 * byte of it changed. Works with files that may only be read.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument, `ERR_MAPSAFE_FILE` if the system refuses or the file is
 *   not to be trusted, `ERR_MAPSAFE_FORMAT` if it is no region of this version, or not all of one
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

/** Forgets the files of inspections that nobody closed. */
const forgotten = new FinalizationRegistry<Source>((source) => source.close())

/**
 * A map or cache that is looked at. Every report is of what is there when it is asked for.
 *
 * Thread safety: one thread; others may write meanwhile. Then figures are a little apart from each other in time, and each
 * entry is told as it was at some instant of the walk.
 */
export class Inspection {
  #source: Source | undefined
  readonly #region: Region
  readonly #now: number | undefined
  readonly #bytes: number
  readonly #registry: Registry
  readonly #health: HealthCheck

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
    this.#registry = { words, lifeOf: (record) => lifeSeen(words, record, (index) => source.isLocked(index)) }
    this.#health = new HealthCheck(words, { records: 0, isLive: source.isLive })
    forgotten.register(this, source, this)
  }

  /** What the map was made with. */
  get settings(): InspectedSettings {
    this.#open()
    const { words } = this.#region
    const kind = isCache(words.buffer) ? 'cache' : 'map'
    const { ttl, maxEntries } = readSettings(words)
    return { kind, maxBytes: this.#bytes, ttl, maxEntries, formatVersion: FORMAT_VERSION }
  }

  /** Absolute path of the file; undefined for memory. */
  get file(): string | undefined {
    return this.#open().file
  }

  /** Whether what others write is seen. */
  get isLive(): boolean {
    return this.#open().isLive
  }

  /** Whether the file is a copy of a map file that nobody has opened yet. */
  get isCopy(): boolean {
    return this.#open().isCopy
  }

  /** Figures as `map.stats()` tells them, but for hot keys. O(segments + spans). */
  stats(): InspectedStats {
    const { file } = this.#open()
    const { words } = this.#region
    return {
      ...inspectRegion(this.#registry),
      counters: inspectCounters(words),
      memory: inspectMemory(words),
      file,
    }
  }

  /**
   * Judges the map as `map.health()` does. Near reads are those since the inspection was opened or asked last. O(slots +
   * free blocks).
   */
  health(): HealthReport {
    this.#open()
    return this.#health.run(this.#registry, momentOf(this.#region, this.#now).time)
  }

  /**
   * Checks every structural invariant, as `map.verify()` does, and whether the bytes were copied while somebody had the map
   * open. O(size of the map). While others write, what is under way may be taken for a fault: ask again, or close the map
   * first.
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

  /** The threads that have the map open, in the order of their records. Some system calls for each. */
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

  /** The keys of {@link Inspection.entries}. */
  *keys(options: EntriesOptions = {}): Generator<Key, undefined, undefined> {
    for (const { key } of this.entries(options)) yield key
    return undefined
  }

  /**
   * What is known about each entry, but its value, in no particular order, a segment at a time. An entry that is there
   * throughout is met exactly once, and told as it was at some instant; one that comes or goes meanwhile is met once or
   * not at all; no key is met twice. Counts as no use of an entry.
   *
   * @throws MapsafeError at the first step for wrong options; `ERR_MAPSAFE_CORRUPT`, unless there is `onProblem`, at what
   *   is damaged; `ERR_MAPSAFE_TIMEOUT`, likewise, if others write a segment for 2 seconds so often that it has no instant
   *   of rest; `ERR_MAPSAFE_CLOSED` once the inspection is closed
   */
  entries(options: EntriesOptions = {}): Generator<InspectedEntry, undefined, undefined> {
    this.#open()
    const given = readOptions(options, ['expired', 'leases', 'onProblem'])
    checkFlag('expired', given.expired ?? false)
    checkFlag('leases', given.leases ?? false)
    if (given.onProblem !== undefined && typeof given.onProblem !== 'function') {
      throw wrongInput('Option onProblem', given.onProblem, 'a function')
    }
    return walkEntries(
      this.#region,
      given,
      () => momentOf(this.#region, this.#now),
      () => void this.#open(),
    )
  }

  /** As {@link Inspection.entries} without options. */
  [Symbol.iterator](): Generator<InspectedEntry, undefined, undefined> {
    return this.entries()
  }

  /** Ends the inspection. A mapping goes when it was collected as garbage. Closing twice is fine. */
  close(): void {
    forgotten.unregister(this)
    this.#source?.close()
    this.#source = undefined
  }

  /** As {@link Inspection.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** @throws MapsafeError `ERR_MAPSAFE_CLOSED` */
  #open(): Source {
    const source = this.#source
    // What was transferred to another thread is no longer here.
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
