const word = new Int32Array(new SharedArrayBuffer(4))

/**
 * A full fence for who has no word of the region to store to, made of the only means JavaScript has: plain accesses may
 * pass an `Atomics.store` downwards or an `Atomics.load` upwards on a weakly ordered machine, but nothing passes the two
 * in a row, whatever word they are of.
 */
export function fence(): void {
  Atomics.store(word, 0, 0)
  Atomics.load(word, 0)
}
