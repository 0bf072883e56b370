interface Closable {
  close(): void
}

/**
 * Engines of this thread that are still open. A thread that ends without closing its maps would take its thread records
 * along, and the region, which outlives even the process if it is in a file, has 128. (The native engine has Node-API's clean-up hook
 * for this, which runs after `terminate()` too; JavaScript is not told of a termination, nor of a signal.)
 */
const open = new Set<Closable>()
let isListening = false

/** Has `engine` closed when this thread ends, unless it was {@link closed} before. */
export function closeAtExit(engine: Closable): void {
  if (!isListening) process.on('exit', closeAll)
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
