/** Where encoded bytes are passed to an engine and from it: its scratch buffer. */
export interface ScratchBuffer {
  readonly scratch: Uint8Array
  /** Makes {@link ScratchBuffer.scratch} at least `bytes` long. Its content is lost. */
  growScratch(bytes: number): void
  /** Makes it small again if it is longer than a thread keeps. Its content is lost. */
  shrinkScratch(): void
}

// A promise, because fake timers of tests take the place of queueMicrotask.
const settled = Promise.resolve()

/**
 * Makes the scratch buffer at least `bytes` long until the calls are over that JavaScript is in now: then a large one
 * is given back. Many calls in a row have one in common, whatever way they end.
 */
export function makeRoom(buffer: ScratchBuffer, bytes: number): void {
  if (bytes <= buffer.scratch.length) return
  buffer.growScratch(bytes)
  void settled.then(() => {
    buffer.shrinkScratch()
  })
}
