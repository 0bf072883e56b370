/**
 * Makes room without giving anything up: spans with few entries are emptied by moving these, so that their pages lie
 * together again. See docs/internals/protocol.md, "Compaction".
 */
import {
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_FREE_COUNT,
  PAGE_FREE_RUN,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
} from '../../../format/layout.js'
import { FULL, TIMEOUT } from '../../engine.js'
import { classBlocks, spanCapacity } from '../../../format/size-classes.js'
import { Backoff } from '../threads/backoff.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'
import type { Core } from '../core.js'
import { pagesForBlock } from '../memory/free-lists.js'
import { Heap } from '../memory/heap.js'
import { giveBackLeftovers } from '../memory/leftovers.js'
import { BUSY, Mover, MOVED, NO_ROOM, IS_TOMBSTONE } from './move.js'
import { PageSurvey } from '../memory/survey.js'

/** Ends a search in which other threads take each page that becomes free. */
const MOST_WINDOWS = 256
/**
 * How often the blocks that other threads keep in their lists are waited for, each time somewhat longer: a few
 * milliseconds in all.
 */
const MOST_RECALLS = 6

/**
 * Returns a block of `bytes` bytes, for which it moves entries, or a status as `FreeLists.allocate` does. Moves what
 * lies in as many pages as the block needs, those with least in them; more only if other threads take the pages first
 * or hold what lies in them. Waits a little for blocks that other threads keep. Called while this thread holds nothing.
 */
export function makeRoomByMoving(core: Core, bytes: number, place: number): number {
  let block = core.blocks.allocate(bytes, place)
  if (block !== FULL) return block
  if (giveBackLeftovers(core.region, core.budget)) {
    block = core.blocks.allocate(bytes, place)
    if (block !== FULL) return block
  }
  const pages = pagesForBlock(bytes)
  const survey = new PageSurvey(core.region)
  const emptier = new Emptier(core)
  const backoff = Backoff.betweenSearches(core.budget)
  let windows = 0
  for (let recalls = 0; ; recalls++) {
    for (let from = 0; survey.hasPagesFrom(from);) {
      const next = survey.look(from)
      if (!survey.find(pages, place)) {
        from = next
        continue
      }
      const stays = emptier.empty(survey.from, survey.to)
      block = core.blocks.allocate(bytes, place)
      if (block !== FULL || ++windows === MOST_WINDOWS) return block
      survey.pin(stays < 0 ? survey.from : stays)
    }
    const mayWait = core.budget.patience !== NO_PATIENCE
    if (!emptier.hasMetStrays || !mayWait || recalls === MOST_RECALLS) return FULL
    if (recalls === 0) core.blocks.recallAll()
    if (!backoff.wait()) return FULL
    survey.unpinAll()
  }
}

/** Makes room as {@link makeRoomByMoving} does, in a cache, which can evict as well: waits for no other thread. */
export function makeRoomAtOnce(core: Core, bytes: number, place: number): number {
  const { budget } = core
  const { patience } = budget
  budget.patience = NO_PATIENCE
  const block = makeRoomByMoving(core, bytes, place)
  budget.patience = patience
  return block === TIMEOUT ? FULL : block
}

/** Empties pages. */
class Emptier {
  /** Whether blocks stayed that no slot refers to: they may be in the list of another thread. */
  hasMetStrays = false

  private readonly words: Int32Array
  private readonly heap: Heap
  private readonly mover: Mover

  constructor(private readonly core: Core) {
    this.words = core.words
    this.heap = new Heap(core.region)
    this.mover = new Mover(core)
  }

  /** Moves everything out of a range of pages. Returns the first page that stays; -1 if none does. */
  empty(from: number, to: number): number {
    for (let page = from; page < to;) {
      const at = this.heap.descriptor(page)
      const kind = this.words[at + PAGE_KIND]
      const run = Math.max(this.words[at + PAGE_RUN], 1)
      const isSpan = (kind & 0xff) === PAGE_SPAN
      const isRun = kind === PAGE_LARGE_RUN
      if (isSpan && !this.emptySpan(page, from, to)) return page
      if (isRun && this.mover.move(this.heap.blockOf(page), from, to) !== MOVED) return page
      page += isSpan || isRun || kind === PAGE_FREE_RUN ? run : 1
    }
    return -1
  }

  /** The span is closed first, so that what is moved out of it, or freed meanwhile, does not come back into it. */
  private emptySpan(page: number, from: number, to: number): boolean {
    const { core, words, heap } = this
    if (!core.blocks.closeSpan(page)) return false
    const at = heap.descriptor(page)
    const kind = words[at + PAGE_KIND]
    const sizeClass = kind >>> PAGE_CLASS_SHIFT
    const carved = Math.min(words[at + PAGE_CARVED], spanCapacity(sizeClass))
    if (this.canEmpty(page, sizeClass, carved)) {
      for (let i = 0; i < carved; i++) {
        const moved = this.mover.move(heap.blockOf(page) + i * classBlocks(sizeClass), from, to)
        if (moved === NO_ROOM || moved === BUSY) break
      }
    }
    core.blocks.giveBackAll(sizeClass) // copies that were not needed, which would keep other spans from other threads
    core.blocks.giveOwed() // the last blocks, while it is closed
    const isGone = !heap.isClosed(page)
    core.blocks.reopenSpan()
    return isGone || words[at + PAGE_KIND] !== kind
  }

  /**
   * Returns whether every block is free or an entry. A block that is neither would stay, and moving the entries would
   * be in vain. Reclaims tombstones on the way.
   */
  private canEmpty(page: number, sizeClass: number, carved: number): boolean {
    const { core, heap, mover } = this
    let entries = 0
    for (let i = 0; i < carved; i++) {
      const block = heap.blockOf(page) + i * classBlocks(sizeClass)
      let seen = mover.lookAt(block)
      if (seen === IS_TOMBSTONE) {
        seen = mover.dropTombstone(block)
        if (seen === IS_TOMBSTONE) return false
      }
      if (seen === MOVED) entries++
    }
    core.blocks.giveBackAll(sizeClass)
    const isWhole = entries + this.words[heap.descriptor(page) + PAGE_FREE_COUNT] >= carved
    if (!isWhole) this.hasMetStrays = true
    return isWhole || !heap.isClosed(page)
  }
}
