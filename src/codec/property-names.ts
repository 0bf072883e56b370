/** A property name as it was met before, and the name that came after it then. */
export interface PropertyName {
  readonly text: string
  next: PropertyName | undefined
}

const SLOTS = 1024
const MAX_LENGTH = 64

/**
 * Remembers property names of up to 64 Latin-1 units, so that decoding an object of a known shape makes no strings: its names are
 * compared with the bytes in place. Objects of one shape have their names in one order, so the name after a known one
 * is guessed before it is searched for.
 */
export class PropertyNames {
  private readonly slots = new Array<PropertyName | undefined>(SLOTS).fill(undefined)

  /**
   * The name whose `length` bytes begin at `at`, or undefined if it is too long to be kept.
   *
   * @param previous the name before it in the same object
   */
  find(bytes: Uint8Array, at: number, length: number, previous: PropertyName | undefined): PropertyName | undefined {
    const guess = previous?.next
    if (guess !== undefined && matches(guess.text, bytes, at, length)) return guess
    if (length > MAX_LENGTH) return undefined
    const slot = hash(bytes, at, length) & (SLOTS - 1)
    let name = this.slots[slot]
    if (name === undefined || !matches(name.text, bytes, at, length)) {
      name = { text: internalized(bytes, at, length), next: undefined }
      this.slots[slot] = name
    }
    if (previous !== undefined) previous.next = name
    return name
  }
}

function matches(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== bytes[at + i]) return false
  }
  return true
}

/** FNV-1a. The table is bounded, so names chosen to collide cost the time of making a string, no more. */
function hash(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[at + i], 0x01000193)
  return hash ^ (hash >>> 16)
}

/** As a property key, a string is flat and unique within the engine, which makes every later use of it as a key fast. */
function internalized(bytes: Uint8Array, at: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[at + i])
  return Object.keys({ [text]: 0 })[0]
}
