/**
 * By what a map file is told from its copies: the inode's number and when it was born, noted in the header. Both stay as
 * they are when the file is renamed, linked, mounted elsewhere or when the system starts anew, where the number of the
 * device may change; a copy has another inode, or, where a deleted one's number is used again, a later birth. See
 * docs/internals/format.md, "In a file".
 */
import type { BigIntStats } from 'node:fs'
import { HEADER_FILE_BORN, HEADER_FILE_INODE, PAGE_BYTES } from '../format/layout.js'

/** What the file system gives one file and no copy of it. */
export interface FileIdentity {
  readonly inode: bigint
  /** In nanoseconds since 1970; 0 where the file system does not tell. */
  readonly born: bigint
}

export function identityOf({ ino, birthtimeNs }: BigIntStats): FileIdentity {
  return { inode: BigInt.asUintN(64, ino), born: BigInt.asUintN(64, birthtimeNs) }
}

/** Whether the region was noted as that of this file. */
export function isNoted(region: ArrayBuffer, { inode, born }: FileIdentity): boolean {
  const header = pairsOfHeader(region)
  return Atomics.load(header, HEADER_FILE_INODE / 2) === inode && Atomics.load(header, HEADER_FILE_BORN / 2) === born
}

/** Notes that the region is this file's. A process that dies in between leaves the identity of no file. */
export function note(region: ArrayBuffer, { inode, born }: FileIdentity): void {
  const header = pairsOfHeader(region)
  Atomics.store(header, HEADER_FILE_BORN / 2, born)
  Atomics.store(header, HEADER_FILE_INODE / 2, inode)
}

function pairsOfHeader(region: ArrayBuffer): BigUint64Array {
  return new BigUint64Array(region, 0, PAGE_BYTES / 8)
}
