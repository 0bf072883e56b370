import type { ChannelName, Loss, LostUpdateEvent } from './channels.js'

/** The message of any channel. */
export type MapsafeEvent = LostUpdateEvent

const LOSSES: Record<Loss, string> = {
  update: 'overwrote a value that its thread had not read',
  insert: 'overwrote a value, where its thread had read that there was none',
  delete: 'brought back a key that was deleted after its thread had read it',
  stale: 'stored parts of a value that another write had replaced before',
}

/** Returns an event in a sentence. */
export function messageOf(_name: ChannelName, event: MapsafeEvent): string {
  return `A write of a ${event.map} ${LOSSES[event.lost]}.`
}
