import { PUT_ALWAYS, PUT_IF_VERSION } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import type { Key, MapHandle, EngineChoice } from '../../src/index.js'
import { findPlace } from '../../src/handle.js'
import { Loads } from '../../src/loads/loads.js'
import { resolveLoadOptions, type Loader, type LoadOptions } from '../../src/loads/options.js'
import { Store } from '../../src/store.js'

export class Cache {
  readonly #store: Store<unknown>
  readonly #loads: Loads<unknown>

  constructor(handle: MapHandle, engine: EngineChoice) {
    this.#store = new Store(openEngine(findPlace(handle).region, engine), true, 64)
    this.#loads = new Loads(this.#store)
  }

  async getOrLoad(key: Key, loader: Loader<Key, unknown>, options?: LoadOptions): Promise<unknown> {
    const resolved = resolveLoadOptions(options)
    resolved.signal?.throwIfAborted()
    const found = this.#store.read(key)
    if (this.#store.found) return found
    return this.#loads.load(key, loader, resolved, (own, encoder, version) =>
      this.#store.putEncoded(own, encoder, PUT_IF_VERSION, version),
    )
  }

  get(key: Key): unknown {
    return this.#store.get(key)
  }

  has(key: Key): boolean {
    return this.#store.has(key)
  }

  set(key: Key, value: unknown): void {
    this.#store.put(key, value, PUT_ALWAYS)
  }

  delete(key: Key): boolean {
    return this.#store.remove(key, PUT_ALWAYS)
  }

  clear(): void {
    this.#store.clear()
  }

  get size(): number {
    return this.#store.open().size()
  }

  stats(): { loads: number; loadFailures: number } {
    return { loads: this.#loads.loads, loadFailures: this.#loads.failures }
  }

  verify(): { problems: string[] } {
    return { problems: this.#store.open().verify() }
  }

  close(): void {
    this.#loads.close()
    this.#store.close()
  }
}
