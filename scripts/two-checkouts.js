/**
 * Measures operations in two checkouts that were built (`dist`), in turns: on a busy machine only what was measured
 * within the same minutes, and the best of many short rounds, can be compared.
 *
 *   node scripts/two-checkouts.js BEFORE AFTER ENGINE:VALUE:OPERATION[:KEYS] ...
 *
 * ENGINE is native or typescript, VALUE one of VALUES, OPERATION get, set or many (`getMany` of 64 keys); 4,096 keys by
 * default, drawn evenly. Prints nanoseconds an operation, or a key, before and after, and their ratio. No near-cache.
 */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const TURNS = 2
const ROUNDS = 400
const BATCH = 256
const MANY = 64
const DRAWS = 2 ** 18
const MARKS = 4096
const SINCE = 1_790_000_000_123

const text = (length, mark, generation) => {
  const bytes = Buffer.alloc(length, 97 + generation)
  bytes[0] = 48 + (mark >> 6)
  bytes[length - 1] = 48 + (mark & 63)
  return bytes.toString('latin1')
}

const VALUES = {
  string: (mark, generation) => text(100, mark, generation),
  page: (mark, generation) => text(4096, mark, generation),
  flat: (mark, generation) => ({
    ...{ id: mark, n: mark + generation / 4, name: `user number ${mark}` },
    ...{ tags: ['new', 'paying', 'verified'], ts: SINCE + mark * 61 + generation },
  }),
  session: (mark, generation) => ({
    id: mark,
    user: { id: mark, name: `user number ${mark}`, roles: ['reader', 'writer'] },
    preferences: { language: 'en', theme: generation % 2 === 0 ? 'dark' : 'light', pageSize: 50 },
    cart: [
      { item: 'book', quantity: 1 + generation },
      { item: 'lamp', quantity: 2 },
    ],
    seen: SINCE + mark * 61,
  }),
}

let last

async function measure(checkout, what) {
  const [engine, value, operation, keys = '4096'] = what.split(':')
  const size = Number(keys)
  const { ConcurrentMap } = await import(pathToFileURL(resolve(checkout, 'dist/index.js')).href)
  const room = (value === 'page' ? 4096 : 100) + 160
  const map = new ConcurrentMap({ engine, nearCache: false, maxBytes: 64 * 2 ** 20 + size * Math.ceil(1.25 * room) })
  const names = Array.from({ length: size }, (_, n) =>
    Buffer.from(`user:session${10_000_000 + n}`, 'latin1').toString('latin1'),
  )
  for (const [n, name] of names.entries()) map.set(name, VALUES[value](n % MARKS, 0))
  const pool = [1, 2].map((generation) => Array.from({ length: MARKS }, (_, mark) => VALUES[value](mark, generation)))
  let random = 12_345
  const draws = Uint32Array.from({ length: DRAWS }, () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return (random >>> 4) % size
  })
  const lists = Array.from({ length: operation === 'many' ? DRAWS / MANY : 0 }, (_, list) =>
    Array.from({ length: MANY }, (_, index) => names[draws[list * MANY + index]]),
  )
  let at = 0
  let generation = 0
  const run = {
    get: () => {
      for (let i = at; i < at + BATCH; i++) last = map.get(names[draws[i]])
    },
    set: () => {
      const values = pool[(generation ^= 1)]
      for (let i = at; i < at + BATCH; i++) map.set(names[draws[i]], values[draws[i] % MARKS])
    },
    many: () => {
      for (let i = at; i < at + BATCH; i += MANY) last = map.getMany(lists[i / MANY])
    },
  }[operation]
  const step = () => {
    run()
    at = (at + BATCH) % DRAWS
  }
  for (const end = performance.now() + 300; performance.now() < end;) step()
  let best = Infinity
  const batches = value === 'page' ? 1 : 4 // short enough to be left alone now and then
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.hrtime.bigint()
    for (let batch = 0; batch < batches; batch++) step()
    best = Math.min(best, Number(process.hrtime.bigint() - began) / (batches * BATCH))
  }
  map.close()
  if (operation !== 'set' && last === undefined) throw new Error('nothing was read')
  return best
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--one') {
  console.log(await measure(rest[0], rest[1]))
} else {
  const checkouts = [first, rest[0]]
  for (const what of rest.slice(1)) {
    const best = [Infinity, Infinity]
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [index, checkout] of checkouts.entries()) {
        const printed = execFileSync(process.execPath, [import.meta.filename, '--one', checkout, what])
        best[index] = Math.min(best[index], Number(printed))
      }
    }
    const [before, after] = best.map((nanoseconds) => nanoseconds.toFixed(0).padStart(8))
    console.log(`${what.padEnd(32)}${before}${after}${(best[1] / best[0]).toFixed(2).padStart(8)}x`)
  }
}
