import type { Shift } from '../support/crew.js'

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Writes, deletes and counts at random, and tells its end. */
export function write({ map, random, worker }: Shift<number>, keys: number, times: number): number {
  for (let i = 1; i <= times; i++) {
    // Or those who follow would hardly have a turn before the end.
    if (i % 100 === 0) Atomics.wait(sleeper, 0, 0, 1)
    const key = `key ${random.below(keys)}`
    const chance = random.below(20)
    if (chance === 0) map.delete(key)
    else if (chance === 1) map.increment(`counter ${worker}`)
    else map.set(key, i)
  }
  map.set(`end ${worker}`, times)
  return times
}

/** Follows changes until each writer has told its end; checks that nothing that was told is newer than what is read. */
export async function follow({ map, workers }: Shift<number>, writers: number): Promise<Followed> {
  const followed = { told: 0, missed: 0, violations: [] as string[], different: [] as string[] }
  const last = new Map<string, { type: string; version: number }>()
  const changes = map.changes()
  let ended = 0
  let isComplete = true
  while (ended < writers) {
    const { value: change } = await changes.next()
    if (change === undefined) throw new Error(`the feed ended with ${workers} workers`)
    if (change.type === 'missed') {
      followed.missed++
      last.clear()
      isComplete = false
      ended = Array.from({ length: writers }, (_, i) => map.has(`end ${i}`)).filter(Boolean).length
      continue
    }
    if (change.type === 'invalidated') throw new Error('a map has no tags')
    const key = change.key as string
    followed.told++
    isComplete = true
    const version = map.getEntry(key)?.version
    if (version !== undefined && version < change.version) followed.violations.push(`${key}: read ${version}`)
    const before = last.get(key)
    if (before !== undefined && before.version >= change.version) followed.violations.push(`${key}: told again`)
    last.set(key, change)
    if (key.startsWith('end ')) ended++
  }
  // What is left is there already: all writers are done.
  await changes.return()
  if (!isComplete) return followed
  for (const [key, { type, version }] of last) {
    const entry = map.getEntry(key)
    if (entry === undefined ? type === 'set' : type === 'set' && entry.version !== version) followed.different.push(key)
  }
  return followed
}

export interface Followed {
  readonly told: number
  readonly missed: number
  readonly violations: readonly string[]
  readonly different: readonly string[]
}

/** The first half of the workers follows what the other half writes. */
export function followOrWrite(shift: Shift<number>, keys: number, times: number): Promise<Followed> | number {
  const half = shift.workers / 2
  if (shift.worker < half) {
    const following = follow(shift, half)
    shift.rendezvous()
    return following
  }
  shift.rendezvous()
  return write({ ...shift, worker: shift.worker - half }, keys, times)
}
