import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { LostUpdateEvent } from '../../src/index.js'

/** Collects the events of lost updates in this thread while it is not disposed of. */
export class Losses implements Disposable {
  readonly events: LostUpdateEvent[] = []
  readonly #listener = (event: unknown): void => void this.events.push(event as LostUpdateEvent)

  constructor() {
    subscribe('mapsafe.lost-update', this.#listener)
  }

  /** What was lost since the last call. */
  take(): LostUpdateEvent['lost'][] {
    return this.events.splice(0).map(({ lost }) => lost)
  }

  [Symbol.dispose](): void {
    unsubscribe('mapsafe.lost-update', this.#listener)
  }
}
