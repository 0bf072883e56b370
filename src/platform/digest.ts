import { createHash } from 'node:crypto'
import { Buffer } from './buffer.js'

/** Returns the SHA-256 of a text, in words. Texts that differ in any unit are different. */
export function sha256(text: string): Int32Array {
  const bytes = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest()
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(i * 4))
}
