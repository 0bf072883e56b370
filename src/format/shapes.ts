/**
 * The shapes of values: every list of names that objects have, as a tree of parents and one more name each. See
 * docs/internals/format.md and docs/internals/protocol.md, "Shapes".
 */
import {
  BLOCK_WORDS,
  FIRST_CHUNK_SHAPES,
  HEADER_SHAPE_CHILDREN,
  HEADER_SHAPE_CHUNKS,
  HEADER_SHAPE_COUNT,
  HEADER_SHAPE_LIMIT,
  HEADER_SHAPE_NEWEST,
  KEY_LATIN1,
  KEY_UTF16,
  MAX_SHAPES,
  MIN_SHAPE_CHILDREN,
  MIN_SHAPES,
  NAME_CHUNK_MASK,
  NAME_CHUNK_SHIFT,
  NAME_KIND_SHIFT,
  NAME_LENGTH_MASK,
  NAME_LENGTH_SHIFT,
  NAME_PLACE_MASK,
  SHAPE_BYTES,
  SHAPE_CHILDREN_PART,
  SHAPE_CHUNKS,
  SHAPE_NAME,
  SHAPE_NAME_BYTES,
  SHAPE_NEWEST,
  SHAPE_PARENT,
  SHAPE_REGION_BYTES,
  SHAPE_SIBLING,
  SHAPE_WORDS,
} from './layout.js'
import { byteOffset, type Region } from './region.js'

/** A shape: its parent's names and one more. */
export interface Shape {
  /** Id of the parent, which is less than the shape's own. 0 is the shape without names. */
  readonly parent: number
  readonly name: string
}

// Outcomes of a search, if the child is not there.
export const NO_CHILD = 0
/** There is none, and a bound forbids another one. */
export const NO_MORE_CHILDREN = -1
export const DAMAGED_CHILDREN = -2

/** Returns the most shapes of a region of `bytes` bytes. */
export function shapeLimitFor(bytes: number): number {
  const shapes = 2 ** Math.floor(Math.log2(bytes / SHAPE_REGION_BYTES))
  return Math.min(Math.max(shapes, MIN_SHAPES), MAX_SHAPES)
}

/** Returns the most children of a shape in a table of `limit` shapes. */
export function shapeChildrenFor(limit: number): number {
  return Math.max(Math.floor(limit / SHAPE_CHILDREN_PART), MIN_SHAPE_CHILDREN)
}

export function shapesIn(chunk: number): number {
  return chunk === 0 ? FIRST_CHUNK_SHAPES : FIRST_CHUNK_SHAPES << (chunk - 1)
}

export function shapeChunkBytes(chunk: number): number {
  return shapesIn(chunk) * SHAPE_BYTES
}

/** Returns the chunk in which a shape's record lies. */
export function shapeChunkOf(id: number): number {
  const place = id - 1
  return place < FIRST_CHUNK_SHAPES ? 0 : Math.clz32(FIRST_CHUNK_SHAPES) - Math.clz32(place) + 1
}

/** Returns the number of words that a chunk has for names. */
export function nameWordsIn(chunk: number): number {
  return shapesIn(chunk) * (SHAPE_BYTES / 4 - SHAPE_WORDS)
}

/** Returns the number of words of the name that a word SHAPE_NAME tells of. */
export function nameWordsOf(text: number): number {
  return (nameBytesOf(text) + 3) >> 2
}

function nameBytesOf(text: number): number {
  return (text >>> NAME_LENGTH_SHIFT) & NAME_LENGTH_MASK
}

/** A place for a name: a chunk, and the first word among its words for names. */
export interface NamePlace {
  readonly chunk: number
  readonly word: number
}

/**
 * The table of a region, to be read.
 *
 * Thread safety: any thread. Shapes are never changed. Nothing in the table is believed: ids, places and lengths are
 * checked where they are read, and every walk goes from greater ids to smaller ones.
 */
export class ShapeTable {
  readonly words: Int32Array

  constructor(readonly region: Region) {
    this.words = region.words
  }

  /** The number of shapes: all of a shape was stored before it is counted. */
  get count(): number {
    return Atomics.load(this.words, HEADER_SHAPE_COUNT) >>> 0
  }

  /** Returns a shape; undefined if there is none with that id, or it is damaged. */
  read(id: number): Shape | undefined {
    if (id > this.count) return undefined
    const record = this.recordAt(id)
    if (record === 0) return undefined
    const parent = this.words[record + SHAPE_PARENT] >>> 0
    const name = this.readName(record)
    return name === undefined || parent >= id ? undefined : { parent, name }
  }

  /**
   * Returns the child of `parent` that has the name; else {@link NO_CHILD}, {@link NO_MORE_CHILDREN} or
   * {@link DAMAGED_CHILDREN}. O(children).
   */
  find(parent: number, name: string): number {
    const { words } = this
    const newest = this.newestAt(parent)
    if (newest === 0) return DAMAGED_CHILDREN
    // What is named here is counted there, since it was named last.
    let id = Atomics.load(words, newest) >>> 0
    const { count } = this
    if (parent > count) return DAMAGED_CHILDREN
    let children = 0
    for (let before = count + 1; id !== 0; children++) {
      const record = id < before && id > parent ? this.recordAt(id) : 0
      if (record === 0 || words[record + SHAPE_PARENT] !== parent) return DAMAGED_CHILDREN
      if (this.hasName(record, name)) return id
      before = id
      id = words[record + SHAPE_SIBLING] >>> 0
    }
    const hasRoom = children < words[HEADER_SHAPE_CHILDREN] >>> 0 && count < words[HEADER_SHAPE_LIMIT] >>> 0
    return hasRoom ? NO_CHILD : NO_MORE_CHILDREN
  }

  /** The part of the table in use, from 0 to 1: of its records, or of its room for names, whichever is more. */
  get share(): number {
    const limit = Math.min(this.words[HEADER_SHAPE_LIMIT] >>> 0, MAX_SHAPES)
    const count = Math.min(this.count, limit)
    if (count === 0) return 0
    const { chunk, word } = this.nextPlace(count, 0) ?? { chunk: 0, word: 0 }
    const words = chunk === 0 ? word : nameWordsIn(chunk) + word // as many before the chunk as in it
    return Math.min(1, Math.max(count, words / (SHAPE_BYTES / 4 - SHAPE_WORDS)) / limit)
  }

  /** Returns the most children that a shape has. O(shapes). */
  mostChildren(): number {
    const count = Math.min(this.count, MAX_SHAPES)
    const children = new Uint16Array(count + 1)
    let most = 0
    for (let id = 1; id <= count; id++) {
      const record = this.recordAt(id)
      const parent = record === 0 ? id : this.words[record + SHAPE_PARENT] >>> 0
      if (parent < id) most = Math.max(most, ++children[parent])
    }
    return most
  }

  /** Returns the child of the same parent that was added before the shape; 0 if there is none. */
  siblingOf(id: number): number {
    const record = this.recordAt(id)
    return record === 0 ? 0 : this.words[record + SHAPE_SIBLING]
  }

  /** Returns the child of the shape that was added last; 0 if there is none. */
  newestOf(id: number): number {
    const newest = this.newestAt(id)
    return newest === 0 ? 0 : this.words[newest]
  }

  /** Returns whether the shape's name lies where it was to be put. */
  isInPlace(id: number): boolean {
    const record = this.recordAt(id)
    if (record === 0) return false
    const text = this.words[record + SHAPE_NAME]
    const place = this.placeOf(text)
    const expected = this.nextPlace(id - 1, nameWordsOf(text))
    return place?.chunk === expected?.chunk && place?.word === expected?.word
  }

  /** Returns the first word of a shape's record; 0 if there is none. */
  recordAt(id: number): number {
    if (!(id > 0 && id <= MAX_SHAPES)) return 0
    const chunk = shapeChunkOf(id)
    const at = this.chunkAt(chunk)
    const before = chunk === 0 ? 0 : shapesIn(chunk) // as many as the chunk has itself
    return at === 0 ? 0 : at + (id - 1 - before) * SHAPE_WORDS
  }

  /** Returns the word that names the newest child of `parent`; 0 if there is none. */
  newestAt(parent: number): number {
    if (parent === 0) return HEADER_SHAPE_NEWEST
    const record = this.recordAt(parent)
    return record === 0 ? 0 : record + SHAPE_NEWEST
  }

  /** Returns the first word of a chunk; 0 if it is missing or damaged. */
  chunkAt(chunk: number): number {
    const block = chunk < SHAPE_CHUNKS ? Atomics.load(this.words, HEADER_SHAPE_CHUNKS + chunk) : 0
    return this.region.contains(block, shapeChunkBytes(chunk) / 4) ? block * BLOCK_WORDS : 0
  }

  /** Returns the first word for names in a chunk that is there. */
  namesAt(chunk: number): number {
    return this.chunkAt(chunk) + shapesIn(chunk) * SHAPE_WORDS
  }

  /** Returns the place of the next name, of `length` words, in a table with so many shapes; undefined if it is damaged. */
  nextPlace(shapes: number, length: number): NamePlace | undefined {
    let chunk = 0
    let word = 0
    if (shapes > 0) {
      const last = this.recordAt(shapes)
      if (last === 0) return undefined
      const text = this.words[last + SHAPE_NAME]
      const place = this.placeOf(text)
      if (place === undefined) return undefined
      chunk = place.chunk
      word = place.word + nameWordsOf(text)
    }
    return word + length > nameWordsIn(chunk) ? { chunk: chunk + 1, word: 0 } : { chunk, word }
  }

  private placeOf(text: number): NamePlace | undefined {
    const chunk = (text >>> NAME_CHUNK_SHIFT) & NAME_CHUNK_MASK
    const word = text & NAME_PLACE_MASK
    if (nameBytesOf(text) > SHAPE_NAME_BYTES || chunk >= SHAPE_CHUNKS) return undefined
    return word + nameWordsOf(text) > nameWordsIn(chunk) ? undefined : { chunk, word }
  }

  private readName(record: number): string | undefined {
    const text = this.words[record + SHAPE_NAME]
    const place = this.placeOf(text)
    if (place === undefined || this.chunkAt(place.chunk) === 0) return undefined
    const bytes = nameBytesOf(text)
    const block = this.words[HEADER_SHAPE_CHUNKS + place.chunk]
    const start = byteOffset(block) + (shapesIn(place.chunk) * SHAPE_WORDS + place.word) * 4
    const window = this.region.windowOf(block)
    switch (text >>> NAME_KIND_SHIFT) {
      case KEY_LATIN1:
        return window.latin1Slice(start, start + bytes)
      case KEY_UTF16:
        return bytes % 2 === 0 ? window.ucs2Slice(start, start + bytes) : undefined
      default:
        return undefined
    }
  }

  private hasName(record: number, name: string): boolean {
    const text = this.words[record + SHAPE_NAME]
    const bytes = text >>> NAME_KIND_SHIFT === KEY_LATIN1 ? name.length : 2 * name.length
    return nameBytesOf(text) === bytes && this.readName(record) === name
  }
}
