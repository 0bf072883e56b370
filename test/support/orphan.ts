const parent = process.ppid

/**
 * Whether the process that started this one is gone. A task that works until it is killed asks now and then: its test
 * may have been killed first, and nobody else would end it.
 */
export function isOrphan(): boolean {
  return process.ppid !== parent
}
