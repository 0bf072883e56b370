import type { Key } from '../../format/key.js'
import { tooManyThreads } from '../engine-error.js'
import { BLOCK_WORDS, ENTRY_COUNTER, ENTRY_NODE, LABEL_WORDS, MAX_ENTRY_LABELS } from '../../format/layout.js'
import {
  ABSENT,
  CORRUPT,
  DONE,
  ENTRY_TOO_LARGE,
  FOUND,
  KEY_TYPE,
  PUT_ALWAYS,
  PUT_NARROW,
  RESULT_ENTRY,
  RESULT_EXPIRES_AT,
  RESULT_FOUND_LABELS,
  RESULT_GIVEN_LABELS,
  RESULT_HOME,
  RESULT_HOME_VERSION,
  RESULT_OF_FOUND_LABELS,
  RESULT_STALE_UNTIL,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  TIMEOUT,
  UNCHANGED,
  givenLabels,
  type Engine,
  type RepairReport,
} from '../engine.js'
import { Backoff } from './threads/backoff.js'
import { getMany, putMany, removeMany } from './batches.js'
import { clear, sweep } from './write/cleanup.js'
import { Collector } from './walk/collect.js'
import { closeAtExit, closed } from './threads/exit.js'
import { lifeOf } from './threads/liveness.js'
import { Core } from './core.js'
import { Eviction } from './eviction/eviction.js'
import { partitionsOf } from '../../format/eviction-area.js'
import { Edit } from './write/edit.js'
import { copyWords, labelCountOf, labelsAt, metaOf, versionAt, VERSION_HIGH_MASK, NEVER } from '../../format/entry.js'
import { now } from './index/expiry.js'
import type { Shape } from '../../format/shapes.js'
import { endWatching } from '../../format/feed.js'
import { watch } from './feed/watch.js'
import { checkRegion } from '../../format/header.js'
import { Region } from '../../format/region.js'
import { repair } from './check/repair.js'
import { isLease } from '../../format/lease.js'
import { SnapshotJob, takeSnapshot } from './walk/snapshot.js'
import { ShapeAdder } from './shapes/add-shape.js'
import { holdKey, letGo } from './write/structural.js'
import { takeOverFromDead } from './threads/takeover.js'
import { announceWait, wakeAllWaiting } from './threads/waits.js'
import { waitWordAt } from '../../format/wait-words.js'
import { ThreadRecord } from './threads/thread-record.js'
import { WaitBudget } from './threads/wait-budget.js'
import { ValueReader, ValueWriter } from './index/value.js'
import { verify } from '../../format/check/verify.js'
import { invalidate } from './write/invalidate.js'
import { makeLabelTable } from './write/label-table.js'
import { incrementEntry, putEntry, putHeldEntry, removeEntry, removeHeldEntry } from './write/write.js'
import { staleUntil } from '../../format/expiry.js'
import { sumOfSizeDeltas } from '../../format/thread-record.js'

/** A version that no entry has. */
const NO_VERSION = 0
/** So often a lookup looks again at an expired entry in a home that is held: for some 12 milliseconds. */
const HELD_LOOKS = 80

/**
 * The engine in TypeScript: the same bytes and the same protocol as the native one, over `Atomics`.
 *
 * Thread safety: an engine belongs to the thread that made it. Any number of engines may work on one region.
 */
export class TypescriptEngine implements Engine {
  readonly kind = 'typescript'
  readonly words: Int32Array
  readonly result: Int32Array
  private readonly core: Core
  private readonly reader: ValueReader
  private readonly writer: ValueWriter
  private readonly edit: Edit
  private readonly collector: Collector
  private readonly shapes: ShapeAdder
  private readonly snapshots = new Map<number, SnapshotJob>()
  private snapshotCount = 0
  /** Word index from which the last reported version was read, if an entry was found; else 0. */
  private reportedCell = 0

  /**
   * Takes a thread record of the region in `buffer`. O(records).
   *
   * @throws {@link MapsafeError} ERR_MAPSAFE_FORMAT if the buffer holds no region, ERR_MAPSAFE_THREADS if all records
   *   are taken
   */
  constructor(buffer: SharedArrayBuffer | ArrayBuffer) {
    checkRegion(buffer)
    const region = new Region(buffer)
    const thread = ThreadRecord.attach(region.words, takeOverFromDead)
    if (thread === undefined) throw tooManyThreads()
    this.core = new Core(region, thread, new WaitBudget(region.words, thread.mark, thread.at, takeOverFromDead))
    if (this.core.isCache && partitionsOf(region).length > 0) this.core.evictor = new Eviction(this.core)
    this.words = region.words
    this.result = this.core.result
    this.reader = new ValueReader(this.core)
    this.writer = new ValueWriter(this.core)
    this.edit = new Edit(this.core)
    this.collector = new Collector(this.core)
    this.shapes = new ShapeAdder(this.core)
    closeAtExit(this)
  }

  get mark(): number {
    return this.core.thread.mark
  }

  get scratch(): Uint8Array {
    return this.core.scratch
  }

  growScratch(bytes: number): void {
    this.core.growScratch(bytes)
  }

  shrinkScratch(): void {
    this.core.shrinkScratch()
  }

  get(key: Key): unknown {
    return this.find(key, NO_VERSION, false, true)
  }

  getIfChanged(key: Key, version: number): unknown {
    return this.find(key, version, false, true)
  }

  getPassing(key: Key): unknown {
    return this.find(key, NO_VERSION, false, false)
  }

  getForLoad(key: Key): unknown {
    return this.find(key, NO_VERSION, true, true)
  }

  peek(key: Key): void {
    if (!this.setKey(key)) return
    const { lookup } = this.core
    let backoff: Backoff | undefined
    let heldLooks = 0
    for (;;) {
      if (!lookup.locate()) {
        this.core.end(CORRUPT)
        return
      }
      lookup.walk()
      const hasExpired = lookup.slot >= 0 && lookup.hasExpired()
      if (hasExpired && lookup.isHomeHeld() && heldLooks++ < HELD_LOOKS) {
        backoff ??= Backoff.forOthers(this.core.budget)
        if (backoff.wait()) continue
      }
      const isPresent = lookup.slot >= 0 && !hasExpired && !isLease(this.words, lookup.entry)
      if (isPresent) this.reportEntry(FOUND)
      else this.reportAbsence(lookup.slot < 0 && lookup.isDamaged ? CORRUPT : ABSENT)
      if (lookup.unchanged() && (lookup.slot >= 0 || lookup.stillMaps())) return
      backoff ??= Backoff.forOthers(this.core.budget)
      if (!backoff.wait()) {
        this.core.end(TIMEOUT)
        return
      }
    }
  }

  put(
    key: Key,
    kind: number,
    value: unknown,
    mode: number,
    version = 0,
    expiresAt = NEVER,
    staleUntil = NEVER,
  ): unknown {
    if (!this.setKey(key)) return undefined
    const isNarrow = (mode & PUT_NARROW) !== 0
    this.writer.measure(kind, value, expiresAt, staleUntil, givenLabels(this.result), isNarrow)
    const previous = putEntry(this.core, this.edit, this.writer, mode, version)
    this.result[RESULT_GIVEN_LABELS] = 0
    this.writer.clear()
    return previous
  }

  remove(key: Key, mode: number, version = 0): unknown {
    if (!this.setKey(key)) return undefined
    return removeEntry(this.core, this.edit, mode, version)
  }

  increment(key: Key, by: number, expiresAt = NEVER, mode = PUT_ALWAYS): number {
    if (!this.setKey(key)) return 0
    return incrementEntry(this.core, this.edit, this.writer, by, expiresAt, mode)
  }

  hold(key: Key): unknown {
    if (!this.setKey(key)) return undefined
    const value = holdKey(this.core, this.reader)
    if (this.core.heldSegment === 0) return value
    const status = this.result[RESULT_STATUS]
    if (status === ABSENT) this.reportAbsence(status)
    else this.reportEntry(status)
    return value
  }

  putHeld(key: Key, kind: number, value: unknown, expiresAt = NEVER, staleUntil = NEVER): void {
    if (!this.setKey(key)) return
    this.writer.measure(kind, value, expiresAt, staleUntil, givenLabels(this.result))
    this.result[RESULT_GIVEN_LABELS] = 0
    putHeldEntry(this.core, this.edit, this.writer)
    this.writer.clear()
  }

  removeHeld(key: Key): void {
    if (this.setKey(key)) removeHeldEntry(this.core, this.edit)
  }

  letGo(): void {
    letGo(this.core)
  }

  makeLabelTable(level: number): void {
    this.core.beginCall()
    makeLabelTable(this.core, level)
  }

  invalidate(name: string, own: number, shared: number): void {
    if (this.setKey(name)) invalidate(this.core, own, shared)
  }

  announce(key: Key): number {
    if (!this.setKey(key)) return 0
    const at = waitWordAt(this.core.lookup.hash)
    this.result[RESULT_VERSION_LOW] = announceWait(this.words, at)
    return at
  }

  watch(): void {
    this.core.beginCall()
    watch(this.core)
  }

  unwatch(): void {
    endWatching(this.words, this.core.thread.at)
    this.core.end(DONE)
  }

  getMany(keys: readonly Key[], values: unknown[], from: number): number {
    return getMany(this.core, this, keys, values, from)
  }

  putMany(
    keys: readonly Key[],
    kinds: readonly number[],
    operands: readonly unknown[],
    from: number,
    to: number,
    expiresAt = NEVER,
  ): number {
    return putMany(this.core, this, keys, kinds, operands, from, to, expiresAt)
  }

  removeMany(keys: readonly Key[]): number {
    return removeMany(this.core, this, keys)
  }

  size(): number {
    // A deletion may be counted before its insert by another thread; callers must not see "minus one".
    return Math.max(0, sumOfSizeDeltas(this.words))
  }

  clear(fromHash: number, segments: number): number {
    this.core.beginCall()
    return clear(this.core, fromHash, segments)
  }

  collect(fromHash: number, endHash: number, limit: number): number {
    this.core.beginCall()
    return this.collector.collect(fromHash, endHash, limit)
  }

  now(): number {
    return now(this.core.region)
  }

  sweep(fromHash: number, budget: number): number {
    this.core.beginCall()
    return sweep(this.core, fromHash, budget)
  }

  snapshot(): Int32Array<ArrayBuffer>[] {
    this.core.beginCall()
    return takeSnapshot(this.core)
  }

  beginSnapshot(): number {
    this.snapshots.set(++this.snapshotCount, new SnapshotJob(this.core))
    return this.snapshotCount
  }

  copyAhead(job: number, segments: number): boolean {
    this.core.beginCall()
    return this.snapshots.get(job)?.copyAhead(segments) ?? true
  }

  finishSnapshot(job: number): void {
    this.core.beginCall()
    this.snapshots.get(job)?.finish()
  }

  nextPiece(job: number): Int32Array<ArrayBuffer> | undefined {
    return this.snapshots.get(job)?.pieces.pop()
  }

  dropSnapshot(job: number): void {
    this.snapshots.delete(job)
  }

  repair(): RepairReport {
    this.core.beginCall()
    return repair(this.core)
  }

  lifeOf(record: number): number {
    return lifeOf(this.words, record)
  }

  readShape(id: number): Shape | undefined {
    return this.shapes.table.read(id)
  }

  addShape(parent: number, name: string): number {
    this.core.beginCall()
    return this.shapes.add(parent, name)
  }

  verify(): string[] {
    return verify(this.core.region)
  }

  close(): void {
    this.core.beginCall()
    letGo(this.core)
    closed(this)
    this.core.blocks.flush()
    this.core.thread.detach()
    // A load of this thread has no owner any more.
    wakeAllWaiting(this.words)
  }

  /** Reads an entry for {@link Engine.get} and its variants. */
  private find(key: Key, version: number, isForLoad: boolean, isUse: boolean): unknown {
    if (!this.setKey(key)) return undefined
    const { lookup } = this.core
    let backoff: Backoff | undefined
    let heldLooks = 0
    for (;;) {
      if (!lookup.locate()) {
        this.core.end(CORRUPT)
        return undefined
      }
      lookup.walk()
      if (lookup.slot >= 0) {
        let value: unknown
        let node = 0
        if (lookup.hasExpired() && !(isForLoad && this.mayBeServed())) {
          // Who holds the home may be about to renew the entry: it looked at the clock before the entry's time had
          // passed.
          if (lookup.isHomeHeld() && heldLooks++ < HELD_LOOKS) {
            backoff ??= Backoff.forOthers(this.core.budget)
            if (backoff.wait()) continue
          }
          this.reportAbsence(ABSENT)
        } else {
          // Read before the versions are validated, since the validation proves that it is the entry's node.
          node = this.words[lookup.entry * BLOCK_WORDS + ENTRY_NODE]
          this.reportEntry(UNCHANGED)
          if (version === NO_VERSION || version !== this.reportedVersion()) {
            value = this.reader.read(isForLoad)
            this.result[RESULT_STATUS] = this.reader.status
          }
        }
        if (lookup.unchanged() && this.isStillReported(lookup.entry)) {
          if (isUse) this.core.evictor?.touch(node, lookup.hash)
          return value
        }
      } else {
        this.reportAbsence(lookup.isDamaged ? CORRUPT : ABSENT)
        if (lookup.unchanged() && lookup.stillMaps()) return undefined
      }
      backoff ??= Backoff.forOthers(this.core.budget)
      if (!backoff.wait()) {
        this.core.end(TIMEOUT)
        return undefined
      }
    }
  }

  /** Returns whether loads may return the entry met, which has expired. */
  private mayBeServed(): boolean {
    return staleUntil(this.core.region, this.core.lookup.entry) > now(this.core.region)
  }

  private setKey(key: Key): boolean {
    this.core.beginCall()
    if (this.core.lookup.setKey(key)) return true
    this.core.end(this.core.lookup.key.kind === 0 ? KEY_TYPE : ENTRY_TOO_LARGE)
    return false
  }

  /** Fills in the outcome of a read, which is reliable only if the walk's versions then prove unchanged. */
  private reportEntry(status: number): void {
    const { words, result } = this
    const { entry, expiresAt } = this.core.lookup
    const at = versionAt(entry * BLOCK_WORDS, metaOf(words, entry * BLOCK_WORDS))
    this.reportedCell = at
    // The loads are atomic, so they precede the load of the kind, which `lapse` stores before the version.
    this.report(status, Atomics.load(words, at), Atomics.load(words, at + 1) & VERSION_HIGH_MASK, entry, expiresAt)
    this.core.resultDoubles[RESULT_STALE_UNTIL] = staleUntil(this.core.region, entry)
    const labels = labelCountOf(words, entry * BLOCK_WORDS)
    if (labels === 0) return
    const from = labelsAt(words, entry * BLOCK_WORDS)
    if (labels > MAX_ENTRY_LABELS || from + labels * LABEL_WORDS > words.length) return
    result[RESULT_FOUND_LABELS] = labels
    copyWords(words, from, result, RESULT_OF_FOUND_LABELS, labels * LABEL_WORDS)
  }

  /**
   * Returns whether version and value came from one cell, if `block` is a counter's. A reader that begins and ends
   * under one odd version can meet one turn of the cells, which no version of a bucket shows.
   */
  private isStillReported(block: number): boolean {
    const meta = metaOf(this.words, block * BLOCK_WORDS)
    if ((meta & ENTRY_COUNTER) === 0 || this.reportedCell === 0) return true
    return versionAt(block * BLOCK_WORDS, meta) === this.reportedCell
  }

  private reportAbsence(status: number): void {
    this.reportedCell = 0
    this.report(status, 0, 0, 0, NEVER)
  }

  private report(status: number, versionLow: number, versionHigh: number, entry: number, expiresAt: number): void {
    const { result, core } = this
    result[RESULT_STATUS] = status
    result[RESULT_FOUND_LABELS] = 0
    result[RESULT_VERSION_LOW] = versionLow
    result[RESULT_VERSION_HIGH] = versionHigh
    result[RESULT_HOME] = core.lookup.home / BLOCK_WORDS
    result[RESULT_HOME_VERSION] = core.lookup.homeVersion
    result[RESULT_ENTRY] = entry
    core.resultDoubles[RESULT_EXPIRES_AT] = expiresAt
  }

  private reportedVersion(): number {
    return (this.result[RESULT_VERSION_LOW] >>> 0) + this.result[RESULT_VERSION_HIGH] * 2 ** 32
  }
}
