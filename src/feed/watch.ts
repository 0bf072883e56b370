import { checkFunction } from '../base/arguments.js'
import { ownKey, type Key } from '../format/key.js'
import type { Watching } from './changes.js'
import type { Feed } from './feed.js'
import { Waiting, type Change, type Subscription } from './subscription.js'

/** Begins to call `listener` with the changes of `key`. */
export function watch<K extends Key>(feed: Feed, key: K, listener: (change: Change<K>) => void): Watching {
  checkFunction('listener', listener)
  const watching = new KeyWatching<K>(feed, ownKey(key), listener)
  feed.add(watching)
  return { stop: () => watching.stop(), [Symbol.dispose]: () => watching.stop() }
}

class KeyWatching<K extends Key> implements Subscription {
  readonly keys: readonly K[]
  readonly prefix = undefined
  readonly waiting = new Waiting<Key>()
  readonly #feed: Feed
  readonly #listener: (change: Change<K>) => void

  constructor(feed: Feed, key: K, listener: (change: Change<K>) => void) {
    this.keys = [key]
    this.#feed = feed
    this.#listener = listener
  }

  wake(): void {
    for (let change = this.waiting.take(); change !== undefined; change = this.waiting.take()) {
      try {
        this.#listener(change as Change<K>)
      } catch (error) {
        // As an event listener's: it reaches the process, and no other listener misses its change.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  stop(): void {
    this.waiting.clear()
    this.#feed.remove(this)
  }

  end(): void {
    this.waiting.clear()
  }
}
