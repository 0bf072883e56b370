/**
 * What V8 asks for the steps of which reading a value consists: nanoseconds each, the best of some rounds.
 *
 *   node scripts/value-costs.js
 */
const ROUNDS = 9
const TURNS = 500_000

let last

function measure(name, step) {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.hrtime.bigint()
    for (let i = 0; i < TURNS; i++) last = step(i)
    best = Math.min(best, Number(process.hrtime.bigint() - began) / TURNS)
  }
  console.log(`${best.toFixed(1).padStart(8)}  ${name}`)
}

const bytes = Buffer.from('user number 123')
const page = Buffer.alloc(4096, 'a')
const text = 'new paying verified user number 123'
const units = Array.from('user number', (unit) => unit.charCodeAt(0))
const object = (i) => ({ id: i, n: 2, name: 'a', tags: null, ts: 1e12 })
const array = (i) => ['a', 'b', i]

measure('an object of five properties', object)
measure('the same, frozen', (i) => Object.freeze(object(i)))
measure('the same, not extensible', (i) => Object.preventExtensions(object(i)))
measure('an array of three elements', array)
measure('the same, frozen', (i) => Object.freeze(array(i)))
measure('a string of 11 units, built', (i) => {
  units[10] = 97 + (i & 15)
  return String.fromCharCode(...units)
})
measure('a string of 15 bytes, latin1Slice', () => bytes.latin1Slice(0, 15))
measure('a string of 4096 bytes, latin1Slice', () => page.latin1Slice(0, 4096))
measure('a substring of 11 units', (i) => text.substring(i & 7, (i & 7) + 11))
measure('a substring of 14 units, which keeps the whole', (i) => text.substring(i & 7, (i & 7) + 14))
if (last === undefined) throw new Error('nothing was made')
