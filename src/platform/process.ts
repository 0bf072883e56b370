/** The identity of this thread and process, the processor's architecture, and actions at the thread's end. */
import { isMainThread, threadId } from 'node:worker_threads'

export { isMainThread, threadId }

export const { pid, arch } = process

/** Calls `action` when this thread ends by itself, but not when it is terminated. */
export function atExit(action: () => void): void {
  process.on('exit', action)
}
