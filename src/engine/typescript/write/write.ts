/** Writes: one key changed, if a condition holds. See docs/internals/protocol.md, "Write, optimistic". */
import { BLOCK_WORDS, ENTRY_DATA, SEGMENT_BYTES } from '../../../format/layout.js'
import {
  CORRUPT,
  DONE,
  ENTRY_TOO_LARGE,
  FULL,
  PUT_ALWAYS,
  RESULT_GIVEN_LABELS,
  RESULT_STATUS,
  TIMEOUT,
} from '../../engine.js'
import { findRoom, release, tryHold } from '../index/bucket.js'
import { cleanUpAll } from './cleanup.js'
import { makeRoomAtOnce, makeRoomByMoving } from './compaction.js'
import { ANYWHERE, FIXED, OUTSIDE_RESERVE } from '../memory/heap.js'
import { relieve } from './contention.js'
import { giveBackDeparted } from './departures.js'
import { FOR_ROOM, joinAll } from './join.js'
import type { Core } from '../core.js'
import { EDIT_INCREMENT, EDIT_PUT, EDIT_REMOVE, NEEDS_BLOCK, NEEDS_NODE, type Edit } from './edit.js'
import type { Evictor } from '../eviction/evictor.js'
import { buildEntry, entryBytes, wordsFor, NEVER } from '../../../format/entry.js'
import { isLeaseKind } from '../../../format/kinds.js'
import { Backoff } from '../threads/backoff.js'
import { ALL_PATIENCE, NO_PATIENCE } from '../threads/wait-budget.js'
import { editHeldKey, editStructurally, letGo } from './structural.js'
import { LOOKS_AT_ONCE, Reclaiming } from './tombstones.js'
import type { ValueWriter } from '../index/value.js'
import { loadSlot } from '../../../format/bucket.js'

/**
 * Number of lost races before a write queues at the segment's mutex instead. More tries only waste time: a writer that
 * lost four times in a row has met a stream of writers.
 */
const OPTIMISTIC_TRIES = 4

/** Times that one write gathers memory for a split: other threads may use it first. */
const MAX_GATHERINGS = 8

/**
 * A cache that is full of entries has nothing to gain from moves. After one attempt in vain, so many of its writes do
 * not try.
 */
const WRITES_WITHOUT_MOVES = 64

/** Times that an increment takes a block for a number of labels that the entry no longer has when the block is there. */
const MAX_BLOCKS = 64

// How an optimistic attempt ended.
const FINISHED = 0
const LOST = 1
const STRUCTURAL = 2

/** Writes the value that `value` has measured under the lookup's key. */
export function putEntry(core: Core, edit: Edit, value: ValueWriter, mode: number, version: number): unknown {
  writeEntry(core, edit, value, EDIT_PUT, mode, version, 0)
  const { previous } = edit
  edit.previous = undefined
  return previous
}

export function removeEntry(core: Core, edit: Edit, mode: number, version: number): unknown {
  edit.begin(EDIT_REMOVE, 0, mode, version, 0)
  run(core, edit)
  const { previous } = edit
  edit.previous = undefined
  return previous
}

export function incrementEntry(
  core: Core,
  edit: Edit,
  value: ValueWriter,
  by: number,
  expiresAt: number,
  mode: number,
): number {
  const sum = increment(core, edit, value, by, expiresAt, mode)
  core.result[RESULT_GIVEN_LABELS] = 0
  return sum
}

function increment(core: Core, edit: Edit, value: ValueWriter, by: number, expiresAt: number, mode: number): number {
  edit.expiryGiven = expiresAt
  edit.begin(EDIT_INCREMENT, 0, mode, 0, by)
  run(core, edit)
  if (!needsBlock(core)) return edit.sum
  // In a cache the block always has room for an expiry: whether the counter has one is known only when its block is
  // there.
  value.measureCounter(core.isCache ? Infinity : NEVER)
  for (let blocks = 0; needsBlock(core) && blocks < MAX_BLOCKS; blocks++) {
    value.labels = edit.labelsNeeded
    writeEntry(core, edit, value, EDIT_INCREMENT, mode, 0, by)
  }
  if (needsBlock(core)) core.end(TIMEOUT)
  return edit.sum
}

function needsBlock({ result }: Core): boolean {
  return result[RESULT_STATUS] === NEEDS_BLOCK
}

/** Writes the value that `value` has measured under the lookup's key, which is held, and ends the hold. */
export function putHeldEntry(core: Core, edit: Edit, value: ValueWriter): void {
  const { key } = core.lookup
  const bytes = entryBytes(key.length, value.length, value.flags, value.labels)
  // Allocates without a cleanup, which would wait for the segment that this thread holds.
  const block = core.blocks.couldFit(bytes) ? core.blocks.allocate(bytes, ANYWHERE) : ENTRY_TOO_LARGE
  if (block < 0) {
    letGo(core)
    core.end(block)
    return
  }
  buildLooked(core, block, value)
  edit.begin(EDIT_PUT, block, PUT_ALWAYS, 0, 0, value.labels)
  edit.keptUntil = value.keptUntil
  editHeldKey(core, edit)
  if (core.result[RESULT_STATUS] !== DONE) core.blocks.free(block, bytes)
  // An insert into a cache may have to evict, for which this thread must hold nothing.
  if (core.result[RESULT_STATUS] === NEEDS_NODE) core.end(FULL)
  core.evictor?.sweepForgotten()
}

/** Deletes the entry of the lookup's key, which is held, and ends the hold. */
export function removeHeldEntry(core: Core, edit: Edit): void {
  edit.begin(EDIT_REMOVE, 0, PUT_ALWAYS, 0, 0)
  editHeldKey(core, edit)
  core.evictor?.sweepForgotten()
}

/** Runs an edit that publishes an entry, and takes the block back if it was not published. */
function writeEntry(
  core: Core,
  edit: Edit,
  value: ValueWriter,
  kind: number,
  mode: number,
  version: number,
  by: number,
): void {
  const bytes = entryBytes(core.lookup.key.length, value.length, value.flags, value.labels)
  const block = allocateEntry(core, bytes, isLeaseKind(value.kind))
  if (block < 0) {
    core.end(block)
    return
  }
  buildLooked(core, block, value)
  edit.begin(kind, block, mode, version, by, value.labels)
  edit.keptUntil = value.keptUntil
  run(core, edit)
  if (core.result[RESULT_STATUS] !== DONE || edit.isInPlace) core.blocks.free(block, bytes)
}

/** Builds an entry for the lookup's key, without its version, in a block that only this thread knows. */
function buildLooked(core: Core, block: number, value: ValueWriter): void {
  const { key, hash } = core.lookup
  const entry = block * BLOCK_WORDS
  buildEntry(core.words, entry, hash, key, value.kind, value.length, value.flags)
  value.write(block, entry + ENTRY_DATA + wordsFor(key.length))
}

/**
 * Returns a block for the entry, or a status. A cache evicts for it; a map reclaims deleted entries once before it
 * gives up.
 */
function allocateEntry(core: Core, bytes: number, isLease: boolean): number {
  if (!core.blocks.couldFit(bytes)) return ENTRY_TOO_LARGE
  // A lease cannot be evicted: it lies in the reserve only if it finds room nowhere else.
  const block = core.blocks.allocate(bytes, isLease ? OUTSIDE_RESERVE : ANYWHERE)
  if (block !== FULL) return block
  if (core.evictor === undefined) return reclaim(core, bytes)
  const moved = moveInCache(core, bytes, isLease ? OUTSIDE_RESERVE : ANYWHERE)
  return moved === FULL ? evictFor(core, core.evictor, bytes, isLease) : moved
}

/** Moves entries for a block, where a cache has free memory in many places. */
function moveInCache(core: Core, bytes: number, place: number): number {
  if (core.writesWithoutMoves > 0) {
    core.writesWithoutMoves--
    return FULL
  }
  const block = makeRoomAtOnce(core, bytes, place)
  if (block < 0) core.writesWithoutMoves = WRITES_WITHOUT_MOVES
  return block
}

/**
 * Makes room for a block in a map: reclaims tombstones and expired entries, and moves entries, so that free memory lies
 * together. What is reclaimed at a time is what the block needs, and twice as much whenever that was not enough, so
 * that a call does not pay for what the next ones need. Fails only when nothing is left anywhere, and waits for other
 * threads only before that.
 */
function reclaim(core: Core, bytes: number): number {
  const round = new Reclaiming(core)
  let looks = LOOKS_AT_ONCE
  for (let wanted = bytes; !round.isOver(); wanted *= 2) {
    round.goOn(wanted, looks)
    looks = Infinity
    core.blocks.flush()
    const block = makeRoomByMoving(core, bytes, OUTSIDE_RESERVE)
    if (block !== FULL) return block
  }
  let isAll = true
  for (const patience of [NO_PATIENCE, ALL_PATIENCE]) {
    if (patience === ALL_PATIENCE) isAll = cleanUpAll(core, patience)
    joinAll(core, FOR_ROOM)
    giveBackDeparted(core)
    core.blocks.flush()
    const block = makeRoomByMoving(core, bytes, OUTSIDE_RESERVE)
    if (block !== FULL || !round.hasPassedOver) return block
  }
  return isAll ? FULL : TIMEOUT
}

/** Evicts for a block until no victim was passed over. */
function evictFor(core: Core, evictor: Evictor, bytes: number, isLease: boolean): number {
  const { hash } = core.lookup
  for (const backoff = Backoff.betweenSearches(core.budget); ;) {
    evictor.startRound()
    let block = isLease ? evictor.makeRoom(bytes, hash, OUTSIDE_RESERVE) : FULL
    if (block === FULL) block = evictor.makeRoomForEntry(bytes, hash)
    if (block !== FULL || !evictor.hasPassedOver) return block
    if (!backoff.wait()) return TIMEOUT
  }
}

function run(core: Core, edit: Edit): void {
  if (core.evictor === undefined) runToEnd(core, edit)
  else runInCache(core, edit, core.evictor)
  // Relieves the segment only now, when the write holds nothing any more, and its outcome is known; never after an
  // error.
  if (edit.hasMetHotSegment && core.result[RESULT_STATUS] >= 0) relieve(core)
}

/** Runs an edit as {@link runToEnd} does, and gets a node for a new key, and memory for a segment that must split. */
function runInCache(core: Core, edit: Edit, evictor: Evictor): void {
  const { lookup } = core
  let backoff: Backoff | undefined
  for (let tries = 0; ;) {
    runToEnd(core, edit)
    const status = core.result[RESULT_STATUS]
    if (status === NEEDS_NODE) {
      const node = evictor.admit(lookup.hash)
      if (node > 0) {
        edit.node = node
        continue
      }
      core.end(node)
    } else if (status === FULL && tries++ < 2 * MAX_GATHERINGS) {
      evictor.startRound()
      // Few splits double the directory. Where there is no room for a split, or it does not help, an entry of the home
      // must be evicted.
      if (tries <= MAX_GATHERINGS && gatherForSplit(core, evictor, tries > 1)) continue
      if (evictor.evictAtHome(lookup.hash)) continue
      if (evictor.hasPassedOver) {
        tries--
        backoff ??= Backoff.betweenSearches(core.budget)
        if (backoff.wait()) continue
        core.end(TIMEOUT)
      }
    }
    break
  }
  if (edit.node !== 0) evictor.withdraw(edit.node)
  evictor.sweepForgotten()
}

/**
 * Evicts until a segment can split; if `doubles`, until the directory can double, too. It takes both blocks before it
 * gives either back: room for one must not come from memory gathered for the other.
 */
function gatherForSplit({ lookup, blocks }: Core, evictor: Evictor, doubles: boolean): boolean {
  const segment = evictor.makeRoom(SEGMENT_BYTES, lookup.hash, FIXED)
  if (segment < 0) return false
  if (doubles) {
    const bytes = lookup.nextDirectoryBytes
    const directory = evictor.makeRoom(bytes, lookup.hash, FIXED)
    if (directory > 0) blocks.free(directory, bytes)
  }
  blocks.free(segment, SEGMENT_BYTES)
  return true
}

/** Runs an edit in a region or part of it that needs no eviction. */
export function runToEnd(core: Core, edit: Edit): void {
  for (let tries = 0; tries < OPTIMISTIC_TRIES; tries++) {
    const ended = tryOptimistically(core, edit)
    if (ended === FINISHED) return
    if (ended === STRUCTURAL) break
  }
  editStructurally(core, edit)
}

function tryOptimistically(core: Core, edit: Edit): number {
  const { words, lookup, thread } = core
  if (!lookup.locate()) {
    core.end(CORRUPT)
    return FINISHED
  }
  const { home, homeVersion, segment } = lookup
  if ((homeVersion & 1) !== 0) return lose(edit, segment)
  if (!lookup.stillMaps()) return LOST

  lookup.walk()
  if (lookup.slot >= 0 && lookup.bucket !== home) return STRUCTURAL
  const status = edit.prepare()
  if (status !== DONE) {
    if (!lookup.unchanged()) return LOST
    core.end(status)
    edit.reportHome(homeVersion)
    return FINISHED
  }
  const slot = lookup.slot >= 0 ? lookup.slot : findRoom(words, home)
  if (slot < 0) return STRUCTURAL
  // The swap checks the home's version.
  if (!lookup.othersUnchanged()) return LOST

  edit.aim(lookup.slot >= 0 ? lookup.entry : loadSlot(words, home, slot), homeVersion)
  edit.announce(home, slot, homeVersion + 1)
  thread.claim(home / BLOCK_WORDS)
  if (!tryHold(words, home, homeVersion)) {
    thread.clearClaim()
    edit.takeBack()
    return lose(edit, segment)
  }
  // The time of the entry may have passed since `prepare` looked, and a reader may have seen that. From now on readers
  // find the home held, and look again before they say so: see "Expiry" in docs/internals/protocol.md.
  if (edit.hasDied() || edit.isOutdated()) {
    edit.takeBack()
    release(words, home)
    thread.clearClaim()
    return LOST
  }
  edit.apply(home, slot)
  edit.expose()
  const released = release(words, home)
  thread.clearClaim()
  edit.finish(segment, released)
  return FINISHED
}

function lose(edit: Edit, segment: number): number {
  edit.meetContention(segment)
  return LOST
}
