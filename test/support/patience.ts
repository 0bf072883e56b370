import { setTimeout as sleep } from 'node:timers/promises'
import { FairClock } from './fair-clock.js'

/** For how long nothing may move, in milliseconds of a {@link FairClock}. */
const PATIENCE_MS = 30_000
/** Milliseconds between two looks. */
const PAUSE_MS = 2
const LOOKS_A_READING = 50

/**
 * Waits until `isSo`. Gives up when `progress`, some count of what is being waited for, has stayed the same for long;
 * never because of the time that the machine gave to others.
 *
 * @param what is waited for, for the message
 * @throws if nothing moves any more
 */
export async function until(what: string, isSo: () => boolean, progress: () => unknown = () => 0): Promise<void> {
  const clock = new FairClock()
  let [moved, last] = [0, progress()]
  for (let looks = 1; !isSo(); looks++) {
    await sleep(PAUSE_MS)
    if (looks % LOOKS_A_READING !== 0) continue
    const [now, time] = [progress(), clock.now()]
    if (now !== last) [moved, last] = [time, now]
    else if (time - moved > PATIENCE_MS) throw new Error(`nothing moved for ${PATIENCE_MS / 1000} s before ${what}`)
  }
}
