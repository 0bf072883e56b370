/**
 * The greatest size, in bytes, of a working buffer that a thread keeps for the next call. A larger one is given back:
 * otherwise a single huge value would take its size again in every thread that ever touched it, as long as the map is
 * open.
 */
export const KEPT_BYTES = 2 ** 20
