// Fills one map from empty, and times every single operation.
import { workerData } from 'node:worker_threads'
import { keyOf } from '../harness/data.js'
import { openHolder } from '../harness/holder.js'
import { answer } from '../harness/thread.js'
import type { Growth, GrowthSetup } from './growth.js'

const { holder: name, size, slices } = workerData as GrowthSetup
const VALUE_BYTES = 8
const CHECKED = 1000

answer((): Growth => {
  const holder = openHolder(name, size, VALUE_BYTES)
  const worst = new Float64Array(slices)
  const start = performance.now()
  for (let n = 0; n < size; n++) {
    const key = keyOf(n)
    const began = performance.now()
    holder.set(key, n)
    const spent = performance.now() - began
    const slice = Math.floor((n / size) * slices)
    if (spent > worst[slice]) worst[slice] = spent
  }
  const seconds = (performance.now() - start) / 1000
  for (let n = 0; n < size; n += Math.ceil(size / CHECKED)) {
    if (holder.get(keyOf(n)) !== n) throw new Error(`${name} lost ${keyOf(n)}`)
  }
  holder.close()
  return { seconds, worst: worst.map((milliseconds) => milliseconds * 1e6) }
})
