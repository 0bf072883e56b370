import type { Output } from './output.js'

/** What a program tells the shell. */
export const FINE = 0
export const PROBLEMS = 1
export const USAGE = 2
export const CANNOT_OPEN = 3

/** An option as `parseArgs` of node:util takes it, and what `--help` says of it. */
export interface Option {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  /** The name of its value, in capitals. */
  readonly value?: string
  readonly help: string
}

/** The options and arguments of a call, by name. */
export interface Given {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly operands: readonly string[]
}

/** A command of the program. */
export interface Command {
  readonly name: string
  /** The operands: those in brackets may be left out; one that ends in dots may be repeated. */
  readonly operands: readonly string[]
  /** What it does, in one line. */
  readonly summary: string
  readonly options: Readonly<Record<string, Option>>
  /** Returns the exit code. */
  run(given: Given, output: Output): number | Promise<number>
}

/** A wrong call; the message says what was given and what was expected. */
export class WrongCall extends Error {}

/** Something that ends a command, with its exit code: there is no more to say than the message. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message)
  }
}

/** The options of every command that looks at a map. */
export const SOURCE_OPTIONS: Readonly<Record<string, Option>> = {
  trust: { type: 'boolean', help: 'open a file that other users own or may write to' },
  copy: { type: 'boolean', help: 'read the whole file first, and look at that copy' },
  now: {
    type: 'string',
    value: 'TIME',
    help: 'the time by which entries have expired: a date, or milliseconds since 1970',
  },
}

export const JSON_OPTION: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: 'print JSON' },
}

/** Returns a whole number from `least` on that was given as text; `usual` if it was left out. */
export function numberOption({ options }: Given, name: string, least: number, usual: number): number {
  const text = options[name]
  if (typeof text !== 'string') return usual
  const number = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number
  throw new WrongCall(`Option --${name} is ${JSON.stringify(text)}; expected a whole number of at least ${least}.`)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** Returns a number of bytes that was given as text, like `64m`. */
export function bytesOf(text: string, name: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? ['', '', '']
  const bytes = Math.floor(Number(digits) * UNITS[unit.toLowerCase()])
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new WrongCall(`${name} is ${JSON.stringify(text)}; expected a number of bytes, like 4096, 512k, 64m or 2g.`)
}
