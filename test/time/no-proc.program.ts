// A program of its own, started by no-proc.test.ts where there is no /proc: opens a cache, and tells what it finds.
import { writeSync } from 'node:fs'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'

const [file, engine] = process.argv.slice(2)
using cache = new ConcurrentCache<string, number>({ file, engine: engine as EngineChoice, maxBytes: 2 ** 20 })
cache.set('there', 1, { ttl: 3_600_000 })
writeSync(1, JSON.stringify([...cache.keys()].toSorted()))
