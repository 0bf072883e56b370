// A service's session cache on several worker threads, twice: as one map that all workers share, and as a private lru-cache in each.
// Both serve the same requests. `npm run demo -- --help` lists the options.
import { clockOverhead } from './clock.js'
import { DemoError } from './demo-error.js'
import { openDisplay } from './display.js'
import { parseOptions, USAGE, type DemoOptions } from './options.js'
import { SAMPLE_INTERVAL, WRITE_PERCENT } from './requests.js'
import { run } from './run.js'
import { generateTrace, readTrace, type Trace } from './trace.js'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    console.log(USAGE)
    return
  }
  const trace = options.trace === undefined ? generateTrace(options.seed) : await readTrace(options.trace)
  console.log(introduction(options, trace))
  const display = openDisplay(process.stdout)
  const result = await run(options, trace, (report) => display.update(report))
  display.finish(result)
  if (result.shared.stale > 0) process.exitCode = 1
}

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
