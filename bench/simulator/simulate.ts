import type { PolicyKind } from './policy.js'
import type { Trace } from './trace.js'

/** Share of the accesses that were hits, in percent. */
export function hitRatio(kind: PolicyKind, { accesses, keys }: Trace, capacity: number): number {
  const policy = kind.create(capacity, accesses, keys)
  let hits = 0
  for (const key of accesses) if (policy.access(key)) hits++
  return (100 * hits) / accesses.length
}
