import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../../src/index.js'
import type { Waiting } from '../../src/feed/subscription.js'
import type { Shift } from '../support/crew.js'

/** Nanoseconds, alike in all threads and processes. */
const now = (): number => Number(process.hrtime.bigint())
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** How fast a writer goes: so many changes, then so many milliseconds of rest. */
export interface Pace {
  readonly changes: number
  readonly rest: number
}

/** What a writer did. */
export interface Written {
  readonly changes: number
}

/** What a watcher met. */
export interface Watched {
  /** Changes that it was told. */
  readonly told: number
  /** Changes in whose place it was told a later one of the same key. */
  readonly coalesced: number
  /** Changes that were read from the ring, and given up when it learned that it missed some. */
  readonly givenUp: number
  /** Changes that were read from the ring. */
  readonly read: number
  /** How often it was told that it missed some. */
  readonly timesMissed: number
  readonly violations: readonly string[]
  /** From before the write to when it was told, in nanoseconds, of changes that are still there then. */
  readonly delays: readonly number[]
}

/** The first `writers` workers write for some seconds; the others are told of it, and check each change. */
export function writeOrWatch(
  shift: Shift<number>,
  writers: number,
  pace: Pace,
  seconds: number,
  keys: number,
): unknown {
  if (shift.worker >= writers) {
    const watching = watch(shift, writers)
    shift.rendezvous()
    return watching
  }
  shift.rendezvous()
  return write(shift, pace, seconds, keys)
}

function write({ map, worker, random }: Shift<number>, pace: Pace, seconds: number, keys: number): Written {
  let changes = 0
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    for (let i = 0; i < pace.changes; i++) {
      const key = `key ${random.below(keys)}`
      if (random.below(20) > 0) map.set(key, now())
      else if (!map.delete(key)) continue
      changes++
    }
    if (pace.rest > 0) Atomics.wait(sleeper, 0, 0, pace.rest)
  }
  map.set(`end ${worker}`, now())
  return { changes: changes + 1 }
}

async function watch({ map }: Shift<number>, writers: number): Promise<Watched> {
  const changes = map.changes()
  const count = countIn((changes as unknown as { readonly waiting: Waiting<Key> }).waiting)
  const violations: string[] = []
  const delays: number[] = []
  const last = new Map<string, { readonly type: string; readonly version: number }>()
  let [told, timesMissed] = [0, 0]
  const ended = new Set<string>()
  while (ended.size < writers) {
    const { value: change } = await changes.next()
    if (change?.type === 'missed') {
      timesMissed++
      last.clear()
      for (let i = 0; i < writers; i++) if (map.has(`end ${i}`)) ended.add(`end ${i}`)
      continue
    }
    if (change === undefined || change.type === 'invalidated') throw new Error(`told of ${String(change?.type)}`)
    told++
    const { type, version } = change
    const key = change.key as string
    const entry = map.getEntry(key)
    if (entry !== undefined && entry.version < version)
      violations.push(`${key}: read ${entry.version} after ${version}`)
    if (version <= (last.get(key)?.version ?? 0)) violations.push(`${key}: told ${version} again`)
    if (type === 'set' && entry?.version === version) delays.push(now() - entry.value)
    last.set(key, { type, version })
    if (key.startsWith('end ')) ended.add(key)
  }
  await changes.return()
  for (const [key, { type, version }] of last) {
    const found = map.getEntry(key)?.version
    if (found !== (type === 'set' ? version : undefined)) violations.push(`${key}: last told ${type} ${version}`)
  }
  return { told, timesMissed, violations: violations.slice(0, 10), delays: sample(delays), ...count }
}

/** Counts what goes through the changes that wait for a reader. */
function countIn(waiting: Waiting<Key>): { read: number; coalesced: number; givenUp: number } {
  const count = { read: 0, coalesced: 0, givenUp: 0 }
  const there = new Set<Key>()
  const { add, miss, take } = waiting
  Object.assign(waiting, {
    add(...told: Parameters<typeof add>) {
      const [key] = told
      count.read++
      if (there.has(key)) count.coalesced++
      there.add(key)
      add.apply(waiting, told)
    },
    miss() {
      count.givenUp += there.size
      there.clear()
      miss.call(waiting)
    },
    take() {
      const change = take.call(waiting)
      if (change !== undefined && 'key' in change) there.delete(change.key)
      return change
    },
  })
  return count
}

/** At most some thousands, evenly. */
function sample(delays: readonly number[]): number[] {
  const step = Math.ceil(delays.length / 20_000)
  return delays.filter((_, i) => i % step === 0)
}

/** Worker 0 writes now and then; the others say how long it took until they were told. */
export async function tickOrHear({ map, worker, rendezvous }: Shift<number>, ticks: number): Promise<number[]> {
  const delays: number[] = []
  if (worker === 0) {
    rendezvous()
    for (let i = 0; i < ticks; i++) {
      await sleep(3)
      map.set('tick', now())
    }
    await sleep(20)
    map.set('tick', 0)
    return delays
  }
  const over = new Promise<void>((resolve) => {
    const watching = map.watch('tick', () => {
      const written = map.get('tick')!
      if (written > 0) delays.push(now() - written)
      else {
        watching.stop()
        resolve()
      }
    })
  })
  const kept = setInterval(() => undefined, 1000)
  rendezvous()
  await over
  clearInterval(kept)
  return delays
}
