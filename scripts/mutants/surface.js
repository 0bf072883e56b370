/**
 * Sabotages of what all methods have in common, as docs/differences.md lists it, of what is printed and said, and of
 * what two copies of the package share. `find` occurs exactly once in `file`.
 */
export const mutants = [
  {
    name: 'receiver-checked-after-arguments',
    why: 'another receiver is told that its arguments are wrong',
    file: 'src/public/concurrent-map.ts',
    find: "    const store = this.#store\n    checkFunction('callback', callback)\n",
    replace: "    checkFunction('callback', callback)\n    const store = this.#store\n",
  },
  {
    name: 'receiver-not-checked',
    why: 'forEach works on whatever has entries',
    file: 'src/public/concurrent-map.ts',
    find: 'for (const [key, value] of entriesOf(store)) Reflect',
    replace: 'for (const [key, value] of store === undefined ? [] : this) Reflect',
  },
  {
    name: 'callback-called-by-its-own-call',
    why: 'a property of the callback decides what is called',
    file: 'src/public/concurrent-map.ts',
    find: 'Reflect.apply(callback, thisArg, [value, key as K, this])',
    replace: 'callback.call(thisArg, value, key as K, this)',
  },
  {
    name: 'keys-ask-the-subclass',
    why: 'a subclass that overrides has changes keys',
    file: 'src/public/concurrent-map.ts',
    find: 'return keysOf(this.#store) as IterableIterator<K>',
    replace: 'return (this.has(0 as K), keysOf(this.#store)) as IterableIterator<K>',
  },
  {
    name: 'text-taken-apart',
    why: "deleteMany('s1') deletes 's' and '1'",
    file: 'src/store/batches.ts',
    find: "if (typeof given === 'string' || isUint8Array(given)) {",
    replace: 'if (isUint8Array(given)) {',
  },
  {
    name: 'region-printed',
    why: 'console.log of a handle shows bytes of the memory',
    file: 'src/public/handle.ts',
    find: '  if (handle.region !== undefined) showLengthOf(handle.region)\n',
    replace: '',
  },
  {
    name: 'secret-printed',
    why: 'console.log of a handle that was received shows the secret of the hash',
    file: 'src/format/layout.ts',
    find: 'HEADER_SECRET_0 = 40',
    replace: 'HEADER_SECRET_0 = 5',
  },
  {
    name: 'option-called-argument',
    why: 'a message speaks of an "Argument Option"',
    file: 'src/public/lifetime.ts',
    find: "checkTtl('Option ttl', ttl)",
    replace: "checkTtl('Argument Option ttl', ttl)",
  },
  {
    name: 'guard-of-each-copy',
    why: 'a decision may write to the map by another copy of the package in the same thread',
    file: 'src/store/reentry.ts',
    find: "threadState('guarded maps', () => new Set<ArrayBufferLike>())",
    replace: 'new Set<ArrayBufferLike>()',
  },
]
