import { Worker } from 'node:worker_threads'
import { workerCode } from './worker-code.js'

/**
 * Ends what does not end: a test, or what comes before, between and after the tests of a file, that has taken `limit`
 * milliseconds of a fair clock. A thread of its own reads the clock, since a test may block the one it runs in: then
 * the thread ends the process, with a message.
 */
export class Watchdog {
  readonly #thread: Worker
  #overdue: ((message: string) => void) | undefined

  constructor(limit: number) {
    const entry = workerCode(new URL('watchdog.worker.ts', import.meta.url)).href
    this.#thread = new Worker(new URL('typescript-worker.js', import.meta.url), { workerData: { entry, limit } })
    this.#thread.unref()
    this.#thread.on('message', (message: string) => this.#overdue?.(message))
  }

  /** Something begins, and whatever was under way has ended. */
  begin(name: string): void {
    this.#thread.postMessage(name)
  }

  /** Nothing is under way any more. */
  rest(): void {
    this.#thread.postMessage('')
  }

  /** Runs a test, and rejects if it does not end. */
  async run(name: string, test: () => unknown): Promise<void> {
    this.begin(name)
    const overdue = new Promise<never>((_, reject) => {
      this.#overdue = (message) => reject(new Error(message))
    })
    try {
      await Promise.race([test(), overdue])
    } finally {
      this.#overdue = undefined
      this.begin(`what comes after ${name}`)
    }
  }
}
