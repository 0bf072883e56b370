import { parentPort, Worker } from 'node:worker_threads'

type Answer = { readonly result: unknown } | { readonly failure: string }

/** A worker thread that answers one order at a time. Its module calls {@link answer}. */
export class Thread<Order> {
  readonly #worker: Worker
  /** Why the worker is no longer there, once it is not. */
  #ended: Error | undefined

  /**
   * @param module URL of the worker's module
   * @param workerData structured-cloned
   */
  constructor(module: URL, workerData?: unknown) {
    // The largest private maps measured take some 2 GiB.
    this.#worker = new Worker(module, { workerData, resourceLimits: { maxOldGenerationSizeMb: 8192 } })
    this.#worker
      .on('error', (error) => (this.#ended = error))
      .on('exit', (code) => (this.#ended ??= new Error(`the worker ended with code ${code}`)))
  }

  /** Sends an order and waits for the answer; rejects if the worker fails or ends. */
  ask<Result>(order: Order): Promise<Result> {
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const settle = (): void => void worker.off('message', receive).off('exit', fail)
      const receive = (message: Answer): void => {
        settle()
        if ('failure' in message) reject(new Error(message.failure))
        else resolve(message.result as Result)
      }
      // An error is followed by the exit.
      const fail = (): void => {
        settle()
        reject(this.#ended!)
      }
      if (this.#ended !== undefined) {
        reject(this.#ended)
        return
      }
      worker.on('message', receive).on('exit', fail)
      worker.postMessage(order)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** In a worker: does what is ordered, one order after the other. */
export function answer(serve: (order: never) => unknown): void {
  const port = parentPort!
  port.on('message', (order) => {
    void (async (): Promise<void> => {
      try {
        port.postMessage({ result: await serve(order as never) } satisfies Answer)
      } catch (error) {
        port.postMessage({ failure: (error as Error).stack ?? String(error) } satisfies Answer)
      }
    })()
  })
}
