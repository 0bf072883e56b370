/**
 * What the program prints. Everything that comes out of a map is strange text: what would move a terminal's cursor, or turn
 * the writing round, is printed as an escape.
 *
 * Lines are written synchronously: a command that prints a million entries into a pipe that nobody reads any more ends at
 * the next line.
 */
import { writeSync } from 'node:fs'
import { styleText } from 'node:util'
import { toJson } from '../dump/index.js'
import type { Key } from '../index.js'

/** Thrown when whoever read what is printed has gone; the program ends quietly. */
export class ReaderGone extends Error {}

const FLUSH_UNITS = 16_384
const PAUSE_MS = 5
const sleeper = new Int32Array(new SharedArrayBuffer(4))

export class Output {
  /** Whether to print JSON. */
  readonly isJson: boolean
  readonly #isColoured: boolean
  #pending = ''

  constructor(isJson: boolean) {
    this.isJson = isJson
    const { env, stdout } = process
    this.#isColoured =
      stdout.isTTY && !isJson && (env.NO_COLOR ?? '') === '' && env.NODE_DISABLE_COLORS !== '1' && env.TERM !== 'dumb'
  }

  /** Prints a line of text. */
  line(text = ''): void {
    this.#pending += `${text}\n`
    if (this.#pending.length >= FLUSH_UNITS) this.flush()
  }

  /** Prints a value as a line of JSON. */
  json(value: unknown): void {
    this.line(JSON.stringify(value))
  }

  /** Prints rows in columns; numbers stand to the right. */
  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const cells = rows.map((row) => row.map(String))
    const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)))
    const isNumber = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'))
    const format = (row: readonly string[]): string =>
      row
        .map((cell, i) =>
          isNumber[i] ? cell.padStart(widths[i]) : i === row.length - 1 ? cell : cell.padEnd(widths[i]),
        )
        .join('  ')
        .trimEnd()
    this.line(this.bold(format(head)))
    for (const row of cells) this.line(format(row))
  }

  flush(): void {
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    for (let at = 0; at < bytes.length;) at += writeSome(bytes, at)
  }

  bold(text: string): string {
    return this.#isColoured ? styleText('bold', text) : text
  }

  red(text: string): string {
    return this.#isColoured ? styleText('red', text) : text
  }

  green(text: string): string {
    return this.#isColoured ? styleText('green', text) : text
  }
}

function writeSome(bytes: Buffer, at: number): number {
  try {
    return writeSync(1, bytes, at)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') throw new ReaderGone()
    if (code !== 'EAGAIN') throw error
    // The reader of a pipe that does not wait is slower.
    Atomics.wait(sleeper, 0, 0, PAUSE_MS)
    return 0
  }
}

/** Control and format characters, the ends of lines and paragraphs, and halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Returns a text in which nothing moves a terminal's cursor; line ends stay. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, (each) =>
    each === '\n' ? each : Array.from({ length: each.length }, (_, i) => escapeUnit(each.charCodeAt(i))).join(''),
  )
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

/** Returns a key as it would stand in a program, on one line. */
export function showKey(key: Key): string {
  if (typeof key === 'string') return harmless(JSON.stringify(key))
  if (typeof key === 'bigint') return `${key}n`
  if (typeof key === 'object') return `bytes ${Buffer.from(key).toString('hex')}`
  return Object.is(key, -0) ? '0' : String(key)
}

/** Returns a value as JSON on one line: the form of dumps. */
export function showValue(value: unknown, most = Infinity): string {
  const text = harmless(JSON.stringify(toJson(value)))
  return text.length > most ? `${text.slice(0, most - 3)}...` : text
}

/** Returns a number of bytes for people. */
export function showBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`
  }
  return `${bytes} B`
}

/** Returns an instant in milliseconds since 1970 for people. */
export function showTime(time: number | undefined): string {
  if (time === undefined) return '-'
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time)
}
