/**
 * The identity of this thread and process, the processor's architecture, its environment and warnings, and actions at
 * the thread's end.
 */
import { isMainThread, threadId } from 'node:worker_threads'

export { isMainThread, threadId }

export const { pid, arch } = process

/** Calls `action` when this thread ends by itself, but not when it is terminated. */
export function atExit(action: () => void): void {
  process.on('exit', action)
}

/** Returns a variable of the environment; undefined if it is not set, or empty. */
export function variable(name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}

/** Warns in the way of Node.js: on standard error, unless the program handles warnings itself. */
export function warn(message: string, code: string): void {
  process.emitWarning(message, { type: 'MapsafeWarning', code })
}
