import { Buffer } from 'node:buffer'

/** Bytes with the methods that make strings of them, and the length of the longest string. */
export { Buffer, constants } from 'node:buffer'

/** Returns bytes in base 64. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Returns the bytes of a text in base 64, in memory of their own. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
