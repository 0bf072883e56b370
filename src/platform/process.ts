/** Which thread and process this is, on which processor, and what happens when it ends. */
import { isMainThread, threadId } from 'node:worker_threads'

export { isMainThread, threadId }

export const { pid, arch } = process

/** Has `action` called when this thread ends by itself: not when it is terminated. */
export function atExit(action: () => void): void {
  process.on('exit', action)
}
