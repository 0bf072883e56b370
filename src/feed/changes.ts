import { readOptions, wrongInput } from '../base/arguments.js'
import { addAbortListener, isAborted, isAbortSignal, reasonOf, removeAbortListener } from '../base/signal.js'
import { isUint8Array } from '../base/views.js'
import { ownKey, type Key } from '../format/key.js'
import { MapsafeTypeError } from '../base/errors.js'
import { checkPrefix } from '../store/key-choice.js'
import type { Feed } from './feed.js'
import { Waiting, type Change, type Subscription } from './subscription.js'

/** Which changes `changes` tells. */
export interface ChangesOptions<K> {
  /** Tell only of these keys. Not together with `prefix`. Default: all keys. */
  readonly keys?: Iterable<K> | undefined
  /** Tell only of keys that are strings and begin with this. */
  readonly prefix?: string | undefined
  /** Ends the iteration with the reason of its abort. */
  readonly signal?: AbortSignal | undefined
}

/** What `watch` returns. */
export interface Watching extends Disposable {
  /** Has the listener called no more. May be called again. */
  stop(): void
}

/** The iterator of `changes`. */
export interface Changes<K> extends AsyncIterableIterator<Change<K>, undefined, undefined>, AsyncDisposable {
  /** Ends the watching. */
  return(): Promise<IteratorResult<Change<K>, undefined>>
  /** Returns itself. */
  [Symbol.asyncIterator](): Changes<K>
}

/** Begins to tell of changes. */
export function changes<K extends Key>(feed: Feed, options: ChangesOptions<K> = {}): Changes<K> {
  const { keys, prefix, signal } = readOptions(options, ['keys', 'prefix', 'signal'])
  if (signal !== undefined && !isAbortSignal(signal)) throw wrongInput('Option signal', signal, 'an AbortSignal')
  if (prefix !== undefined) checkPrefix(prefix)
  if (keys !== undefined && prefix !== undefined) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      'Both keys and prefix are given; expected one of them. Call changes once for each.',
    )
  }
  const reader = new ChangesReader<K>(feed, readKeys(keys), prefix, signal)
  reader.begin()
  return reader
}

function readKeys(keys: unknown): Key[] | undefined {
  if (keys === undefined) return undefined
  const isIterable = typeof keys === 'object' && keys !== null && Symbol.iterator in keys
  if (!isIterable || isUint8Array(keys)) throw wrongInput('Option keys', keys, 'an iterable of keys')
  const all = [...(keys as Iterable<Key>)].map((key) => ownKey(key))
  if (all.length === 0) throw wrongInput('Option keys', keys, 'at least one key')
  return all
}

/** An iteration over the feed. */
class ChangesReader<K extends Key> implements Changes<K>, Subscription {
  readonly waiting = new Waiting<Key>()
  readonly #feed: Feed
  readonly #signal: AbortSignal | undefined
  /** The calls of `next` that wait, the first one first. */
  readonly #calls: {
    readonly resolve: (result: IteratorResult<Change<K>, undefined>) => void
    readonly reject: (reason: unknown) => void
  }[] = []
  #isOver = false
  /** Whether the next call rejects with the reason of the abort. */
  #hasAborted = false
  readonly #onAbort = (): void => {
    this.#hasAborted = true
    this.#finish()
  }

  constructor(
    feed: Feed,
    readonly keys: readonly Key[] | undefined,
    readonly prefix: string | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#feed = feed
    this.#signal = signal
  }

  begin(): void {
    this.#feed.add(this)
    if (this.#signal === undefined) return
    if (isAborted(this.#signal)) this.#onAbort()
    else addAbortListener(this.#signal, this.#onAbort)
  }

  next(): Promise<IteratorResult<Change<K>, undefined>> {
    const change = this.#calls.length === 0 ? this.waiting.take() : undefined
    if (change !== undefined) return Promise.resolve({ done: false, value: change as Change<K> })
    if (this.#hasAborted) {
      this.#hasAborted = false
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the user's reason, whatever it is
      return Promise.reject(reasonOf(this.#signal!))
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      if (this.#calls.length === 0) this.#feed.hold()
      this.#calls.push({ resolve, reject })
    })
  }

  return(): Promise<IteratorResult<Change<K>, undefined>> {
    this.#hasAborted = false
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  wake(): void {
    while (this.#calls.length > 0) {
      const change = this.waiting.take()
      if (change === undefined) return
      const { resolve } = this.#calls.shift()!
      if (this.#calls.length === 0) this.#feed.release()
      resolve({ done: false, value: change as Change<K> })
    }
  }

  end(): void {
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.waiting.clear()
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#onAbort)
    this.#feed.remove(this)
    const calls = this.#calls.splice(0)
    if (calls.length > 0) this.#feed.release()
    for (const { resolve, reject } of calls) {
      if (this.#hasAborted) {
        this.#hasAborted = false
        reject(reasonOf(this.#signal!))
      } else resolve({ done: true, value: undefined })
    }
  }
}
