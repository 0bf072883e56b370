import type { Key } from '../../format/key.js'
import { pid, threadId, warn } from '../../platform/process.js'
import { monotonic, readClocks } from '../../platform/system-clock.js'
import { lostUpdates, type EventOrigin, type LostUpdateEvent } from '../channels.js'
import { messageOf } from '../messages.js'
import { markActiveSpan } from '../span.js'
import { catchStack, framesOf } from '../stack.js'
import type { LossFound } from './probe.js'
import type { ResolvedLostUpdates } from './options.js'

const WRITE_FRAMES = 8

/** Tells of lost updates of one map object: on the channel, and on the active span. */
export class Alarm {
  #hasWarned = false

  constructor(
    private readonly options: ResolvedLostUpdates,
    private readonly map: Pick<EventOrigin, 'file' | 'map'>,
  ) {}

  /** Tells of a loss. Subscribers run now, inside the call that wrote. */
  tell(key: Key, { lost, note, foundVersion }: LossFound): void {
    markActiveSpan('mapsafe.lost_update', lost)
    if (this.#hasWarned && !lostUpdates.hasSubscribers) return
    const event: LostUpdateEvent = {
      ...this.map,
      lost,
      key: this.options.keys ? key : undefined,
      readVersion: note.version,
      foundVersion,
      elapsed: monotonic() - note.time,
      readStack: framesOf(note.stack),
      writeStack: this.options.stacks ? framesOf(catchStack(WRITE_FRAMES)) : [],
      pid,
      threadId,
      time: Math.floor(readClocks().wall),
    }
    if (lostUpdates.hasSubscribers) lostUpdates.publish(event)
    else this.#warn(event)
  }

  /** Warns of the first loss, so that it is seen where nobody listens. */
  #warn(event: LostUpdateEvent): void {
    this.#hasWarned = true
    const { file, readStack, writeStack } = event
    const stacks = [...named('It was read', readStack), ...named('It was written', writeStack)]
    warn(
      `${messageOf('mapsafe.lost-update', event)}${file === undefined ? '' : ` The map is in ${file}.`} ` +
        'Use update, increment, setIfVersion or setIfAbsent. Further ones are told on the channel mapsafe.lost-update ' +
        `alone.${stacks.map((line) => `\n    ${line}`).join('')}`,
      'MAPSAFE_LOST_UPDATE',
    )
  }
}

function named(what: string, stack: readonly string[]): string[] {
  return stack.length === 0 ? [] : [`${what}:`, ...stack]
}
