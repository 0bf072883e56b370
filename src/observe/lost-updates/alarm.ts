import type { Key } from '../../format/key.js'
import { monotonic } from '../../platform/system-clock.js'
import { lostUpdates, type LostUpdateEvent } from '../channels.js'
import { markActiveSpan } from '../span.js'
import { catchStack, framesOf } from '../stack.js'
import type { Teller } from '../teller.js'
import type { ResolvedLostUpdates } from './options.js'
import type { LossFound } from './probe.js'

/** Tells of lost updates of one map object: on the channel, and on the active span. */
export class Alarm {
  constructor(
    private readonly options: ResolvedLostUpdates,
    private readonly teller: Teller,
  ) {}

  tell(key: Key, { lost, note, foundVersion }: LossFound): void {
    markActiveSpan('mapsafe.lost_update', lost)
    this.teller.tell<LostUpdateEvent>(
      lostUpdates,
      () => ({
        lost,
        key: this.options.keys ? key : undefined,
        readVersion: note.version,
        foundVersion,
        elapsed: monotonic() - note.time,
        readStack: framesOf(note.stack),
        writeStack: this.options.stacks ? framesOf(catchStack()) : [],
      }),
      'Use update, increment, setIfVersion or setIfAbsent.',
      ({ readStack, writeStack }) => ({ 'It was read': readStack, 'It was written': writeStack }),
    )
  }
}
