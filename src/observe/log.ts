/**
 * `mapsafe/log`: the events of mapsafe as structured records, for any logger. It subscribes to the channels that
 * docs/guide/21-guards.md lists, in the thread that calls it, for all its maps.
 */
import { subscribe, unsubscribe } from '../platform/diagnostics.js'
import { Buffer } from '../platform/buffer.js'
import { CHANNELS, type ChannelName, type EventOrigin } from './channels.js'
import { messageOf, type MapsafeEvent } from './messages.js'

export type { ChannelName } from './channels.js'

/** An event as one record, which `JSON.stringify` takes. */
export interface LogRecord {
  /** The level of all events so far. */
  readonly level: 'warn'
  /** When it happened, in milliseconds of `Date.now()`. */
  readonly time: number
  /** The channel that told it. */
  readonly event: ChannelName
  /** What happened, in a sentence. */
  readonly msg: string
  /** The fields of the event. A bigint as a key is a string of digits, bytes are hexadecimal. */
  readonly [field: string]: unknown
}

/**
 * Where records go: `console`, as lines of JSON; a function that takes each record; or a logger in the manner of pino,
 * which takes the fields and the message, and adds level and time itself.
 */
export type LogTarget =
  | Console
  | ((record: LogRecord) => unknown)
  | {
      /** Takes the fields of an event, and the event in a sentence. */
      warn(fields: Readonly<Record<string, unknown>>, message: string): unknown
    }

/** Ends the logging that {@link logTo} began. */
export interface Logging extends Disposable {
  /** Ends it. Calling it again does nothing. */
  stop(): void
}

/**
 * Passes the events of this thread's maps on as structured records, until {@link Logging.stop}. Each worker calls it
 * for itself. A logger that throws causes an uncaught exception, as every subscriber of a channel of Node.js does.
 *
 * @param target default `console`
 */
export function logTo(target: LogTarget = console): Logging {
  const write = writerFor(target)
  const listener = (message: unknown, name: string | symbol): void => {
    write(recordOf(name as ChannelName, message as MapsafeEvent & EventOrigin))
  }
  for (const name of CHANNELS) subscribe(name, listener)
  const stop = (): void => {
    for (const name of CHANNELS) unsubscribe(name, listener)
  }
  return { stop, [Symbol.dispose]: stop }
}

/** The fields that a logger adds itself. */
const ITS_OWN = ['level', 'time', 'msg']

function writerFor(target: LogTarget): (record: LogRecord) => void {
  if (typeof target === 'function') return (record) => void target(record)
  if (target === console) return (record) => console.warn(JSON.stringify(record))
  return (record) => {
    const fields = Object.entries(record).filter(([name]) => !ITS_OWN.includes(name))
    target.warn(Object.fromEntries(fields), record.msg)
  }
}

function recordOf(event: ChannelName, message: MapsafeEvent & EventOrigin): LogRecord {
  const { key, time, ...fields } = message
  const shown = typeof key === 'object' ? Buffer.from(key).toString('hex') : typeof key === 'bigint' ? `${key}` : key
  return {
    level: 'warn',
    time,
    event,
    msg: messageOf(event, message),
    ...(key !== undefined && { key: shown }),
    ...fields,
  }
}
