import { isWatched } from '../../src/format/feed.js'
import { HEADER_FEED_HEAD, HEADER_FEED_LAPS, HEADER_FEED_LOST, HEADER_FEED_RESERVED } from '../../src/format/layout.js'
import { isDeepStrictEqual } from 'node:util'
import { takeOverFromDead } from '../../src/engine/typescript/threads/takeover.js'
import { INVALIDATED, RingReader, type Told } from '../../src/feed/ring.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { Entries, Subject } from './steps.scenarios.js'

const COUNTS = [HEADER_FEED_HEAD, HEADER_FEED_RESERVED, HEADER_FEED_LAPS, HEADER_FEED_LOST]

/** Where a reader of the change feed begins that begins now. */
export type FeedStart = readonly number[]

/** Has this thread watch the map. */
export function beginToWatch(map: Subject): FeedStart {
  const engine = storeOf(map).open()
  engine.watch()
  return COUNTS.map((word) => engine.words[word])
}

/**
 * Checks, after a death, what somebody was told who has watched since `start`: each key that has another value than before
 * was told, or he knows that he may have missed some. Returns what is wrong.
 */
export function untold(start: FeedStart, before: Entries, map: Subject): string[] {
  const { words } = storeOf(map).open()
  takeOverFromDead(words)
  const reader = readerFrom(start, words)
  const told = reader.read(Infinity)
  if (told === undefined) return [] // some may have been missed
  const last = new Map(told.map((each) => [each.key, each.type]))
  const problems: string[] = []
  for (const key of new Set([...before.keys(), ...last.keys()])) {
    if (key === undefined || last.get(key) === INVALIDATED) continue
    const value = map.get(key)
    const type = last.get(key)
    if (type === undefined && !hasGoneWithItsTag(told, value) && !isDeepStrictEqual(value, before.get(key)))
      problems.push(`${String(key)} changed, and nobody was told`)
    if (type !== undefined && (type === 'set') !== (value !== undefined) && !hasGoneWithItsTag(told, value))
      problems.push(`${String(key)} is ${value === undefined ? 'absent' : 'there'}, and was told as ${type}`)
  }
  for (const key of map.keys()) {
    if (!before.has(key) && !last.has(key)) problems.push(`${String(key)} is new, and nobody was told`)
  }
  return problems
}

/** Whether it may be so: an invalidation names no keys. */
function hasGoneWithItsTag(told: readonly Told[], value: unknown): boolean {
  return value === undefined && told.some(({ type }) => type === INVALIDATED)
}

function readerFrom(start: FeedStart, words: Int32Array): RingReader {
  const now = COUNTS.map((word) => words[word])
  for (const [i, word] of COUNTS.entries()) words[word] = start[i]
  const reader = new RingReader(words)
  for (const [i, word] of COUNTS.entries()) words[word] = now[i]
  return reader
}

/** Whether writers go on telling although all who watched are dead. */
export function tellsNobody(map: Subject): boolean {
  const { words } = storeOf(map).open()
  takeOverFromDead(words)
  return isWatched(words)
}
