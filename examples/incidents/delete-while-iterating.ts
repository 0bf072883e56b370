// Deleting while iterating: a walk never throws, meets what stays exactly once, and nothing that is gone.
import { ConcurrentMap } from 'mapsafe'

const jobs = new ConcurrentMap<number, boolean>({ maxBytes: 2 ** 20 })
for (let id = 0; id < 1000; id++) jobs.set(id, id % 2 === 0)

const met = new Set<number>()
for (const [id, isDone] of jobs) {
  met.add(id)
  if (isDone) jobs.delete(id)
  else jobs.set(id + 10_000, false) // what is inserted meanwhile may be met or not
  if (met.size > 5000) break
}
let missed = 0
for (let id = 1; id < 1000; id += 2) if (!met.has(id)) missed++
console.log(jobs.has(2), jobs.has(3), missed) // false true 0
