import { atExit, isMainThread } from '../../../platform/process.js'

interface Closable {
  close(): void
}

/**
 * Engines of this worker that are still open. A worker that ends without closing its maps would take its thread records
 * along, and the region has 128. (The native engine has Node-API's clean-up hook for this, which runs after
 * `terminate()` too; JavaScript is not told of a termination. The main thread's end is that of the process, and of the
 * region unless it is in a file, where others see that the process is gone.)
 */
const open = new Set<Closable>()
let isListening = false

/** Has `engine` closed when this worker ends, unless it was {@link closed} before. */
export function closeAtExit(engine: Closable): void {
  if (isMainThread) return
  if (!isListening) atExit(closeAll)
  isListening = true
  open.add(engine)
}

/** To be called by an engine that closes. */
export function closed(engine: Closable): void {
  open.delete(engine)
}

function closeAll(): void {
  for (const engine of open) engine.close()
}
