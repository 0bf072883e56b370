import type { Inspection } from '../../inspect/index.js'
import { FINE, numberOption, SOURCE_OPTIONS, type Command } from '../command.js'
import { openToLook } from '../open.js'
import { harmless, ReaderGone, showBytes, showKey, type Output } from '../output.js'
import { Screen } from '../screen.js'
import { Changes } from './hot.js'

/** Maps with more entries are not walked for hot keys. */
const MOST_ENTRIES = 50_000
/** Looks for hot keys between two pictures. */
const LOOKS = 4
const HOT_KEYS = 10

export const top: Command = {
  name: 'top',
  operands: ['FILE'],
  summary: 'shows live rates, hit ratio, hot keys, and who waits for whom; q ends it',
  options: {
    interval: { type: 'string', short: 'i', value: 'SECONDS', help: 'time between two pictures. Default: 1' },
    count: { type: 'string', short: 'n', value: 'COUNT', help: 'end after so many pictures' },
    ...SOURCE_OPTIONS,
  },
  async run(given, output) {
    const seconds = numberOption(given, 'interval', 1, 1)
    let left = numberOption(given, 'count', 1, Infinity)
    using seen = openToLook(given)
    const watch = new Watch(seen)
    const isScreen = process.stdout.isTTY && !output.isJson
    const ending = new AbortController()
    const isOver = (): boolean => ending.signal.aborted
    let wake = (): void => undefined
    const screen = isScreen
      ? new Screen(
          () => {
            ending.abort()
            wake()
          },
          () => wake(),
          () => screen?.show(watch.lines(output)),
        )
      : undefined
    try {
      while (!isOver() && left-- > 0) {
        for (let i = 0; i < LOOKS; i++) {
          if (isOver()) break
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, (seconds * 1000) / LOOKS)
            wake = () => {
              clearTimeout(timer)
              resolve()
            }
          })
          watch.look()
        }
        watch.take()
        if (screen !== undefined) screen.show(watch.lines(output))
        else {
          if (output.isJson) output.json(watch.picture)
          else for (const line of watch.lines(output)) output.line(line)
          output.flush()
        }
      }
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error
    } finally {
      screen?.close()
    }
    return FINE
  },
}

type Stats = ReturnType<Inspection['stats']>

/** What changed between two pictures. */
class Watch {
  #at = performance.now()
  #before: Stats
  #seconds = 1
  #now: Stats
  #changes = new Changes()
  #hot: readonly { key: Parameters<typeof showKey>[0]; seen: number }[] = []

  constructor(private readonly map: Inspection) {
    this.#before = map.stats()
    this.#now = this.#before
  }

  look(): void {
    if (this.#now.entries <= MOST_ENTRIES) this.#changes.look(this.map)
  }

  take(): void {
    const at = performance.now()
    this.#seconds = (at - this.#at) / 1000
    this.#at = at
    this.#before = this.#now
    this.#now = this.map.stats()
    this.#hot = this.#changes.hottest(HOT_KEYS)
    // What was hot long ago is forgotten.
    if (this.#changes.looks > 40) this.#changes = new Changes()
  }

  /** The figures as data. */
  get picture(): object {
    const { entries, memory, contention } = this.#now
    return {
      time: Date.now(),
      rates: this.#rates(),
      hitRatio: this.#hitRatio(),
      entries,
      memory,
      contention,
      hot: this.#hot.map(({ key, seen }) => ({ key: showKey(key), changed: seen })),
      threads: this.map
        .threads()
        .map(({ pid, threadId, engine, state, holds, waits }) => ({ pid, threadId, engine, state, holds, waits })),
    }
  }

  lines(output: Output): string[] {
    const { settings, file = 'memory' } = this.map
    const { entries, memory, segments, breaker } = this.#now
    const rates = this.#rates()
    const ratio = this.#hitRatio()
    const lines = [
      output.bold(
        `mapsafe top  ${harmless(file)}  ${settings.kind} of ${showBytes(settings.maxBytes)}  ${new Date().toISOString().slice(11, 19)}`,
      ),
      `entries ${entries} in ${segments} segments   unused ${showBytes(memory.unused)}   entries take ${showBytes(memory.entries)}${breaker === undefined ? '' : `   breaker ${breaker.state}`}`,
      `hit ratio ${ratio === undefined ? '-' : `${(ratio * 100).toFixed(1)} %`}`,
      '',
      output.bold('a second'),
      ...Object.entries(rates).map(([name, rate]) => `  ${name.padEnd(14)}${Math.round(rate).toString().padStart(10)}`),
      '',
      output.bold('threads'),
      ...this.#threadLines(output),
    ]
    if (this.#hot.length > 0) {
      lines.push(
        '',
        output.bold('keys written most'),
        ...this.#hot.map(({ key, seen }) => `  ${String(seen).padStart(4)}  ${showKey(key)}`),
      )
    }
    return lines
  }

  #rates(): Record<string, number> {
    const [before, now] = [this.#before, this.#now]
    const rate = (count: (stats: Stats) => number): number => Math.max(0, (count(now) - count(before)) / this.#seconds)
    return {
      hits: rate(({ counters }) => counters.hits),
      misses: rate(({ counters }) => counters.misses),
      'near hits': rate(({ counters }) => counters.nearHits),
      writes: rate(({ operations }) => operations),
      collisions: rate(({ contention }) => contention),
      loads: rate(({ counters }) => counters.loads),
      deleted: rate(({ counters }) => counters.deleted),
      expired: rate(({ counters }) => counters.expired),
      evicted: rate(({ counters }) => counters.evicted),
    }
  }

  /** Of the reads since the picture before; undefined if there were none. */
  #hitRatio(): number | undefined {
    const { hits, misses } = this.#rates()
    return hits + misses === 0 ? undefined : hits / (hits + misses)
  }

  #threadLines(output: Output): string[] {
    const threads = this.map.threads()
    if (threads.length === 0) return ['  nobody has it open']
    return threads.map(({ pid, threadId, engine, state, holds, waits }) => {
      const holding = holds.length === 0 ? '' : `  holds ${holds.join(', ')}`
      const whose = waits?.thread === undefined ? '' : ` of ${waits.thread.pid}/${waits.thread.threadId}`
      const waiting =
        waits === undefined
          ? ''
          : output.red(`  waits for ${waits.for}${whose} for ${Math.round(Date.now() - waits.since)} ms`)
      return `  ${`${pid}/${threadId}`.padEnd(14)}${engine.padEnd(11)}${state}${holding}${waiting}`
    })
  }
}
