/**
 * Sabotages of what guards against hostile bytes, clients and properties. Each lets them take memory or stack, run what
 * they should not, or learn what they should not. `find` occurs exactly once in `file`.
 */
export const mutants = [
  {
    name: 'plain-room-unbounded',
    why: 'arrays within arrays each claim all bytes that are left',
    file: 'src/codec/plain/reader.ts',
    find: 'this.room -= parts',
    replace: 'this.room = Math.min(this.room, this.end - this.at - parts)',
  },
  {
    name: 'plain-nesting-unbounded',
    why: 'bytes decide how deep the decoder recurses',
    file: 'src/codec/plain/reader.ts',
    find: '++this.nesting > MAX_NESTING + 1',
    replace: '++this.nesting < 0',
  },
  {
    name: 'plain-string-unchecked',
    why: 'a string takes bytes of the entry before',
    file: 'src/codec/plain/reader.ts',
    find: 'if (bytes > this.end - start) throw corruptValue()',
    replace: '',
  },
  {
    name: 'plain-extensions',
    why: 'bytes of another meaning are taken for undefined',
    file: 'src/codec/plain/reader.ts',
    find: 'if (this.view.getUint16(this.skip(2)) !== 0) throw corruptValue()',
    replace: 'this.skip(2)',
  },
  {
    name: 'clone-array-length-believed',
    why: '7 bytes take 256 MiB',
    file: 'src/codec/clone/reader.ts',
    find: 'if (array.length < length && leaps(length, array.length)) makeSparse(array)',
    replace: '',
  },
  {
    name: 'clone-nesting-unbounded',
    why: 'bytes decide how deep the decoder recurses',
    file: 'src/codec/clone/reader.ts',
    find: 'if (++this.nesting > MAX_NESTING + 1) throw corruptValue()',
    replace: '++this.nesting',
  },
  {
    name: 'clone-pattern-unbounded',
    why: 'V8 takes hundreds of megabytes to check a pattern',
    file: 'src/codec/clone/reader.ts',
    find: "if (!isPatternAllowed(source, flags.includes('v'))) throw corruptValue()",
    replace: '',
  },
  {
    name: 'clone-view-unchecked',
    why: 'a RangeError without a code comes out of a read',
    file: 'src/codec/clone/views.ts',
    find: 'offset + bytes > buffer.byteLength || ',
    replace: '',
  },
  {
    name: 'leaping-index-in-place',
    why: 'a property of name 1000 takes 12 KiB',
    file: 'src/codec/elements.ts',
    find: 'return index > 2 * count + 8',
    replace: 'return index > 2 * count + 2000',
  },
  {
    name: 'cursor-is-the-hash',
    why: 'a client that is given cursors learns which keys collide',
    file: 'src/store/cursor.ts',
    find: 'const ROUNDS = 10',
    replace: 'const ROUNDS = 0',
  },
  {
    name: 'cursor-of-any-part',
    why: 'a cursor tried with one part after the other tells the bits of its hash',
    file: 'src/store/cursor.ts',
    find: 'input[1] = parts',
    replace: 'input[0] = 0',
  },
  {
    name: 'cursor-of-any-map',
    why: 'a cursor of another map leads to some place of this one',
    file: 'src/store/cursor.ts',
    find: 'if ((right & (2 ** ZERO_BITS - 1)) !== 0) return undefined',
    replace: '',
  },
  {
    name: 'expected-as-given',
    why: 'an instance of a class is never equal to what was stored of it',
    file: 'src/store/expected.ts',
    find: 'this.value = store.decodeEncoded(encoder, given)',
    replace: 'this.value = given',
  },
  {
    name: 'options-from-the-root',
    why: 'a property of Object.prototype opens a file',
    file: 'src/base/arguments.ts',
    find: 'if (next === null) return false',
    replace: '',
  },
]
