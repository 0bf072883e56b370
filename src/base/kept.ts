/**
 * Bytes up to which a thread keeps a buffer that it works in for the next call. A larger one is given back, or a single
 * huge value would take its size again in every thread that ever touched it, for as long as the map is open.
 */
export const KEPT_BYTES = 2 ** 20
