import { clearScreenDown, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { conclusion, progress, table, TABLE_WIDTH, type Report, type Result } from './report.js'

/** Shows how the run goes, and its result. */
export interface Display {
  /** To be called as often as there is news. */
  update(report: Report): void
  finish(result: Result): void
}

export function openDisplay(output: NodeJS.WriteStream): Display {
  // In a narrower window the table's lines would wrap, and moving up would miss its start.
  return output.isTTY && output.columns >= TABLE_WIDTH ? new LiveTable(output) : new Log(output)
}

const REDRAW_MILLISECONDS = 200
const LOG_MILLISECONDS = 1000

/** A table that is drawn over itself. */
class LiveTable implements Display {
  readonly #output: WriteStream
  #drawnLines = 0
  #drawnAt = -Infinity

  constructor(output: WriteStream) {
    this.#output = output
  }

  update(report: Report): void {
    if (performance.now() - this.#drawnAt < REDRAW_MILLISECONDS) return
    this.#draw(report)
    this.#drawnAt = performance.now()
  }

  finish(result: Result): void {
    this.#draw(result)
    this.#output.write(`\n${conclusion(result)}\n`)
  }

  #draw(report: Report): void {
    const text = table(report)
    // In a window with fewer rows than the table, moving up stops at the top, and the last table is still whole.
    moveCursor(this.#output, 0, -this.#drawnLines)
    clearScreenDown(this.#output)
    this.#output.write(`${text}\n`)
    this.#drawnLines = text.split('\n').length
  }
}

/** Plain lines, for files and continuous integration. */
class Log implements Display {
  readonly #output: NodeJS.WritableStream
  #writtenAt = performance.now()

  constructor(output: NodeJS.WritableStream) {
    this.#output = output
  }

  update(report: Report): void {
    if (performance.now() - this.#writtenAt < LOG_MILLISECONDS) return
    this.#output.write(`${progress(report)}\n`)
    this.#writtenAt = performance.now()
  }

  finish(result: Result): void {
    this.#output.write(`\n${table(result)}\n\n${conclusion(result)}\n`)
  }
}
