import { bytesOf } from '../base/views.js'
import type { Key } from '../format/key.js'
import { Buffer } from '../platform/buffer.js'

/**
 * A `Map` by the keys of a cache: a `Uint8Array`, which a `Map` compares by identity, is compared by its bytes.
 *
 * Thread safety: one thread.
 */
export class KeyMap<T> {
  readonly #values = new Map<Key, T>()
  readonly #byBytes = new Map<string, T>()

  get(key: Key): T | undefined {
    return typeof key === 'object' ? this.#byBytes.get(textOf(key)) : this.#values.get(key)
  }

  set(key: Key, value: T): void {
    if (typeof key === 'object') this.#byBytes.set(textOf(key), value)
    else this.#values.set(key, value)
  }

  /** Removes `key` if `value` is what it leads to. */
  delete(key: Key, value: T): void {
    if (this.get(key) !== value) return
    if (typeof key === 'object') this.#byBytes.delete(textOf(key))
    else this.#values.delete(key)
  }
}

function textOf(key: Uint8Array): string {
  const { buffer, byteOffset, length } = bytesOf(key)
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}
