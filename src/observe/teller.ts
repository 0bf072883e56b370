import { warn, pid, threadId } from '../platform/process.js'
import { readClocks } from '../platform/system-clock.js'
import type { Channel, ChannelName, EventOrigin } from './channels.js'
import { messageOf, type MapsafeEvent } from './messages.js'

/** Tells of the events of one map object: on a channel; or, once for each channel, by a warning where nobody listens. */
export class Teller {
  readonly #warned = new Set<ChannelName>()

  constructor(private readonly map: Pick<EventOrigin, 'name' | 'file' | 'map'>) {}

  /**
   * Tells of an event. Subscribers run now, inside the call that caused it.
   *
   * @param event makes the event, if it is of use to anybody
   * @param stacks returns the stacks of an event, each with a name
   */
  tell<Event extends MapsafeEvent>(
    channel: Channel,
    event: () => Omit<Event, keyof EventOrigin>,
    advice: string,
    stacks: (event: Event) => Readonly<Record<string, readonly string[]>>,
  ): void {
    if (!channel.hasSubscribers && this.#warned.has(channel.name)) return
    const time = Math.floor(readClocks().wall)
    const told = { ...this.map, ...event(), pid, threadId, time } as unknown as Event
    if (channel.hasSubscribers) channel.publish(told)
    else this.#warn(channel.name, told, advice, stacks(told))
  }

  #warn(
    channel: ChannelName,
    event: MapsafeEvent,
    advice: string,
    stacks: Readonly<Record<string, readonly string[]>>,
  ): void {
    this.#warned.add(channel)
    const { file } = this.map
    const lines = Object.entries(stacks).flatMap(([name, frames]) =>
      frames.length === 0 ? [] : [`${name}:`, ...frames],
    )
    warn(
      `${messageOf(channel, event)}${file === undefined ? '' : ` The map is in ${file}.`} ${advice} ` +
        `Further ones are told on the channel ${channel} alone.${lines.map((line) => `\n    ${line}`).join('')}`,
      channel === 'mapsafe.guard' ? 'MAPSAFE_GUARD' : 'MAPSAFE_LOST_UPDATE',
    )
  }
}
