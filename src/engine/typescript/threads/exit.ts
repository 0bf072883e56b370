import { atExit, isMainThread } from '../../../platform/process.js'

interface Closable {
  close(): void
}

/**
 * Engines of this worker that are still open. A worker that ends without closing its maps would keep its thread records
 * taken, and the region has only 128. (The native engine has Node-API's clean-up hook for this, which runs after
 * `terminate()` too; JavaScript gets no notice of a termination. The main thread's end is that of the process, and of
 * the region, unless the region is in a file, where other processes see that this one is gone.)
 */
const open = new Set<Closable>()
let isListening = false

/** Closes `engine` when this worker ends, unless it was {@link closed} before. */
export function closeAtExit(engine: Closable): void {
  if (isMainThread) return
  if (!isListening) atExit(closeAll)
  isListening = true
  open.add(engine)
}

/** Notes that an engine closed. The engine calls it. */
export function closed(engine: Closable): void {
  open.delete(engine)
}

function closeAll(): void {
  for (const engine of open) engine.close()
}
