/** A read of an entry that is stored once and lives from its last read on. Times are those of the machine's clock. */
export interface Read {
  readonly key: number
  readonly worker: number
  readonly invoked: number
  readonly returned: number
  readonly found: boolean
  /** Whether a read of its kind renews the entry. */
  readonly renews: boolean
}

/** A region's time is a double of some 10^12 milliseconds: what it is rounded by, several times over. */
const AGREEMENT = 0.001

/**
 * Returns what no order of the reads of one key explains.
 *
 * - The entry is stored once. So once a read found nothing, no later one finds it: its time has passed, and nothing may
 *   bring it back.
 * - A read renews the entry for one lifetime at most, counted from a moment between its call and its return. So a read
 *   that begins later than a lifetime after the return of every read before it finds nothing.
 */
export function faultsOf(reads: readonly Read[], slidingTtl: number): string[] {
  const faults: string[] = []
  const byCall = reads.toSorted((a, b) => a.invoked - b.invoked)
  const firstEnd = Math.min(...reads.filter(({ found }) => !found).map(({ returned }) => returned))
  for (const read of byCall) {
    if (!read.found) continue
    if (read.invoked > firstEnd) faults.push(`came back: ${JSON.stringify(read)} after ${firstEnd}`)
    const renewals = byCall.filter(
      (each) => each !== read && each.found && each.renews && each.invoked <= read.returned,
    )
    const end = Math.max(...renewals.map(({ returned }) => returned)) + slidingTtl + AGREEMENT
    if (renewals.length > 0 && read.invoked > end) faults.push(`lived on: ${JSON.stringify(read)} after ${end}`)
  }
  return faults
}
