const word = new Int32Array(new SharedArrayBuffer(4))

/**
 * Issues a full fence without storing to a word of the region, by the only means that JavaScript has. On a weakly
 * ordered machine, plain accesses may pass an `Atomics.store` downwards or an `Atomics.load` upwards, but nothing
 * passes the two in a row, of any word.
 */
export function fence(): void {
  Atomics.store(word, 0, 0)
  Atomics.load(word, 0)
}
