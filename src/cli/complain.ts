import { harmless } from './output.js'

/** Prints a line for people, beside what the command prints. */
export function complain(text: string): void {
  process.stderr.write(`mapsafe: ${harmless(text)}\n`)
}
