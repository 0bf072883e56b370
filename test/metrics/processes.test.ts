import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { METRICS } from '../../src/observe/metrics/table.js'
import { until } from '../support/patience.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'
import { parse, type Samples } from './client.js'

const { path, execArgv } = processCode(new URL('scraped.program.ts', import.meta.url))
/** What only grows, in a scrape. */
const counters = METRICS.flatMap(({ kind, name }) =>
  kind === 'counter' ? [name] : kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [],
)

async function scrape(child: ChildProcess, message = 'scrape'): Promise<string> {
  const answer = once(child, 'message') as Promise<[string]>
  child.send(message)
  return (await answer)[0]
}

const totalsIn = (text: string): Samples =>
  new Map([...parse(text).samples].filter(([name]) => counters.includes(name.replace(/\{.*/, ''))))

test.each(lineups)(
  '$name: every process has the same totals, which never go down while processes are killed',
  async (lineup) => {
    using scratch = new Scratch()
    const file = scratch.file()
    const children: ChildProcess[] = []
    const start = async (): Promise<void> => {
      const child = fork(path, [file, lineup.engineOf(children.length)], { execArgv })
      children.push(child)
      await scrape(child)
    }
    try {
      for (let i = 0; i < 3; i++) await start()
      let last: Samples = new Map()
      for (let round = 0; round < 60; round++) {
        const totals = totalsIn(await scrape(children[round % children.length]))
        for (const [name, value] of last) expect(totals.get(name), name).toBeGreaterThanOrEqual(value)
        last = totals
        if (round % 20 !== 19) continue
        children.shift()!.kill('SIGKILL')
        await start()
      }
      expect(last.get('mapsafe_loads_total{cache="pages"}')).toBeGreaterThan(0)
      expect(last.get('mapsafe_load_seconds_count{cache="pages"}')).toBeGreaterThan(0)
      expect(last.get('mapsafe_takeovers_total{cache="pages"}')).toBeGreaterThan(0)
      expect(last.get('mapsafe_removed_total{cache="pages",cause="evicted"}')).toBeGreaterThan(0)

      for (const child of children) await scrape(child, 'rest')
      let texts: string[] = []
      const look = async (): Promise<void> => {
        texts = []
        for (const child of children) texts.push(await scrape(child))
      }
      // Threads share what they counted about every second.
      const areEqual = (): boolean => new Set(texts.map((text) => JSON.stringify([...totalsIn(text)]))).size === 1
      let looks = 0
      let looking = look()
      await until(
        'all have the same totals',
        () => {
          void looking.then(() => looks++)
          return texts.length === children.length && areEqual()
        },
        () => looks,
      )
      await looking
      looking = look()
      await looking
      expect(areEqual()).toBe(true)

      const promtool = spawnSync('promtool', ['check', 'metrics'], { input: texts[0], encoding: 'utf8' })
      if (promtool.error !== undefined) console.warn('skips the parser of Prometheus: install prometheus')
      else expect(promtool).toMatchObject({ status: 0, stdout: '', stderr: '' })
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  },
)
