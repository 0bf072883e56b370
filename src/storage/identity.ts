/**
 * The identity that distinguishes a map file from its copies: the inode's number and its time of birth, noted in the
 * header. Both stay when the file is renamed, linked or mounted elsewhere, and when the system starts anew, where the
 * number of the device may change. A copy has another inode or, where a deleted inode's number is used again, a later
 * birth. See docs/internals/format.md, "In a file".
 */
import type { BigIntStats } from 'node:fs'
import { HEADER_FILE_BORN, HEADER_FILE_INODE, PAGE_BYTES } from '../format/layout.js'

/** Numbers that the file system gives one file and no copy of it. */
export interface FileIdentity {
  readonly inode: bigint
  /** Time of birth in nanoseconds since 1970; 0 where the file system does not know it. */
  readonly born: bigint
}

/**
 * On Windows the number alone: NTFS counts in it how often its place was used, and the time of birth can be set, and is
 * that of an earlier file of the same name (file system tunneling).
 */
export function identityOf({ ino, birthtimeNs }: BigIntStats): FileIdentity {
  const born = process.platform === 'win32' ? 0n : birthtimeNs
  return { inode: BigInt.asUintN(64, ino), born: BigInt.asUintN(64, born) }
}

/** Returns whether the region notes this file's identity. */
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
