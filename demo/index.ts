// A service's session cache on several worker threads, twice: as one map that all workers share, and as a private
// lru-cache in each. Both serve the same requests; in the second half sessions expire and the caches load them.
// `npm run demo -- --help` lists the options.
import { clockOverhead } from './clock.js'
import { DemoError } from './demo-error.js'
import { openDisplay } from './display.js'
import { LOAD_MILLISECONDS, TTL } from './loading-caches.js'
import { parseOptions, USAGE, type DemoOptions } from './options.js'
import { SAMPLE_INTERVAL, WRITE_PERCENT } from './requests.js'
import { KEEPING, LOADING, run } from './run.js'
import { generateTrace, readTrace, type Trace } from './trace.js'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    console.log(USAGE)
    return
  }
  const trace = options.trace === undefined ? generateTrace(options.seed) : await readTrace(options.trace)
  console.log(introduction(options, trace))
  let stale = 0
  for (const [number, half] of [KEEPING, LOADING].entries()) {
    console.log(HEADINGS[number])
    const display = openDisplay(process.stdout)
    const result = await run(half, options, trace, (report) => display.update(report))
    display.finish(result)
    stale += result.shared.stale
  }
  if (stale > 0) process.exitCode = 1
}

const HEADINGS = [
  `1. Sessions are kept for good; who misses one loads it in no time, so that the caches' own time shows.
`,
  `
2. Sessions expire after ${TTL / 1000} s, and the caches load what they miss from a database that takes ${LOAD_MILLISECONDS} ms:
   mapsafe's ConcurrentCache by getOrLoad, once for all workers, lru-cache by fetch, once in each.
`,
]

function introduction({ workers, seed }: DemoOptions, trace: Trace): string {
  return `A session cache for ${workers} worker thread${workers === 1 ? '' : 's'}
  trace      ${trace.description}
  requests   ${100 - WRITE_PERCENT} % read a session, ${WRITE_PERCENT} % change one; dealt to the workers at random, seed ${seed}
  mapsafe    one map that all workers share
  lru-cache  a private cache in each worker, big enough for all sessions
  Both get the same requests, in turns. A read is stale if the session was changed, and the change
  completely written, before the read began. Latency is sampled from every ${SAMPLE_INTERVAL}th request and
  includes ${clockOverhead()} ns for reading the clock.
`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof DemoError ? `demo: ${error.message}` : error)
  process.exitCode = 1
}
