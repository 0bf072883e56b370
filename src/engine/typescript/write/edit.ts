/** One change of one key in the making: the common part of the optimistic and the structural write. */
import {
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_SLOTS,
  CAUSE_DELETED,
  CAUSE_EVICTED,
  CAUSE_EXPIRED,
  CAUSE_SET,
  COUNTER_DELETED,
  COUNTER_EVICTED_SIZE,
  COUNTER_EXPIRED,
  COUNTER_REPLACED,
  COUNTER_WORDS,
  ENTRY_COUNTER,
  ENTRY_DATA,
  ENTRY_NODE,
  ENTRY_VERSION,
  LABEL_COUNT_SHIFT,
  LABEL_WORDS,
  SEGMENT_TOMBSTONES,
  VALUE_NUMBER,
} from '../../../format/layout.js'
import {
  ABSENT,
  CORRUPT,
  COUNTER_RANGE,
  DONE,
  FOUND,
  NOT_A_COUNTER,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_CONDITION_MASK,
  PUT_GIVEN,
  PUT_IF_ABSENT,
  PUT_IF_PRESENT,
  PUT_IF_VERSION,
  PUT_QUIETLY,
  RENEW_EXPIRY,
  RESULT_ENTRY,
  RESULT_EXPIRES_AT,
  RESULT_HOME,
  RESULT_HOME_VERSION,
  RESULT_LABELS,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  RETURN_PREVIOUS,
  SCRATCH_TOO_SMALL,
  givenLabels,
} from '../../engine.js'
import { publish, replace, vacate } from '../index/bucket.js'
import { TOMBSTONE_BIT, tagOf } from '../../../format/bucket.js'
import { cleanUp, TOMBSTONE_LIMIT } from './cleanup.js'
import { countContention, countWrite } from './contention.js'
import { type Core } from '../core.js'
import { LITTLE_PATIENCE } from '../threads/wait-budget.js'
import { storeSum } from '../index/counter.js'
import {
  metaOf,
  sizeOf,
  valueAt,
  valueKindOf,
  valueLengthOf,
  versionAt,
  versionOf,
  wordsFor,
  NEVER,
  isCounterSound,
  copyWords,
  labelCountOf,
  labelsAt,
  VERSION_HIGH_MASK,
} from '../../../format/entry.js'
import type { Evictor } from '../eviction/evictor.js'
import { isWatched } from '../../../format/feed.js'
import { tell, wakeWatchers } from '../feed/tell.js'
import { hasExpired, lowerExpiryHint } from '../index/expiry.js'
import { canLapse, isLease, lapse } from '../../../format/lease.js'
import { loadDouble, storeDouble } from '../../../format/double.js'
import { ValueReader } from '../index/value.js'
import { tombstonesOf } from '../../../format/segment.js'
import { wakeWaiting } from '../threads/waits.js'
import { expiryOf, staleUntil } from '../../../format/expiry.js'
import { isInvalidated, noteGenerations, noteLabelled } from '../../../format/labels.js'

export const EDIT_PUT = 0
export const EDIT_REMOVE = 1
export const EDIT_INCREMENT = 2
/** Kind of an edit that removes an entry to make room; see {@link Edit.beginEviction}. */
export const EDIT_EVICT = 3

/**
 * Result of {@link Edit.prepare} in a cache: the key is new, and needs a node of the eviction before it can be
 * inserted.
 */
export const NEEDS_NODE = 100
/**
 * Result of {@link Edit.prepare}: an increment finds no counter to change in place, and needs a block for a new entry.
 */
export const NEEDS_BLOCK = 101

/** The greatest entry that is left behind as a tombstone: deleted megabytes must not wait for a cleanup. */
const MAX_TOMBSTONE_BYTES = 512

/**
 * The change that an engine is about to make. One object is reused for all writes of an engine. The key is the
 * lookup's. {@link Edit.prepare} decides, by what the last walk met, whether and how to go on; after a lost race it
 * decides again.
 */
export class Edit {
  /** The entry to publish, complete except for its version; 0 for a removal, or if {@link Edit.isInPlace}. */
  block = 0
  /** Whether an increment changes the counter that the last walk met. */
  isInPlace = false
  /** Until when that entry is kept, or NEVER. */
  keptUntil = NEVER
  /** Expiry of a new entry of an increment, which without RENEW_EXPIRY otherwise keeps the expiry that it finds. */
  expiryGiven = NEVER
  /** In a cache, the node for an insert: 0 while none is needed, and after it belongs to the entry. */
  node = 0
  /** The sum that an increment publishes. */
  sum = 0
  /** The value replaced or met, for RETURN_PREVIOUS. */
  previous: unknown
  /** Set by {@link Edit.meetContention}. */
  hasMetHotSegment = false

  private kind = EDIT_PUT
  private mode = 0
  private version = 0
  private by = 0
  /** Whether the entry to publish is a lease, and whether the last walk met one. */
  private isLease = false
  private meetsLease = false
  private readonly reader: ValueReader
  private readonly words: Int32Array

  // The change of a slot.
  private current = 0
  private displaced = 0
  private versionLow = 0
  private versionHigh = 0
  private leavesTombstone = false
  private hasLapsed = false
  /** Whether the entry met has expired, and so counts as absent. */
  meetsExpired = false
  /** When the entry met expires, if what the edit writes or returns depends on its being there; else NEVER. */
  aliveUntil = NEVER
  /** Whether a deletion removes an expired value. */
  private dropsStale = false
  /** The node of the entry met, or 0. */
  private metNode = 0
  private onlyExpired = false
  /** Number of labels of the entry to publish, and how many an increment needs it to have, with NEEDS_BLOCK. */
  labels = 0
  labelsNeeded = 0
  /** Whether the value is none that was made of older ones. */
  private isGiven = false
  /** The entry that {@link Edit.aliveUntil} speaks of, if it has labels; else 0. */
  private aliveEntry = 0
  /** The new content of the slot, and its effect on the number of entries. */
  private reference = 0
  private growth = 0

  constructor(private readonly core: Core) {
    this.words = core.words
    this.reader = new ValueReader(core)
  }

  /**
   * @param mode as for Engine.put
   * @param version for PUT_IF_VERSION
   * @param by for an increment
   * @param labels number of labels of the entry in `block`
   */
  begin(kind: number, block: number, mode: number, version: number, by: number, labels = 0): void {
    this.kind = kind
    this.labels = labels
    this.block = block
    this.mode = mode
    this.version = version
    this.by = by
    this.isLease = block !== 0 && isLease(this.words, block)
    this.keptUntil = NEVER
    this.node = 0
    this.previous = undefined
    this.hasMetHotSegment = false
  }

  /** Begins the removal of the entry that the lookup finds, with `onlyExpired` only if it has expired. */
  beginEviction(onlyExpired: boolean): void {
    this.begin(EDIT_EVICT, 0, PUT_ALWAYS, 0, 0)
    this.onlyExpired = onlyExpired
  }

  /**
   * Returns whether the edit has a value that was made before one of its labels was invalidated: it must not be stored, since
   * it would replace what is newer. A lease may be: it is over from the start.
   */
  isOutdated(): boolean {
    if (this.labels === 0 || this.kind !== EDIT_PUT || this.isLease || this.isGiven) return false
    return isInvalidated(this.words, this.block * BLOCK_WORDS, this.labels)
  }

  /**
   * Returns whether the entry that decides has expired, or was invalidated, since {@link Edit.prepare} looked. Called with the
   * home held. Before it looks, it notes the labels of a value given, which are those of this instant: an invalidation of the
   * entry met is then one of the new entry, too.
   */
  hasDied(): boolean {
    const { region } = this.core
    if (this.labels !== 0 && this.isGiven) noteGenerations(this.words, this.block * BLOCK_WORDS, this.labels)
    if (hasExpired(region, this.aliveUntil)) return true
    return this.aliveEntry !== 0 && hasExpired(region, expiryOf(region, this.aliveEntry))
  }

  /** Counts that the edit met a bucket or mutex taken, or a bucket changed meanwhile. */
  meetContention(segment: number): void {
    if (countContention(this.words, segment)) this.hasMetHotSegment = true
  }

  /**
   * Returns DONE to go on, or else the status with which to stop. Reliable only if the walk's versions then prove
   * unchanged.
   */
  prepare(): number {
    const { lookup, result } = this.core
    const isMet = lookup.slot >= 0
    this.previous = undefined
    this.isInPlace = false
    this.isGiven = (this.mode & PUT_GIVEN) !== 0
    if (!isMet && lookup.isDamaged) return CORRUPT
    this.meetsLease = isMet && isLease(this.words, lookup.entry)
    this.meetsExpired = lookup.hasExpired()
    const decides = isMet && !this.meetsExpired && this.dependsOnLife()
    this.aliveUntil = decides ? lookup.expiresAt : NEVER
    this.aliveEntry = decides && labelCountOf(this.words, lookup.entry * BLOCK_WORDS) !== 0 ? lookup.entry : 0
    // A lease has no node: it is never evicted.
    this.metNode = isMet ? this.words[lookup.entry * BLOCK_WORDS + ENTRY_NODE] : 0
    const isFresh = isMet && !this.meetsExpired
    const isPresent = isFresh && !this.meetsLease
    result[RESULT_PREVIOUS] = isPresent ? FOUND : ABSENT
    if (isPresent && (this.mode & RETURN_PREVIOUS) !== 0) {
      // The previous value is read now, while nothing is changed yet: if it does not fit, the caller can grow the
      // buffer and try again.
      this.previous = this.reader.read()
      if (this.reader.status === SCRATCH_TOO_SMALL || this.reader.status < 0) return this.reader.status
      result[RESULT_PREVIOUS] = this.reader.status
    }
    this.dropsStale =
      this.kind === EDIT_REMOVE && this.meetsExpired && staleUntil(this.core.region, lookup.entry) !== NEVER
    if (!this.conditionHolds(isPresent, isFresh) || this.isOutdated()) {
      this.reportEntry(isFresh ? lookup.entry : 0)
      return NOT_DONE
    }
    if (this.lacksNode()) return NEEDS_NODE
    return this.kind === EDIT_INCREMENT ? this.prepareSum(isPresent) : DONE
  }

  /**
   * Notes the slot to change, which is empty or a tombstone or holds the key's entry, and gives the entry to publish
   * the version it will have when the home is released for the first time after `homeVersion`.
   */
  aim(reference: number, homeVersion: number): void {
    const next = ((homeVersion | 1) + 1) | 0
    const epoch = this.words[this.core.lookup.home + BUCKET_EPOCH] + (next === 0 ? 1 : 0)
    this.versionLow = (epoch << 31) | (next >>> 1)
    this.versionHigh = epoch >>> 1
    this.current = reference > 0 ? reference : 0
    this.displaced = reference < 0 ? reference & ~TOMBSTONE_BIT : 0
    if (this.block === 0 || this.isInPlace) return
    if (!this.isLease) this.words[this.block * BLOCK_WORDS + ENTRY_NODE] = this.metNode === 0 ? this.node : this.metNode
    this.words[this.block * BLOCK_WORDS + ENTRY_VERSION] = this.versionLow
    this.words[this.block * BLOCK_WORDS + ENTRY_VERSION + 1] = this.versionHigh | (this.labels << LABEL_COUNT_SHIFT)
  }

  /**
   * Announces the change of a slot of `bucket` in the thread record, if the counts depend on it: `version` is the
   * bucket's odd version while the change takes place. If this thread dies, a takeover knows what to count. The change
   * ends with {@link Edit.finish} or {@link Edit.takeBack}.
   */
  announce(bucket: number, slot: number, version: number): void {
    const { words, current } = this
    this.leavesTombstone = false
    this.growth = 0
    this.hasLapsed = this.lapsesLease()
    if (this.hasLapsed || this.isInPlace) return
    this.reference = this.block
    if (this.kind === EDIT_REMOVE) {
      this.leavesTombstone = !this.core.blocks.isTight && sizeOf(words, current * BLOCK_WORDS) <= MAX_TOMBSTONE_BYTES
      this.reference = this.leavesTombstone ? current | TOMBSTONE_BIT : 0
    }
    this.growth = Number(this.leavesValue()) - Number(current !== 0 && !this.meetsLease)
    if (!this.changesCounts()) return
    this.core.thread.beginWrite(bucket + BUCKET_SLOTS + slot, this.reference, version, this.growth)
  }

  takeBack(): void {
    if (this.changesCounts()) this.core.thread.endWrite()
  }

  /** Changes the slot. The slot's bucket and the home are held. */
  apply(bucket: number, slot: number): void {
    const { words, current } = this
    if (this.keptUntil !== NEVER) lowerExpiryHint(words, this.core.lookup.segment, this.keptUntil)
    if (this.labels !== 0 && this.block !== 0) noteLabelled(words, this.core.lookup.segment)
    if (this.hasLapsed) lapse(words, current, this.core.lookup.home)
    else if (this.isInPlace) storeSum(words, current * BLOCK_WORDS, this.sum, this.versionLow, this.versionHigh)
    else if (this.block === 0) vacate(words, bucket, slot, this.reference)
    else if (current !== 0) replace(words, bucket, slot, this.block)
    else publish(words, bucket, slot, tagOf(this.core.lookup.hash), this.block)
    if (this.changesCounts()) this.core.thread.notePublished()
  }

  /**
   * Tells those who watch the map of the change that was applied, if there are any. Slot's bucket and home are held. Of a
   * writer that looks whether anybody watches, and a watcher that looks at the key, one sees the other, since both store
   * by `Atomics` before.
   */
  expose(): void {
    if (!isWatched(this.words)) return
    const cause = this.cause()
    if (cause === 0) return
    const block = cause === CAUSE_SET && !this.isInPlace ? this.block : this.current
    tell(this.core, block, cause, this.versionLow, this.versionHigh)
  }

  /**
   * Returns why the change concerns those who watch the key; 0 if it does not: a lease is no value, and what is stored
   * quietly is the value that was there.
   */
  private cause(): number {
    if (this.leavesValue()) return (this.mode & PUT_QUIETLY) !== 0 ? 0 : CAUSE_SET
    if (this.current === 0 || this.meetsLease) return 0
    if (this.meetsExpired) return CAUSE_EXPIRED
    return this.kind === EDIT_EVICT ? CAUSE_EVICTED : CAUSE_DELETED
  }

  /** Finishes the edit after all buckets are released: fills in the outcome, counts, and frees unlinked blocks. */
  finish(segment: number, homeVersion: number): void {
    const { core, words } = this
    const { result } = core
    result[RESULT_STATUS] = this.hasLapsed || this.dropsStale ? NOT_DONE : DONE
    result[RESULT_VERSION_LOW] = this.versionLow
    result[RESULT_VERSION_HIGH] = this.versionHigh
    this.reportHome(homeVersion)
    result[RESULT_ENTRY] = this.isInPlace ? this.current : this.block

    wakeWatchers(core)
    if (this.meetsLease) wakeWaiting(words, core.lookup.hash)
    countWrite(core, segment)
    if (this.hasLapsed) return
    if (this.changesCounts()) {
      if (this.growth !== 0) core.thread.addSize(this.growth)
      if (this.displaced !== 0) Atomics.sub(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES, 1)
      if (this.leavesTombstone) Atomics.add(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES, 1)
      core.thread.endWrite()
    }
    if (this.displaced !== 0) core.freeEntry(this.displaced)
    if (this.current !== 0 && !this.meetsLease) core.thread.count(this.lossCounter(), 1)
    if (core.evictor !== undefined) this.tellEvictor(core.evictor)
    if (this.leavesTombstone) {
      if (tombstonesOf(words, segment) > TOMBSTONE_LIMIT) cleanUp(core, segment, LITTLE_PATIENCE)
    } else if (this.current !== 0 && !this.isInPlace) core.freeEntry(this.current)
  }

  /** Reports to the evictor the fates of the nodes of the entries published and met. */
  private tellEvictor(evictor: Evictor): void {
    const { hash } = this.core.lookup
    if (this.leavesValue() && this.metNode !== 0) evictor.touch(this.metNode, hash)
    else if (this.kind !== EDIT_EVICT) evictor.forget(this.metNode, hash)
    if (this.metNode !== 0 || this.node === 0 || this.isLease) return
    evictor.settle(this.node)
    this.node = 0
  }

  /** Returns whether this is an insert without the {@link Edit.node} that it needs. */
  private lacksNode(): boolean {
    return this.node === 0 && this.metNode === 0 && this.block !== 0 && !this.isLease && this.core.evictor !== undefined
  }

  /** Returns the counter for the reason why the entry met is gone. */
  private lossCounter(): number {
    if (this.meetsExpired) return COUNTER_EXPIRED
    if (this.kind === EDIT_EVICT) return COUNTER_EVICTED_SIZE
    return this.block === 0 && !this.isInPlace ? COUNTER_DELETED : COUNTER_REPLACED
  }

  get isPut(): boolean {
    return this.kind === EDIT_PUT
  }

  /** Returns whether the key has a value afterwards. */
  private leavesValue(): boolean {
    return this.isInPlace || (this.block !== 0 && !this.isLease)
  }

  reportHome(homeVersion: number): void {
    this.core.result[RESULT_HOME] = this.core.lookup.home / BLOCK_WORDS
    this.core.result[RESULT_HOME_VERSION] = homeVersion
  }

  private changesCounts(): boolean {
    return this.growth !== 0 || this.leavesTombstone || this.displaced !== 0
  }

  /** @param isFresh whether there is an entry, or a lease, that has not expired */
  private conditionHolds(isPresent: boolean, isFresh: boolean): boolean {
    if (this.kind === EDIT_EVICT) return this.meetsExpired || (isPresent && !this.onlyExpired)
    switch (this.mode & PUT_CONDITION_MASK) {
      case PUT_IF_ABSENT:
        return !isPresent && !(this.isLease && this.meetsLease && isFresh)
      case PUT_IF_PRESENT:
        return isPresent
      case PUT_IF_VERSION:
        // A lease may replace an expired value.
        return (
          (isFresh || (this.isLease && this.meetsExpired)) &&
          versionOf(this.words, this.core.lookup.entry * BLOCK_WORDS) === this.version
        )
      default:
        return isPresent || this.kind !== EDIT_REMOVE || this.lapsesLease() || this.dropsStale
    }
  }

  /**
   * Returns whether what the edit writes or returns depends on an entry that is there. A deletion's does not: whether
   * it took an entry away or met none, the key is absent.
   */
  private dependsOnLife(): boolean {
    if (this.kind === EDIT_INCREMENT) return true
    if (this.block === 0 || this.isLease) return false
    const condition = this.mode & PUT_CONDITION_MASK
    return condition === PUT_IF_PRESENT || condition === PUT_IF_VERSION || (this.mode & RETURN_PREVIOUS) !== 0
  }

  /** Returns whether this deletion lapses the lease that it meets. A deletion by version removes the lease instead. */
  private lapsesLease(): boolean {
    return (
      this.kind === EDIT_REMOVE &&
      this.meetsLease &&
      (this.mode & PUT_CONDITION_MASK) !== PUT_IF_VERSION &&
      canLapse(this.words, this.core.lookup.entry)
    )
  }

  /** Reports version and block of the entry met, or zeros. */
  private reportEntry(block: number): void {
    const { words } = this
    const { result } = this.core
    const entry = block * BLOCK_WORDS
    const version = versionAt(entry, metaOf(words, entry))
    result[RESULT_ENTRY] = block
    result[RESULT_VERSION_LOW] = block === 0 ? 0 : words[version]
    result[RESULT_VERSION_HIGH] = block === 0 ? 0 : words[version + 1] & VERSION_HIGH_MASK
  }

  /**
   * Computes the sum from the number met. If that is not a counter to change in place, writes the sum into the entry to
   * publish, with the expiry and the labels that the number had.
   */
  private prepareSum(isPresent: boolean): number {
    const { words } = this
    let number = 0
    const renews = (this.mode & RENEW_EXPIRY) !== 0
    const { result } = this.core
    let expiresAt = this.expiryGiven
    let labels: Int32Array = result
    let labelAt = RESULT_LABELS
    this.labelsNeeded = givenLabels(result)
    this.isGiven = !isPresent
    if (isPresent) {
      const block = this.core.lookup.entry
      const entry = block * BLOCK_WORDS
      const meta = metaOf(words, entry)
      if (valueKindOf(meta) !== VALUE_NUMBER) return NOT_A_COUNTER
      const isInside = this.core.region.contains(block, sizeOf(words, entry) / 4)
      if (valueLengthOf(words, entry) !== 8 || !isCounterSound(meta) || !isInside) return CORRUPT
      number = loadDouble(words, valueAt(entry, meta))
      if (!Number.isSafeInteger(number)) return NOT_A_COUNTER
      if (!renews) expiresAt = this.core.lookup.expiresAt
      labels = words
      labelAt = labelsAt(words, entry)
      this.labelsNeeded = labelCountOf(words, entry)
      // The expiry of an entry never changes, so another one takes a new entry.
      this.isInPlace = (meta & ENTRY_COUNTER) !== 0 && !renews
    }
    this.sum = number + this.by + 0 // + 0 makes 0 of -0
    if (!Number.isSafeInteger(this.sum)) return COUNTER_RANGE
    this.core.resultDoubles[RESULT_EXPIRES_AT] = expiresAt
    if (this.isInPlace) return DONE
    if (this.block === 0 || this.labels !== this.labelsNeeded) return NEEDS_BLOCK
    const value = this.block * BLOCK_WORDS + ENTRY_DATA + wordsFor(this.core.lookup.key.length)
    storeDouble(words, value, this.sum)
    const end = value + COUNTER_WORDS + this.labels * LABEL_WORDS
    copyWords(labels, labelAt, words, value + COUNTER_WORDS, this.labels * LABEL_WORDS)
    if (this.core.isCache) {
      this.keptUntil = expiresAt === NEVER ? Infinity : expiresAt
      storeDouble(words, end, this.keptUntil)
    }
    return DONE
  }
}
