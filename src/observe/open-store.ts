import type { Engine } from '../engine/engine.js'
import { Store } from '../store/store.js'
import { Guard } from './guard/guard.js'
import type { ResolvedGuard } from './guard/options.js'
import { Alarm } from './lost-updates/alarm.js'
import type { ResolvedLostUpdates } from './lost-updates/options.js'
import { LostUpdateProbe } from './lost-updates/probe.js'
import { ObservedStore } from './observed-store.js'
import { Teller } from './teller.js'

/** How a map object was asked to work. */
export interface StoreOptions {
  readonly freeze: boolean
  /** Capacity of the near-cache; 0 for none. */
  readonly nearEntries: number
  readonly lostUpdates: ResolvedLostUpdates | undefined
  readonly guard: ResolvedGuard | undefined
}

/** Which map it is. */
export interface MapIdentity {
  readonly kind: 'mapsafe.map' | 'mapsafe.cache'
  readonly file?: string
  readonly name: string
}

/** Returns a thread's way to the map of `engine`, observed if the options ask for it. */
export function openStore<V>(
  engine: Engine,
  { freeze, nearEntries, lostUpdates, guard }: StoreOptions,
  { kind, file, name }: MapIdentity,
): Store<V> {
  if (lostUpdates === undefined && guard === undefined) return new Store(engine, freeze, nearEntries)
  const isCache = kind === 'mapsafe.cache'
  const teller = new Teller({ name, file, map: isCache ? 'ConcurrentCache' : 'ConcurrentMap' })
  return new ObservedStore(engine, freeze, nearEntries, {
    probe: lostUpdates && new LostUpdateProbe(lostUpdates, isCache),
    alarm: lostUpdates && new Alarm(lostUpdates, teller),
    guard: guard && new Guard(guard, teller),
  })
}
