/** What the service keeps about a logged-in user. */
export interface Session {
  readonly id: string
  /** Grows by one with every change. */
  readonly version: number
  readonly user: { readonly id: number; readonly name: string; readonly roles: readonly string[] }
  readonly cart: readonly { readonly item: string; readonly quantity: number }[]
}

/**
 * Stands in for the database that the caches are in front of, and knows the truth about staleness. It lives in shared
 * memory, so that all workers see one database; its rows are computed, so that loading one takes no time and the
 * caches' own time is what gets measured.
 */
export class SessionDatabase {
  readonly #keys: readonly string[]
  readonly #versions: Int32Array
  readonly #published: Int32Array

  /** Memory for a database with `rows` sessions, to be opened by every worker. */
  static allocate(rows: number): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * rows * Int32Array.BYTES_PER_ELEMENT)
  }

  constructor(memory: SharedArrayBuffer, keys: readonly string[]) {
    this.#keys = keys
    this.#versions = new Int32Array(memory, 0, keys.length)
    this.#published = new Int32Array(memory, keys.length * Int32Array.BYTES_PER_ELEMENT, keys.length)
  }

  load(row: number): Session {
    return this.#session(row, Atomics.load(this.#versions, row))
  }

  /** Changes a session and returns what it is now. */
  change(row: number): Session {
    return this.#session(row, Atomics.add(this.#versions, row, 1) + 1)
  }

  /** Notes that the cache was told about `version`. From now on whoever still gets an older one reads stale data. */
  publish(row: number, version: number): void {
    let seen = Atomics.load(this.#published, row)
    while (seen < version) {
      const found = Atomics.compareExchange(this.#published, row, seen, version)
      if (found === seen) return
      seen = found
    }
  }

  /** The newest version that the cache was told about. */
  published(row: number): number {
    return Atomics.load(this.#published, row)
  }

  #session(row: number, version: number): Session {
    return {
      id: this.#keys[row],
      version,
      user: { id: row, name: `user ${row}`, roles: ['customer'] },
      cart: [
        { item: 'book', quantity: version % 5 },
        { item: 'lamp', quantity: 1 },
      ],
    }
  }
}
