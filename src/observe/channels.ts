/**
 * Events for other parts of a program, on channels of `node:diagnostics_channel`. docs/guide/21-guards.md says when each
 * is told.
 */
import type { Key } from '../format/key.js'
import type { GuardName } from './guard/options.js'
import { channel } from '../platform/diagnostics.js'

/** The name of a channel. */
export type ChannelName = 'mapsafe.lost-update' | 'mapsafe.guard'

/** The names of all channels. */
export const CHANNELS: readonly ChannelName[] = ['mapsafe.lost-update', 'mapsafe.guard']

/** The part that all events have. */
export interface EventOrigin {
  /** What the map is called: see the option `name`. */
  readonly name: string
  /** The path of the map's file; undefined for a map in memory. */
  readonly file: string | undefined
  /** The class of the map object. */
  readonly map: 'ConcurrentMap' | 'ConcurrentCache'
  /** The process in which it happened. */
  readonly pid: number
  /** The thread in which it happened. */
  readonly threadId: number
  /** When it happened, in milliseconds of `Date.now()`. */
  readonly time: number
}

/** What an overwriting lost: see {@link LostUpdateEvent.lost}. */
export type Loss = 'update' | 'insert' | 'delete' | 'stale'

/** The message of `mapsafe.lost-update`: a write overwrote what its thread had not seen. */
export interface LostUpdateEvent extends EventOrigin {
  /**
   * `'update'`: another value than the one read. `'insert'`: a value, where the read found none. `'delete'`: nothing,
   * where the read found a value; the write brought the key back. `'stale'`: the value written has parts of one that
   * was read before another write, which this thread saw elsewhere.
   */
  readonly lost: Loss
  /** The key; only with the option `keys`. */
  readonly key: Key | undefined
  /** The version of the entry that was read; 0 for none. */
  readonly readVersion: number
  /** The version that the write found instead; 0 for none. */
  readonly foundVersion: number
  /** Milliseconds between the read and the write. */
  readonly elapsed: number
  /** The frames of the call that read; empty without the option `stacks`. */
  readonly readStack: readonly string[]
  /** The frames of the call that wrote; empty without the option `stacks`. */
  readonly writeStack: readonly string[]
}

/** The message of `mapsafe.guard`: a threshold of the option `guard` was exceeded. */
export interface GuardEvent extends EventOrigin {
  /** Which threshold. */
  readonly guard: GuardName
  /** What there was: calls within a second, bytes, or milliseconds. */
  readonly value: number
  /** The threshold itself. */
  readonly threshold: number
  /** The key; only with the option `keys`. */
  readonly key: Key | undefined
  /** The frames of the call. */
  readonly stack: readonly string[]
}

/** A channel whose name says which messages it has. */
export interface Channel {
  readonly name: ChannelName
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/** The channel of lost updates. */
export const lostUpdates = channel('mapsafe.lost-update') as Channel
/** The channel of exceeded thresholds. */
export const guards = channel('mapsafe.guard') as Channel
