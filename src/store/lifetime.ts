/**
 * How long an entry lives, in the form that writes take: when it expires, in the region's time, or NEVER; a number below 0
 * for so many milliseconds from the write on; or a life that reads renew.
 */
export type Lifetime = number | SlidingLife

/** The life of an entry that lives for some milliseconds from its last read or write on. */
export interface SlidingLife {
  /** When it expires first: as above, a number. */
  readonly expiresAt: number
  readonly slidingTtl: number
}

/** Returns a life that begins with the write. */
export function slidingLife(slidingTtl: number): SlidingLife {
  return { expiresAt: -slidingTtl, slidingTtl }
}

/**
 * Part of its lifetime for which an entry that was just renewed is not renewed again. So a hot entry costs one write in
 * that time, over all threads.
 */
export const RENEWED_FOR = 0.1

/** Returns the time from which on a read renews an entry. */
export function renewalDue(expiresAt: number, slidingTtl: number): number {
  return expiresAt - slidingTtl * (1 - RENEWED_FOR)
}
