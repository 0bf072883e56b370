import { heapBlock } from './geometry.js'
import { BLOCK_WORDS, LINE_BYTES } from './layout.js'
import { Buffer } from '../platform/buffer.js'
import { arch } from '../platform/process.js'

/**
 * Whether the processor may let a load pass an earlier load. x64 keeps loads in program order, so that reloading a
 * version after a copy needs no fence there; V8 itself moves no access across one of `Atomics`.
 */
export const WEAKLY_ORDERED = arch !== 'x64' && arch !== 'ia32'

/**
 * The string methods of `Buffer` that take no encoding name. `toString` and `write` choose among them by name, which
 * costs 10 ns a call.
 */
export interface ByteWindow extends Uint8Array {
  latin1Slice(start: number, end: number): string
  ucs2Slice(start: number, end: number): string
  latin1Write(text: string, offset: number, length: number): number
  ucs2Write(text: string, offset: number, length: number): number
}

/** Windows start at every gibibyte. */
const WINDOW_BLOCK_BITS = 26
const WINDOW_BLOCK_MASK = 2 ** WINDOW_BLOCK_BITS - 1
const WINDOW_STRIDE_BYTES = 2 ** 30
/** Length of a window: enough for the longest string, 2^29 units of two bytes, behind the longest key. */
const WINDOW_BYTES = 3 * 2 ** 30

/**
 * One thread's view of a region's memory. All structure is accessed through {@link Region.words}; strings are decoded
 * and encoded through {@link Region.windowOf}, since a Node.js `Buffer` cannot span more than 4 GiB.
 */
export class Region {
  readonly words: Int32Array
  /** The same memory, for doubles at even words. */
  readonly doubles: Float64Array
  readonly blockCount: number
  private readonly heapBlock: number
  private readonly windows: ByteWindow[] = []

  constructor(buffer: SharedArrayBuffer | ArrayBuffer) {
    this.words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / LINE_BYTES) * (LINE_BYTES / 4))
    this.doubles = new Float64Array(buffer, 0, this.words.length / 2)
    this.blockCount = this.words.length / BLOCK_WORDS
    this.heapBlock = heapBlock(this.words.byteLength)
    for (let start = 0; start < buffer.byteLength; start += WINDOW_STRIDE_BYTES) {
      const length = Math.min(WINDOW_BYTES, buffer.byteLength - start)
      this.windows.push(Buffer.from(buffer as ArrayBuffer, start, length) as unknown as ByteWindow)
    }
  }

  /**
   * Returns whether `block`, as read from the region, may be the first of a structure of `words` words: all references
   * lead into the heap. Every reference is checked by this before it is followed.
   */
  contains(block: number, words: number): boolean {
    return block >= this.heapBlock && block * BLOCK_WORDS + words <= this.words.length
  }

  /** Returns the bytes in which `block` lies, with at least the next 2 GiB. {@link byteOffset} gives offsets in it. */
  windowOf(block: number): ByteWindow {
    return this.windows[block >>> WINDOW_BLOCK_BITS]
  }
}

/** Returns the offset of `block` in its window. */
export function byteOffset(block: number): number {
  return (block & WINDOW_BLOCK_MASK) << 4
}

/** Returns the region as pairs of words: pair `i` is the words `2 * i` and `2 * i + 1`. */
export function pairsOf(words: Int32Array): BigUint64Array {
  return new BigUint64Array(words.buffer, words.byteOffset, words.length / 2)
}
