import type { Labels } from '../format/labels.js'

/**
 * How long an entry lives, in the form that writes take: when it expires, in the region's time, or NEVER; a number below 0
 * for so many milliseconds from the write on; or a life that reads renew.
 */
export type Span = number | SlidingLife

/** How long an entry lives, and what it ends with besides. */
export type Lifetime = Span | LabelledLife

/** The life of an entry with labels. */
export interface LabelledLife {
  /** As above; undefined leaves it to the map. */
  readonly span: Span | undefined
  /** With the generations that they had before the value was made. */
  readonly labels: Labels
}

/** Returns a life with labels, if there are any. */
export function withLabels(span: Span | undefined, labels: Labels | undefined): Lifetime | undefined {
  return labels === undefined ? span : { span, labels }
}

export function spanOf(lifetime: Lifetime | undefined): Span | undefined {
  return typeof lifetime === 'object' && 'labels' in lifetime ? lifetime.span : lifetime
}

export function labelsOf(lifetime: Lifetime | undefined): Labels | undefined {
  return typeof lifetime === 'object' && 'labels' in lifetime ? lifetime.labels : undefined
}

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
