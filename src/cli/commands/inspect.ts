import type { InspectedThread, Inspection } from '../../inspect/index.js'
import { FINE, SOURCE_OPTIONS, type Command } from '../command.js'
import { openToLook } from '../open.js'
import { harmless, showBytes, type Output } from '../output.js'

/** Shows what a file holds. */
export const inspect: Command = {
  name: 'inspect',
  operands: ['FILE'],
  summary: 'shows what a map file holds: settings, figures, threads',
  options: SOURCE_OPTIONS,
  run(given, output) {
    using seen = openToLook(given)
    const { settings, isLive, isCopy } = seen
    const stats = seen.stats()
    const threads = seen.threads()
    if (output.isJson) output.json({ settings, isLive, isCopy, ...stats, threads })
    else show(seen, threads, output)
    return FINE
  },
}

function show(seen: Inspection, threads: readonly InspectedThread[], output: Output): void {
  const { settings, file = 'memory', isCopy, isLive } = seen
  const stats = seen.stats()
  const { counters, memory } = stats
  const say = (name: string, text: string | number): void => output.line(`${name.padEnd(12)}${text}`)
  const origin = isCopy ? ', a copy that nobody has opened as a map yet' : isLive ? '' : ', read into memory'
  output.line(output.bold(harmless(file)))
  say(settings.kind, `of ${showBytes(settings.maxBytes)}, format version ${settings.formatVersion}${origin}`)
  if (settings.kind === 'cache') say('lifetime', lifetimeOf(settings))
  say('entries', `${stats.entries}, in ${stats.segments} segments; ${stats.tombstones} tombstones`)
  const parts = Object.entries(memory).filter(([, bytes]: [string, number]) => bytes > 0)
  say('memory', parts.map(([use, bytes]: [string, number]) => `${use} ${showBytes(bytes)}`).join(', '))
  say('reads', `${counters.hits} hits, ${counters.misses} misses; ${counters.nearHits} of them near hits`)
  say('loads', `${counters.loads}, of which ${counters.loadFailures} failed`)
  say(
    'gone',
    `${counters.replaced} replaced, ${counters.deleted} deleted, ${counters.expired} expired, ${counters.evicted} evicted`,
  )
  say('contention', `${stats.contention} of about ${stats.operations} writes met another`)
  if (stats.breaker !== undefined) say('breaker', stats.breaker.state)
  say('threads', threads.length)
  if (threads.length > 0) showThreads(threads, output)
}

function lifetimeOf({ ttl, slidingTtl, ttlJitter, maxEntries }: Inspection['settings']): string {
  const life =
    slidingTtl !== undefined ? `${slidingTtl} ms from the last use on` : ttl === Infinity ? 'for ever' : `${ttl} ms`
  const jitter = ttlJitter === undefined ? '' : `, up to ${ttlJitter * 100} % less`
  return `${life}${jitter}; ${maxEntries === undefined ? 'as many entries as there is room for' : `at most ${maxEntries} entries`}`
}

/** Prints the threads that have a map open. */
export function showThreads(threads: readonly InspectedThread[], output: Output): void {
  output.table(
    ['record', 'process', 'thread', 'engine', 'state', 'holds'],
    threads.map(({ record, pid, threadId, engine, state, holds }) => [
      record,
      pid,
      threadId,
      engine,
      state,
      holds.join(', ') || '-',
    ]),
  )
}
