/** An answer of node:http or express, as far as it is needed. */
export interface PageResponse {
  /** Begins the answer. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
  /** Sends a part of the answer. */
  write(text: string): boolean
  /** Ends the answer. */
  end(text?: string): unknown
  /** Ends the connection. */
  destroy(): unknown
  /** Calls back when the connection has ended. */
  on(event: 'close', listener: () => void): unknown
  /** Whether what was sent waits for the browser to read. */
  readonly writableNeedDrain: boolean
}

/** Browsers that watch at a time. */
const MOST_VIEWERS = 32
/** A browser that has read nothing for so many frames is let go; it may ask again. */
const MOST_MISSED = 30

/**
 * The browsers that watch, as server-sent events (HTML standard, 9.2). Figures are read once for all of them, and not at all while none
 * watches.
 */
export class Audience {
  readonly #viewers = new Map<PageResponse, number>()
  #timer: ReturnType<typeof setInterval> | undefined
  #sent = 0

  /**
   * @param interval milliseconds between two frames
   * @param frame makes the next one
   */
  constructor(
    private readonly interval: number,
    private readonly frame: () => object,
  ) {}

  get isFull(): boolean {
    return this.#viewers.size >= MOST_VIEWERS
  }

  /** @param response whose head is sent */
  add(response: PageResponse, introduction: object): void {
    this.#viewers.set(response, 0)
    response.on('close', () => this.#remove(response))
    response.write(eventOf('introduction', introduction))
    response.write(eventOf('figures', this.frame()))
    // The page does not keep a process from ending; its server may.
    this.#timer ??= setInterval(() => this.#send(), this.interval).unref()
  }

  close(): void {
    for (const response of this.#viewers.keys()) response.destroy()
    this.#viewers.clear()
    this.#rest()
  }

  #remove(response: PageResponse): void {
    this.#viewers.delete(response)
    if (this.#viewers.size === 0) this.#rest()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #send(): void {
    const text = eventOf('figures', this.frame(), ++this.#sent)
    for (const [response, missed] of this.#viewers) {
      // What a slow browser has not read yet is all that is kept for it: it misses frames, which is no harm to the next.
      if (!response.writableNeedDrain) {
        response.write(text)
        this.#viewers.set(response, 0)
      } else if (missed < MOST_MISSED) this.#viewers.set(response, missed + 1)
      else response.destroy()
    }
  }
}

/** JSON has no line breaks, so that data is one line. */
function eventOf(name: string, data: object, id = 0): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}
