/** An engine's scratch buffer, in which encoded bytes are passed to it and from it. */
export interface ScratchBuffer {
  readonly scratch: Uint8Array
  /** Makes {@link ScratchBuffer.scratch} at least `bytes` long. Its content is lost. */
  growScratch(bytes: number): void
  /** Makes {@link ScratchBuffer.scratch} small again if it is longer than a thread keeps. Its content is lost. */
  shrinkScratch(): void
}

// Uses a promise, because fake timers of tests replace queueMicrotask.
const settled = Promise.resolve()

/**
 * Makes the scratch buffer at least `bytes` long until the JavaScript calls under way are over: then a large one is
 * given back. Many calls in a row share one, no matter how they end.
 */
export function makeRoom(buffer: ScratchBuffer, bytes: number): void {
  if (bytes <= buffer.scratch.length) return
  buffer.growScratch(bytes)
  void settled.then(() => {
    buffer.shrinkScratch()
  })
}
