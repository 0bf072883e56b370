declare const marker: unique symbol

/** The type of {@link DELETE}. */
export type DeleteMarker = symbol & {
  /** Only in the type: it distinguishes this symbol from all others. */
  readonly [marker]: 'delete'
}

/**
 * What the function given to `update` returns to delete the entry. It is the same symbol in every copy of the package.
 */
export const DELETE = Symbol.for('mapsafe.delete') as DeleteMarker
