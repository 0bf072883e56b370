/**
 * Names that all threads of a process share: what the main thread has named, every worker finds.
 *
 * A worker gets a copy of its parent's environment data when it starts, in which `SharedArrayBuffer`s are shared. For
 * names given after that, it asks the main thread over a `BroadcastChannel`, which stays within the process.
 */
import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  receiveMessageOnPort,
  setEnvironmentData,
  threadId,
} from 'node:worker_threads'

export { isMainThread }

/** The version is that of the records, for packages of different versions in one process. */
const KEY = 'mapsafe.names.1'
const ROUND_MILLISECONDS = 20
/** A worker asks for 2 seconds, the longest that any call waits. */
const ROUNDS = 100

/** What goes over the channel: a question has a signal, which is raised once it is answered. */
interface Message {
  readonly name: string
  readonly signal?: Int32Array
  readonly askedBy: number | undefined
  readonly record?: unknown
}

/** The channel on which the main thread answers, kept so that it is not collected. */
let answering: BroadcastChannel | undefined

/** Returns the record of a name, as far as this thread knows it. */
export function knownRecord(name: string): unknown {
  return records().get(name)
}

/** Gives a record its name. For the main thread; in a worker, for itself and the workers that it starts. */
export function nameRecord(name: string, record: unknown): void {
  setEnvironmentData(KEY, new Map([...records(), [name, record]]))
  if (isMainThread) answer()
}

function records(): Map<string, unknown> {
  return (getEnvironmentData(KEY) as Map<string, unknown> | undefined) ?? new Map<string, unknown>()
}

/** Makes the main thread answer workers that started before a name was given. Does not keep the process alive. */
function answer(): void {
  if (answering !== undefined) return
  const channel = new BroadcastChannel(KEY)
  channel.onmessage = (event) => {
    const { name, signal, askedBy } = (event as { data: Message }).data
    const record = knownRecord(name)
    if (signal === undefined || record === undefined) return
    channel.postMessage({ name, askedBy, record } satisfies Message)
    Atomics.store(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  channel.unref()
  answering = channel
}

/**
 * Asks the main thread for the record of a name. Blocks this thread until the main thread's event loop has had a turn, or
 * for 2 seconds.
 *
 * @returns undefined if the main thread does not answer, or has not given the name
 */
export function askForRecord(name: string): unknown {
  const channel = new BroadcastChannel(KEY)
  try {
    const signal = new Int32Array(new SharedArrayBuffer(4))
    for (let round = 0; round < ROUNDS; round++) {
      channel.postMessage({ name, signal, askedBy: threadId } satisfies Message)
      Atomics.wait(signal, 0, 0, ROUND_MILLISECONDS)
      const record = receivedRecord(channel, name)
      if (record === undefined) continue
      nameRecord(name, record)
      return record
    }
    return undefined
  } finally {
    channel.close()
  }
}

function receivedRecord(channel: BroadcastChannel, name: string): unknown {
  for (;;) {
    const received = receiveMessageOnPort(channel as never) as { message: Message } | undefined
    if (received === undefined) return undefined
    const { message } = received
    if (message.askedBy === threadId && message.name === name && message.record !== undefined) return message.record
  }
}
