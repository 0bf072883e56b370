import { describe, expect, test } from 'vitest'
import { inspectBreaker } from '../../src/format/breaker-word.js'
import { FLAG_CACHE, HEADER_FLAGS, PAGE_BYTES } from '../../src/format/layout.js'
import { Breaker } from '../../src/loads/breaker.js'
import { watchStores } from '../support/stores.js'

const OPTIONS = { threshold: 0.5, volumeThreshold: 4, duration: 1_000_000, halfOpenAfter: 30_000 }
const TIMEOUT = 5000
const START = 10_000_000

/** One thread's breaker, and its clock. */
class Thread {
  now = START
  readonly breaker: Breaker

  constructor(readonly region: SharedArrayBuffer) {
    this.breaker = new Breaker(new Int32Array(region), OPTIONS, () => this.now)
  }

  /** Loads once. @returns whether it was let */
  load(failed: boolean | undefined): boolean {
    const pass = this.breaker.take(TIMEOUT)
    if (pass !== undefined) this.breaker.report(pass, failed)
    return pass !== undefined
  }

  open(): void {
    for (let i = 0; i < OPTIONS.volumeThreshold; i++) this.load(true)
  }

  get state(): string {
    return inspectBreaker(new Int32Array(this.region), (time) => time)!.state
  }
}

/** Opens it, and waits until a probe is due. */
function openAndWait(thread: Thread): void {
  thread.open()
  thread.now += OPTIONS.halfOpenAfter + 1
}

interface Life {
  readonly prepare: (thread: Thread) => void
  readonly live: (thread: Thread) => unknown
}

const OPENING = 'failures that open it'
const lives: Record<string, Life> = {
  [OPENING]: { prepare: () => undefined, live: (thread) => thread.open() },
  'a probe that succeeds': { prepare: openAndWait, live: (thread) => thread.load(false) },
  'a probe that fails': { prepare: openAndWait, live: (thread) => thread.load(true) },
  'a probe that is given up': { prepare: openAndWait, live: (thread) => thread.load(undefined) },
  'a probe in place of one that died': {
    prepare(thread) {
      openAndWait(thread)
      thread.breaker.take(TIMEOUT)
      thread.now += TIMEOUT + 1
    },
    live: (thread) => thread.load(true),
  },
}

describe.each(Object.entries(lives))('a thread dies before a store to the words of a breaker: %s', (name, life) => {
  /** Lives until store number `at`. @returns what it left, and the time, if it came to that store */
  function die(at: number): { readonly left: SharedArrayBuffer; readonly now: number } | undefined {
    const region = new SharedArrayBuffer(PAGE_BYTES)
    new Int32Array(region)[HEADER_FLAGS] = FLAG_CACHE
    const before = new Thread(region)
    life.prepare(before)
    let stores = 0
    let left: SharedArrayBuffer | undefined
    watchStores(
      region,
      () => {
        if (stores++ !== at) return
        left = new SharedArrayBuffer(PAGE_BYTES)
        new Uint8Array(left).set(new Uint8Array(region))
      },
      () => {
        const victim = new Thread(region)
        victim.now = before.now
        life.live(victim)
      },
    )
    return left && { left, now: before.now }
  }

  test('others go on: one of them probes in time, and what it finds holds', () => {
    let deaths = 0
    for (; ; deaths++) {
      const scene = die(deaths)
      if (scene === undefined) break
      const { left } = scene
      const [one, other] = [new Thread(left), new Thread(left)]
      const at = `before store ${deaths}`
      for (const each of [one, other]) each.now = scene.now
      expect(['closed', 'open', 'half-open'], at).toContain(one.state)
      // However far the dead one came: its probe ends by its time, and an open breaker is due by its own.
      for (const each of [one, other]) each.now += Math.max(TIMEOUT, OPTIONS.halfOpenAfter) + 1
      const wasOpen = one.state !== 'closed'
      if (wasOpen) {
        const pass = one.breaker.take(TIMEOUT)!
        expect(pass, at).toMatchObject({ probe: expect.any(BigInt) as bigint })
        expect(other.breaker.take(TIMEOUT), at).toBeUndefined()
        one.breaker.report(pass, false)
        expect(one.state, at).toBe('closed')
      }
      // As many failures as it takes, and no fewer: nothing counts that was counted before it opened.
      if (wasOpen || name !== OPENING) {
        for (let i = 1; i < OPTIONS.volumeThreshold; i++) other.load(true)
        expect(one.state, at).toBe('closed')
      }
      other.open()
      expect(one.state, at).toBe('open')
      expect(one.load(false), at).toBe(false)
    }
    expect(deaths).toBeGreaterThan(0)
  })
})

test('a probe that succeeds is found closed by nobody before its counts are cleared', () => {
  const region = new SharedArrayBuffer(PAGE_BYTES)
  new Int32Array(region)[HEADER_FLAGS] = FLAG_CACHE
  const prober = new Thread(region)
  openAndWait(prober)
  const other = new Thread(region)
  other.now = prober.now
  const failures: string[] = []
  /** Others fail as soon as they are let. */
  const fail = (): void => {
    if (other.state === 'closed' && other.load(true)) failures.push(other.state)
  }
  watchStores(region, fail, () => {
    const again = new Thread(region)
    again.now = prober.now
    again.load(false)
    fail()
  })
  expect(new Set(failures)).toEqual(new Set(['closed']))
})
