import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CONTAINER } from './container.js'
import { processCode, workerCode } from './worker-code.js'

/** A thread or process of a {@link Crew}. It answers each message with one. */
export interface Member {
  send(message: object): void
  end(): Promise<unknown>
  /** Ends a process at once, in whatever it is doing. */
  kill?(): void
  /** Emits message, error and exit. */
  readonly events: EventEmitter
}

const entry = new URL('crew-member.ts', import.meta.url)

/** @param tasks URL of the module whose exports are the tasks */
export function startThread(tasks: string): Member {
  const worker = new Worker(new URL('typescript-worker.js', import.meta.url), {
    workerData: { entry: workerCode(entry).href, tasks: workerCode(tasks).href },
  })
  return { send: (message) => worker.postMessage(message), end: () => worker.terminate(), events: worker }
}

/** @param tasks URL of the module whose exports are the tasks */
export function startProcess(tasks: string): Member {
  const { path, execArgv } = processCode(entry)
  const child = fork(path, [workerCode(tasks).href], { execArgv, serialization: 'advanced' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    send: (message) => void child.send(message),
    end: () => {
      if (child.connected) child.disconnect()
      return ended
    },
    kill: () => void child.kill('SIGKILL'),
    events: child,
  }
}

/**
 * A process in a container of its own: it has id 1, and sees no other.
 *
 * @param tasks URL of the module whose exports are the tasks
 */
export function startContained(tasks: string): Member {
  const { path, execArgv } = processCode(entry)
  const [execPath, ...options] = CONTAINER
  const child = fork(path, [workerCode(tasks).href], {
    ...{ execPath, execArgv: [...options, process.execPath, ...execArgv], serialization: 'advanced', detached: true },
  })
  const events = new EventEmitter()
  child.on('message', (message) => events.emit('message', message)).on('error', (error) => events.emit('error', error))
  // The child is the one that made the container; what it holds ends after it, and with it the channel.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  void ended.then(([[code]]) => events.emit('exit', code))
  return {
    send: (message) => void child.send(message),
    end: () => {
      if (child.connected) child.disconnect()
      return ended
    },
    // The whole group: a container that is killed while it is being made does not take along what it holds.
    kill: () => killGroup(child.pid!),
    events,
  }
}

/** Kills all that is left of a group of processes. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
