/** The whole screen of a terminal, given back as it was, however the program ends. */
import { writeSync } from 'node:fs'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const CTRL_C = '\u0003'

export class Screen {
  #isOpen = false

  /** @param onKey called with each key; `q` and ctrl-c call `onEnd` instead, as a signal does */
  constructor(
    private readonly onEnd: () => void,
    private readonly onKey: (key: string) => void,
    private readonly onResize: () => void,
  ) {
    const { stdin, stdout } = process
    this.#isOpen = true
    writeSync(1, ENTER)
    if (stdin.isTTY) {
      stdin.setRawMode(true)
      stdin.resume()
      stdin.on('data', this.#read)
    }
    stdout.on('resize', onResize)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onEnd)
    process.on('exit', this.#restore)
  }

  /** Shows lines, as far as they fit; `widthOf` of a line is that of its text without colours. */
  show(lines: readonly string[]): void {
    // A terminal may not know its size.
    const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24]
    const shown = lines.slice(0, rows).map((line) => `${cut(line, columns)}\u001b[0m\u001b[K`)
    writeSync(1, `\u001b[H${shown.join('\r\n')}\u001b[J`)
  }

  close(): void {
    const { stdin, stdout } = process
    this.#restore()
    stdin.off('data', this.#read)
    stdin.pause()
    stdout.off('resize', this.onResize)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.onEnd)
    process.off('exit', this.#restore)
  }

  readonly #read = (data: Buffer): void => {
    for (const key of data.toString('latin1')) {
      if (key === 'q' || key === CTRL_C) this.onEnd()
      else this.onKey(key)
    }
  }

  readonly #restore = (): void => {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    try {
      writeSync(1, LEAVE)
    } catch {
      // The terminal is gone.
    }
  }
}

/** Returns the first `columns` characters, not counting what sets colours. */
function cut(line: string, columns: number): string {
  let [width, at] = [0, 0]
  while (at < line.length && width < columns) {
    const end = line.startsWith('\u001b[', at) ? line.indexOf('m', at) : -1
    if (end >= 0) at = end + 1
    else {
      at++
      width++
    }
  }
  return line.slice(0, at)
}
