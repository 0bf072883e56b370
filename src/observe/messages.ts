import type { ChannelName, GuardEvent, Loss, LostUpdateEvent } from './channels.js'
import type { GuardName } from './guard/options.js'

/** The message of any channel. */
export type MapsafeEvent = LostUpdateEvent | GuardEvent

const LOSSES: Record<Loss, string> = {
  update: 'overwrote a value that its thread had not read',
  insert: 'overwrote a value, where its thread had read that there was none',
  delete: 'brought back a key that was deleted after its thread had read it',
  stale: 'stored parts of a value that another write had replaced before',
}

const EXCEEDED: Record<GuardName, (value: string) => string> = {
  callsPerSecond: (value) => `was called ${value} times within a second`,
  largeValueBytes: (value) => `got a value of ${value} bytes`,
  slowUpdateMs: (value) => `had a function of an update run for ${value} ms`,
}

/** Returns an event in a sentence. */
export function messageOf(_name: ChannelName, event: MapsafeEvent): string {
  if ('lost' in event) return `A write of a ${event.map} ${LOSSES[event.lost]}.`
  const value = EXCEEDED[event.guard](String(Math.round(event.value)))
  return `A key of a ${event.map} ${value}, above ${event.threshold}.`
}
