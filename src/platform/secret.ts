import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Returns a text of 43 characters that cannot be guessed. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Returns whether two texts are equal, in a time that tells nothing of where they differ. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}
