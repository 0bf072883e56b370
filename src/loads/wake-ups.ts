import { RESULT_VERSION_LOW, type Engine } from '../engine/engine.js'
import type { Key } from '../format/key.js'
import { loadNative, type Listening } from '../platform/addon.js'
import { isSharedArrayBuffer } from '../platform/brands.js'

/** The functions that are called once wait word `at`, which has `value`, changes. */
export interface Watch {
  readonly at: number
  readonly value: number
  readonly waiting: Set<() => void>
  isOver: boolean
}

/**
 * One thread's way to wait for the end of other threads' loads. See docs/internals/protocol.md, "Waking".
 *
 * In a SharedArrayBuffer it waits by `Atomics.waitAsync`; in a file the addon listens. Neither keeps a thread or process
 * alive, and neither holds a cache in memory that nobody waits for.
 *
 * Thread safety: one thread.
 */
export class WakeUps {
  readonly #watches: Watches
  #listening: Listening | null | undefined

  constructor(private readonly engine: Pick<Engine, 'announce' | 'result' | 'words'>) {
    this.#watches = new Watches(engine.words)
  }

  /**
   * Announces that a load of `key` is waited for, and has `wake` called, once and never at once, when it may have
   * ended. Afterwards the caller looks again at the key, which may have changed before the announcement.
   *
   * @returns undefined where nothing wakes; otherwise what to {@link WakeUps.leave}
   */
  announce(key: Key, wake: () => void): Watch | undefined {
    if (this.#listen() === undefined) return undefined
    const { engine } = this
    const at = engine.announce(key)
    return this.#wait(at, engine.result[RESULT_VERSION_LOW], wake)
  }

  /** Is {@link WakeUps.announce} for wait word `at`, which the caller has announced with `value`. */
  announceAt(at: number, value: number, wake: () => void): Watch | undefined {
    return this.#listen() === undefined ? undefined : this.#wait(at, value, wake)
  }

  #wait(at: number, value: number, wake: () => void): Watch {
    const watch = this.#watches.at(at, value, this.#listening ?? undefined)
    watch.waiting.add(wake)
    return watch
  }

  /** Has `wake` not be called any more. */
  leave(watch: Watch, wake: () => void): void {
    this.#watches.leave(watch, wake)
  }

  close(): void {
    this.#watches.close()
    this.#listening?.close()
  }

  /** Starts to listen, the first time. @returns undefined where nothing wakes */
  #listen(): true | undefined {
    const { words } = this.engine
    const isShared = isSharedArrayBuffer(words.buffer)
    if (this.#listening === undefined) {
      const watches = this.#watches
      this.#listening = loadNative()?.listen(words, () => watches.wake()) ?? null
    }
    return isShared || this.#listening !== null ? true : undefined
  }
}

/** The wait words that a thread watches, by index. Knows no cache, which the system's references to it would keep. */
class Watches {
  readonly #all = new Map<number, Watch>()
  readonly #isShared: boolean

  constructor(private readonly words: Int32Array) {
    this.#isShared = isSharedArrayBuffer(words.buffer)
  }

  /** Returns the watch of the word with that value, and begins one if there is none. */
  at(at: number, value: number, listening: Listening | undefined): Watch {
    const known = this.#all.get(at)
    if (known?.value === value && !known.isOver) return known
    // Another value was announced since: the old watch will be told so, or was about to be.
    if (known !== undefined) queueMicrotask(() => end(known))
    const watch: Watch = { at, value, waiting: new Set(), isOver: false }
    this.#all.set(at, watch)
    if (this.#isShared) void this.#wait(watch)
    else listening?.watch(at, value)
    return watch
  }

  leave(watch: Watch, wake: () => void): void {
    // The last one who leaves ends the wait: nothing else may, and a wait holds the region.
    if (watch.waiting.delete(wake) && watch.waiting.size === 0 && this.#isShared) Atomics.notify(this.words, watch.at)
  }

  /** Calls those who wait at words that have changed; in memory all, since a thread has ended. */
  wake(): void {
    for (const watch of [...this.#all.values()]) {
      if (this.#isShared) Atomics.notify(this.words, watch.at)
      else if (Atomics.load(this.words, watch.at) !== watch.value) this.#end(watch)
    }
  }

  /** Called when nothing waits any more. */
  close(): void {
    this.#all.clear()
  }

  async #wait(watch: Watch): Promise<void> {
    // Without a limit of time, for which V8 would keep a timer until it is over, even after a wake-up.
    await Atomics.waitAsync(this.words, watch.at, watch.value).value
    this.#end(watch)
  }

  #end(watch: Watch): void {
    if (this.#all.get(watch.at) === watch) this.#all.delete(watch.at)
    end(watch)
  }
}

/** Ends a watch. Those who still wait announce it again. */
function end(watch: Watch): void {
  if (watch.isOver) return
  watch.isOver = true
  const waiting = [...watch.waiting]
  watch.waiting.clear()
  for (const wake of waiting) wake()
}
