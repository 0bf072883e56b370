import type { PolicyKind } from '../policy.js'
import { arc } from './arc.js'
import { lirs } from './lirs.js'
import { lru } from './lru.js'
import { mapsafe } from './mapsafe.js'
import { opt } from './opt.js'
import { s3Fifo } from './s3-fifo.js'
import { sieve } from './sieve.js'
import { wTinyLfu } from './w-tinylfu.js'

/** Policies with which mapsafe's is compared. */
export const rivals: readonly PolicyKind[] = [lru, sieve, s3Fifo, wTinyLfu, arc, lirs]

export { lru, mapsafe, opt }
