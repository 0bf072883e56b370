import { attachedThreads, type ThreadState } from '../format/attached-threads.js'
import { RESULT_OWNER_PID, RESULT_OWNER_THREAD, type Engine } from './engine.js'

/** For each state of a holder, its meaning for waiting threads, and advice. */
const ADVICE: Readonly<Record<ThreadState, (pid: number) => string>> = {
  running: () =>
    'It lives, but did not go on: it may be blocked, in a function given to update(), say, or just be ending. Try ' +
    'again; if this lasts, end its thread or process, and what it holds is free.',
  stopped: (pid) =>
    `It was stopped by a signal or a debugger, and nothing is taken from it. Let it go on (kill -CONT ${pid}) or end ` +
    'its process, and what it holds is free. Reads do not wait for it.',
  dead: () =>
    'It ended in the middle of a write, and another thread is about to take over from it. Try again; if this lasts, ' +
    'look in stats().threads for a thread that is stopped.',
  elsewhere: () =>
    'It lives, in another container (PID namespace), whose process ids these are. Whether it is stopped cannot be seen from ' +
    'here. Try again; if this lasts, let that container go on or end it, and what it holds is free.',
  unknown: (pid) =>
    `Whether it lives cannot be told from here. Try again; if this lasts, look for process ${pid} where it was started: ` +
    'let it go on or end it. If it is gone already, make a new map.',
}

/**
 * Returns the message for a call that gave up waiting: which thread was in the way, in which state, and what to do.
 * Some system calls.
 */
export function timeoutMessage(engine: Engine): string {
  const { result } = engine
  const pid = result[RESULT_OWNER_PID]
  const threadId = result[RESULT_OWNER_THREAD]
  if (pid === 0) return 'Other threads held what was needed for longer than the bound. Try again.'
  // In every container ids begin with 1, so several threads may match, even this one; the holder is one that holds
  // something.
  const matching = attachedThreads(engine).filter((thread) => thread.pid === pid && thread.threadId === threadId)
  const owner = matching.find(({ holds }) => holds.length > 0) ?? matching.at(0)
  const name = `Thread ${threadId} of process ${pid}`
  // The holder closed the map meanwhile, or was taken over.
  if (owner === undefined) return `${name} held what was needed for longer than the bound. It is gone now: try again.`
  return `${name} (${owner.state}) held what was needed for longer than the bound. ${ADVICE[owner.state](pid)}`
}
