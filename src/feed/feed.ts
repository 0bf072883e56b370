import { RESULT_STATUS } from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { KeyBuffer, type Key } from '../format/key.js'
import { HEADER_FEED_WAIT, MAX_FEED_KEY_BYTES } from '../format/layout.js'
import { KeyMap } from '../loads/key-map.js'
import { WakeUps, type Watch } from '../loads/wake-ups.js'
import type { Store } from '../store/store.js'
import { tagOfLabel } from '../store/tags.js'
import { INVALIDATED, RingReader, type Cause, type Told } from './ring.js'
import type { Subscription } from './subscription.js'

// As they were when the package was loaded: fake timers hold up no change.
const { setInterval, clearInterval, setImmediate, clearImmediate } = globalThis

/** Changes read in one turn of the event loop: some milliseconds. */
const MOST_AT_ONCE = 1024
/** So often the feed looks, woken or not, and takes over from threads that died. */
const LOOK_MS = 1000
/** The same where nothing wakes. */
const POLL_MS = 10

/** A key that the ring has only the beginning of. */
interface LongKey {
  readonly subscription: Subscription
  readonly key: Key
  readonly kind: number
  readonly length: number
  readonly head: Uint8Array
}

/**
 * One thread's readers of a map's change feed. While there are any, this thread watches: see
 * docs/internals/protocol.md, "Change feed".
 *
 * Thread safety: one thread.
 */
export class Feed {
  readonly #all = new Set<Subscription>()
  readonly #byKey = new KeyMap<Set<Subscription>>()
  /** Those that watch no keys of a list. */
  readonly #broad = new Set<Subscription>()
  #longKeys: LongKey[] = []
  #ring: RingReader | undefined
  #wakeUps: WakeUps | undefined
  #watch: Watch | undefined
  #timer: NodeJS.Timeout | undefined
  #look: NodeJS.Immediate | undefined
  /** Readers that wait and keep the process alive. */
  #holds = 0
  readonly #onWake = (): void => {
    this.#watch = undefined
    this.#lookSoon()
  }

  /** @param owner the map object, which stays in memory while anybody watches */
  constructor(
    private readonly store: Store<unknown>,
    readonly owner: object,
  ) {}

  /** Begins to tell a reader of changes. Whatever is read afterwards is as old as the first that it is told, or newer. */
  add(subscription: Subscription): void {
    const engine = this.store.openToWrite()
    for (const key of subscription.keys ?? []) this.store.hasPassing(key) // throws for what is no key
    if (this.#ring === undefined) {
      engine.watch()
      if (engine.result[RESULT_STATUS] < 0) throw engineError(engine)
      this.#ring = new RingReader(engine.words)
      this.#wakeUps = new WakeUps(engine)
      this.#listen()
    }
    this.#all.add(subscription)
    if (subscription.keys === undefined) this.#broad.add(subscription)
    for (const key of subscription.keys ?? []) this.#addKey(subscription, key)
  }

  remove(subscription: Subscription): void {
    if (!this.#all.delete(subscription)) return
    this.#broad.delete(subscription)
    for (const key of subscription.keys ?? []) {
      const readers = this.#byKey.get(key)
      if (readers?.delete(subscription) === true && readers.size === 0) this.#byKey.delete(key, readers)
    }
    this.#longKeys = this.#longKeys.filter((each) => each.subscription !== subscription)
    if (this.#all.size === 0) this.#stop()
  }

  /** Keeps the process alive, until {@link Feed.release}. */
  hold(): void {
    if (this.#holds++ === 0) this.#timer?.ref()
  }

  release(): void {
    if (--this.#holds === 0) this.#timer?.unref()
  }

  close(): void {
    const all = [...this.#all]
    for (const subscription of all) this.remove(subscription)
    for (const subscription of all) subscription.end()
  }

  #stop(): void {
    this.#ring = undefined
    clearInterval(this.#timer)
    clearImmediate(this.#look)
    this.#timer = this.#look = undefined
    if (this.#watch !== undefined) this.#wakeUps?.leave(this.#watch, this.#onWake)
    this.#wakeUps?.close()
    this.#watch = this.#wakeUps = undefined
    if (!this.store.isClosed) this.store.open().unwatch()
  }

  #addKey(subscription: Subscription, key: Key): void {
    let readers = this.#byKey.get(key)
    if (readers === undefined) {
      readers = new Set()
      this.#byKey.set(key, readers)
    }
    readers.add(subscription)
    if (typeof key !== 'string' && typeof key !== 'object' && typeof key !== 'bigint') return
    const { kind, length, head } = encoded(key)
    if (length > MAX_FEED_KEY_BYTES) this.#longKeys.push({ subscription, key, kind, length, head })
  }

  /** Announces that this thread waits, looks once more, and sleeps. */
  #listen(): void {
    const { words } = this.store.open()
    const value = Atomics.or(words, HEADER_FEED_WAIT, 1) | 1
    this.#watch ??= this.#wakeUps!.announceAt(HEADER_FEED_WAIT, value, this.#onWake)
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), this.#watch === undefined ? POLL_MS : LOOK_MS)
      if (this.#holds === 0) this.#timer.unref()
    }
    if (this.#ring!.hasMore) this.#lookSoon()
  }

  #tick(): void {
    if (this.store.isClosed) {
      this.close()
      return
    }
    this.store.open().watch()
    if (this.#ring!.hasMore) this.#lookSoon()
  }

  #lookSoon(): void {
    if (this.#ring !== undefined) this.#look ??= setImmediate(() => this.#read())
  }

  #read(): void {
    this.#look = undefined
    const ring = this.#ring
    if (ring === undefined || this.store.isClosed) {
      this.close()
      return
    }
    const woken = new Set<Subscription>()
    const changes = ring.read(MOST_AT_ONCE)
    if (changes === undefined) {
      for (const each of this.#all) {
        each.waiting.miss()
        woken.add(each)
      }
    } else for (const change of changes) this.#tell(change, woken)
    if (ring.hasMore) this.#lookSoon()
    else this.#listen()
    // Last, since their code may do anything, also close the map. For who is over by then, nothing waits any more.
    for (const each of woken) each.wake()
  }

  #tell(told: Told, woken: Set<Subscription>): void {
    const { key, type, version } = told
    if (type === INVALIDATED) {
      this.#tellInvalidated(typeof key === 'string' ? tagOfLabel(key) : undefined, woken)
      return
    }
    if (key === undefined) {
      this.#tellLong(type, told, woken)
      return
    }
    const tell = (each: Subscription): void => {
      each.waiting.add(key, type, version)
      woken.add(each)
    }
    for (const each of this.#broad) {
      const { prefix } = each
      if (prefix === undefined || (typeof key === 'string' && key.startsWith(prefix))) tell(each)
    }
    this.#byKey.get(key)?.forEach(tell)
  }

  /**
   * Of a tag without name, which was too long for the ring, and of a label that is no tag's, readers learn that they missed
   * something. Who watches keys by name, all of which are there, has lost none: a value stored since is told as such.
   */
  #tellInvalidated(tag: string | undefined, woken: Set<Subscription>): void {
    for (const each of this.#all) {
      if (each.keys?.every((key) => this.#isThere(key)) === true) continue
      if (tag === undefined) each.waiting.miss()
      else each.waiting.addTag(tag)
      woken.add(each)
    }
  }

  #isThere(key: Key): boolean {
    try {
      return this.store.hasPassing(key)
    } catch {
      return false // it cannot be told now
    }
  }

  /** The ring has only the beginning of the key: who watches it knows it, and all others have missed a change. */
  #tellLong(type: Cause, { version, kind, length, head }: Told, woken: Set<Subscription>): void {
    for (const each of this.#broad) {
      const { prefix } = each
      const isOther = prefix !== undefined && (typeof head !== 'string' || !isPart(head, prefix))
      if (isOther) continue
      each.waiting.miss()
      woken.add(each)
    }
    for (const each of this.#longKeys) {
      if (each.kind !== kind || each.length !== length || !isHead(each, head!)) continue
      each.subscription.waiting.add(each.key, type, version)
      woken.add(each.subscription)
    }
  }
}

/** Returns whether a key that begins with `head` may begin with `prefix`. */
function isPart(head: string, prefix: string): boolean {
  return head.startsWith(prefix) || prefix.startsWith(head)
}

function isHead(long: LongKey, head: Key): boolean {
  if (typeof long.key === 'string') return typeof head === 'string' && long.key.startsWith(head)
  return typeof head === 'object' && head.every((byte, i) => byte === long.head[i])
}

function encoded(key: Key): { readonly kind: number; readonly length: number; readonly head: Uint8Array } {
  const buffer = new KeyBuffer()
  buffer.encode(key)
  return { kind: buffer.kind, length: buffer.length, head: buffer.bytes.slice(0, MAX_FEED_KEY_BYTES) }
}
