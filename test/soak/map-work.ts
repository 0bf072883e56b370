import { isDeepStrictEqual } from 'node:util'
import { ConcurrentMap, type MapHandle } from '../../src/index.js'
import { faultOf, tellingValue } from '../support/telling-value.js'
import { attachOptions, counterKey, COUNTERS, LASTING, NUMBERS, OWN, ownKey, pairKey, type Kind } from './plan.js'
import type { Watch } from './watch.js'

type Key = string | number

const SCAN_PARTS = 4
const CLEARED_PARTS = 16
const BATCH = 8

/** What a member does with the ConcurrentMap, and what it demands of it. */
export class MapWork {
  #map: ConcurrentMap<Key, unknown> | undefined
  readonly #slot: number
  /** The number that the next write of an own key stores. */
  #nextOwn = 0
  #pair = 0
  #owesSecondHalf = false
  readonly #seen = new Array<number>(COUNTERS).fill(0)
  readonly #actions: readonly (readonly [weight: number, act: () => void])[]

  constructor(
    private readonly watch: Watch,
    private readonly handle: MapHandle,
  ) {
    this.#slot = watch.post.slot
    this.#actions = [
      [300, () => this.#get()],
      [120, () => this.#set()],
      [60, () => this.#delete()],
      [40, () => this.#setOnCondition()],
      [80, () => this.#count()],
      [80, () => this.#writeOwn()],
      [80, () => this.#readOwn()],
      [40, () => this.#writePair()],
      [30, () => this.#batch()],
      [2, () => this.#scan()],
      [2, () => this.#iterate()],
      [2, () => this.#snapshot()],
      [1, () => this.#deleteWhere()],
      [2, () => this.#clearPart()],
    ]
  }

  /** To begin with, and after `close`: by chance with a near-cache or without. */
  open(): void {
    const near = this.watch.random.chance(0.5)
    this.#map = ConcurrentMap.attach(this.handle, attachOptions(this.watch.post.engine, near))
  }

  close(): void {
    this.#map!.close()
  }

  /** What a predecessor in this slot had been told is done must be there, whenever and however it was ended. */
  takeOver(): void {
    const { ledger } = this.watch
    for (let index = 0; index < OWN; index++) {
      const at = this.#slot * OWN + index
      const written = Atomics.load(ledger.ownWritten, at)
      const pending = Atomics.load(ledger.ownPending, at)
      this.#nextOwn = Math.max(this.#nextOwn, pending, written)
      this.#attempt('get', `own ${index}`, (map) => {
        const is = (number: number): boolean => this.#hasOwn(map, index, number)
        if (is(written)) Atomics.store(ledger.ownPending, at, written)
        else if (is(pending)) Atomics.store(ledger.ownWritten, at, pending)
        else this.watch.fail(`own key ${index} is neither number ${written}, as written, nor ${pending}`)
      })
    }
    this.#attempt('get', 'pair', (map) => {
      this.#pair = (map.get(pairKey(this.#slot, 0)) as number | undefined) ?? 0
      this.#owesSecondHalf = this.#pair > 0
    })
  }

  act(): void {
    const total = this.#actions.reduce((sum, [weight]) => sum + weight, 0)
    let choice = this.watch.random.below(total)
    for (const [weight, act] of this.#actions) {
      choice -= weight
      if (choice < 0) {
        act()
        return
      }
    }
  }

  #attempt(kind: Kind, detail: string | number, action: (map: ConcurrentMap<Key, unknown>) => void): boolean {
    return this.watch.call(kind, detail, () => action(this.#map!))
  }

  /** A lasting key, or one that comes and goes. */
  #number(): number {
    return this.watch.random.below(NUMBERS)
  }

  #passing(): number {
    return LASTING + this.watch.random.below(NUMBERS - LASTING)
  }

  #value(key: number): unknown {
    return tellingValue(key, this.watch.random.below(2 ** 30))
  }

  /** The value must belong to its key and be whole, and that of a lasting key must be there. */
  #check(key: Key, value: unknown, how: string): void {
    if (typeof key !== 'number') return
    if (value === undefined) {
      if (key < LASTING) this.watch.fail(`${how}: lasting key ${key} is absent`)
      return
    }
    const fault = faultOf(key, value)
    if (fault !== undefined) this.watch.fail(`${how}: ${fault}`)
  }

  #get(): void {
    const key = this.#number()
    this.#attempt('get', key, (map) => {
      this.#check(key, map.get(key), 'get')
      if (key < LASTING && !map.has(key)) this.watch.fail(`has: lasting key ${key} is absent`)
    })
  }

  #set(): void {
    const key = this.#number()
    this.#attempt('set', key, (map) => {
      if (this.watch.random.chance(0.5)) map.set(key, this.#value(key))
      else this.#check(key, map.swap(key, this.#value(key)), 'swap')
    })
  }

  #delete(): void {
    const key = this.#passing()
    this.#attempt('delete', key, (map) => {
      if (this.watch.random.chance(0.5)) map.delete(key)
      else this.#check(key, map.take(key), 'take')
    })
  }

  #setOnCondition(): void {
    const key = this.#number()
    const { random } = this.watch
    this.#attempt('compare', key, (map) => {
      const entry = map.getEntry(key)
      const next = this.#value(key)
      const choice = random.next()
      if (choice < 0.3) {
        const stored = map.setIfAbsent(key, next)
        if (stored && key < LASTING) this.watch.fail(`setIfAbsent stored lasting key ${key}`)
      } else if (choice < 0.5) {
        if (!map.replace(key, next) && key < LASTING) this.watch.fail(`replace did not find lasting key ${key}`)
      } else if (entry !== undefined) {
        if (key >= LASTING && random.chance(0.5)) map.compareAndDelete(key, entry.value)
        // eslint-disable-next-line mapsafe/no-unchecked-result -- either result is right
        else if (random.chance(0.5)) map.compareAndSwap(key, entry.value, next)
        else if (map.setIfVersion(key, next, entry.version) && map.setIfVersion(key, next, entry.version)) {
          this.watch.fail(`setIfVersion stored key ${key} twice on one version`)
        }
      }
    })
  }

  /** Adds to a counter by one of three ways. What it returns grows from call to call. */
  #count(): void {
    const { ledger, random } = this.watch
    const counter = random.below(COUNTERS)
    const at = this.#slot * COUNTERS + counter
    const by = 1 + random.below(3)
    let sum = 0
    Atomics.add(ledger.begun, at, by)
    const kind = (['increment', 'update', 'compare'] as const)[counter % 3]
    if (this.#attempt(kind, counterKey(counter), (map) => (sum = add(map, counterKey(counter), by, counter % 3)))) {
      Atomics.add(ledger.added, at, by)
      if (sum < this.#seen[counter] + by) {
        this.watch.fail(`counter ${counter} is ${sum} after ${by} were added to ${this.#seen[counter]}`)
      }
      this.#seen[counter] = sum
    } else {
      // A call that throws has changed nothing.
      Atomics.sub(ledger.begun, at, by)
    }
  }

  #writeOwn(): void {
    const { ledger, random } = this.watch
    const index = random.below(OWN)
    const at = this.#slot * OWN + index
    const number = random.chance(0.2) ? 0 : ++this.#nextOwn
    const key = ownKey(this.#slot, index)
    Atomics.store(ledger.ownPending, at, number)
    const done = this.#attempt(number === 0 ? 'delete' : 'set', key, (map) => {
      if (number === 0) map.delete(key)
      else map.set(key, this.#ownValue(index, number))
    })
    if (done) Atomics.store(ledger.ownWritten, at, number)
    else Atomics.store(ledger.ownPending, at, Atomics.load(ledger.ownWritten, at))
  }

  #readOwn(): void {
    const index = this.watch.random.below(OWN)
    this.#attempt('get', ownKey(this.#slot, index), (map) => {
      const written = Atomics.load(this.watch.ledger.ownWritten, this.#slot * OWN + index)
      if (!this.#hasOwn(map, index, written)) this.watch.fail(`own key ${index} is not number ${written}, as written`)
    })
  }

  #ownValue(index: number, number: number): unknown {
    return tellingValue(this.#slot * OWN + index, number)
  }

  #hasOwn(map: ConcurrentMap<Key, unknown>, index: number, number: number): boolean {
    const key = ownKey(this.#slot, index)
    return number === 0 ? !map.has(key) : isDeepStrictEqual(map.get(key), this.#ownValue(index, number))
  }

  #writePair(): void {
    if (!this.#owesSecondHalf) {
      const next = this.#pair + 1
      if (!this.#attempt('set', 'pair', (map) => map.set(pairKey(this.#slot, 0), next))) return
      this.#pair = next
    }
    this.#owesSecondHalf = !this.#attempt('set', 'pair', (map) => map.set(pairKey(this.#slot, 1), this.#pair))
  }

  #batch(): void {
    const { random } = this.watch
    const choice = random.below(3)
    const keys = Array.from({ length: BATCH }, () => (choice === 2 ? this.#passing() : this.#number()))
    this.#attempt('batch', keys.join(' '), (map) => {
      if (choice === 0) {
        for (const [i, value] of map.getMany(keys).entries()) this.#check(keys[i], value, 'getMany')
      } else if (choice === 1) {
        map.setMany(keys.map((key) => [key, this.#value(key)]))
      } else {
        map.deleteMany(keys)
      }
    })
  }

  #scan(): void {
    this.#attempt('scan', 'all parts', (map) => {
      const met = new Meetings()
      for (let part = 0; part < SCAN_PARTS; part++) {
        let cursor: number | undefined
        do {
          const result = map.scan(cursor, { part, parts: SCAN_PARTS })
          for (const [key, value] of result.entries) {
            met.note(key)
            this.#check(key, value, 'scan')
          }
          cursor = result.cursor
        } while (cursor !== undefined)
      }
      this.#checkMeetings(met, 'scan')
    })
  }

  #iterate(): void {
    this.#attempt('iteration', 'all', (map) => {
      const met = new Meetings()
      for (const [key, value] of map) {
        met.note(key)
        this.#check(key, value, 'iteration')
      }
      this.#checkMeetings(met, 'iteration')
    })
  }

  #checkMeetings(met: Meetings, how: string): void {
    const fault = met.fault()
    if (fault !== undefined) this.watch.fail(`${how}: ${fault}`)
  }

  #snapshot(): void {
    const { ledger } = this.watch
    this.#attempt('snapshot', 'all', (map) => {
      const least = Array.from({ length: COUNTERS }, (_, counter) => ledger.addedTo(counter))
      const snapshot = map.snapshot()
      const most = Array.from({ length: COUNTERS }, (_, counter) => ledger.addedAtMostTo(counter))
      const met = new Meetings()
      const found = new Map<Key, unknown>()
      for (const [key, value] of snapshot) {
        met.note(key)
        this.#check(key, value, 'snapshot')
        if (typeof key === 'string') found.set(key, value)
      }
      this.#checkMeetings(met, 'snapshot')
      if (met.count !== snapshot.size) this.watch.fail(`snapshot: size ${snapshot.size}, but ${met.count} entries`)
      const number = (key: string): number => (found.get(key) as number | undefined) ?? 0
      for (let slot = 0; slot < ledger.slots; slot++) {
        const [first, second] = [number(pairKey(slot, 0)), number(pairKey(slot, 1))]
        if (first !== second && first !== second + 1) {
          this.watch.fail(`snapshot: pair of member ${slot} is ${first} and ${second}`)
        }
      }
      for (let counter = 0; counter < COUNTERS; counter++) {
        const sum = number(counterKey(counter))
        if (sum >= least[counter] && sum <= most[counter]) continue
        this.watch.fail(`snapshot: counter ${counter} is ${sum}, not within ${least[counter]} to ${most[counter]}`)
      }
    })
  }

  #deleteWhere(): void {
    const { random } = this.watch
    const remainder = random.below(5)
    this.#attempt('deleteWhere', `${remainder} modulo 5`, (map) => {
      map.deleteWhere((value, key) => {
        this.#check(key, value, 'deleteWhere')
        return typeof key === 'number' && key >= LASTING && key % 5 === remainder
      })
    })
  }

  /** Deletes what comes and goes in one range of hashes. */
  #clearPart(): void {
    const part = this.watch.random.below(CLEARED_PARTS)
    this.#attempt('clear', `part ${part}`, (map) => {
      const { entries } = map.scan(undefined, { part, parts: CLEARED_PARTS, count: NUMBERS })
      map.deleteMany(entries.map(([key]) => key).filter((key) => typeof key === 'number' && key >= LASTING))
    })
  }
}

/** Which keys a walk met, and how often. */
class Meetings {
  count = 0
  readonly #times = new Uint8Array(NUMBERS)

  note(key: Key): void {
    this.count++
    if (typeof key === 'number') this.#times[key]++
  }

  fault(): string | undefined {
    const wrong = this.#times.subarray(0, LASTING).findIndex((times) => times !== 1)
    return wrong === -1 ? undefined : `lasting key ${wrong} was met ${this.#times[wrong]} times`
  }
}

/** Adds to a counter that others add to as well. @returns the sum */
function add(map: ConcurrentMap<Key, unknown>, key: string, by: number, way: number): number {
  if (way === 0) return map.increment(key, by)
  if (way === 1) return map.update(key, (sum) => ((sum as number | undefined) ?? 0) + by) as number
  while (true) {
    const entry = map.getEntry(key)
    const sum = ((entry?.value as number | undefined) ?? 0) + by
    if (map.setIfVersion(key, sum, entry?.version ?? 0)) return sum
  }
}
