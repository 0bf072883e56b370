import { expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { THREAD_KERNEL_ID } from '../../src/format/layout.js'
import { PROOF_NONE, proofOf } from '../../src/format/thread-name.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { lineups } from '../support/run.js'

test.each(lineups)('who cannot be asked about is not taken for dead ($name)', (lineup) => {
  using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0) })
  const names = new BigUint64Array(map.handle.region!)
  const at = (threadRecordAt(0) + THREAD_KERNEL_ID) / 2
  const name = names[at] & ~(3n << 22n)
  expect(proofOf(name)).toBe(PROOF_NONE)
  names[at] = name
  // Attaching asks who is dead.
  using other = ConcurrentMap.attach<string, number>(map.handle, { engine: lineup.engineOf(1) })
  expect(names[at]).toBe(name)
  other.set('key', 1)
  expect(map.get('key')).toBe(1)
})
