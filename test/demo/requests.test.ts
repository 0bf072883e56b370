import { expect, test } from 'vitest'
import { isSampled, isWrite, keyOf, requestsFor, SAMPLE_INTERVAL, WRITE_PERCENT } from '../../demo/requests.js'
import type { Trace } from '../../demo/trace.js'

const trace: Trace = {
  description: 'three keys',
  keys: ['a', 'b', 'c'],
  accesses: Uint32Array.of(0, 1, 2, 1, 0),
}

test('every request goes to exactly one worker, round and round the trace', () => {
  const all = requestsFor(0, 1, trace, 5, 0, 100_000)
  expect([...all.subarray(0, 7)].map(keyOf)).toEqual([0, 1, 2, 1, 0, 0, 1])

  const shares = [0, 1, 2].map((worker) => requestsFor(worker, 3, trace, 5, 0, 100_000))
  for (const share of shares) expect(share.length / all.length).toBeCloseTo(1 / 3, 1)
  const sorted = (requests: Iterable<number>): number[] => [...requests].sort((a, b) => a - b)
  expect(sorted(shares.flatMap((share) => [...share]))).toEqual(sorted(all))
})

test('the requests of two turns are those of one long turn', () => {
  const turns = [...requestsFor(1, 2, trace, 9, 0, 600), ...requestsFor(1, 2, trace, 9, 600, 1000)]
  expect(turns).toEqual([...requestsFor(1, 2, trace, 9, 0, 1000)])
})

test('writes and samples come as often as they shall', () => {
  const requests = [...requestsFor(0, 1, trace, 11, 0, 200_000)]
  expect((requests.filter(isWrite).length / requests.length) * 100).toBeCloseTo(WRITE_PERCENT, 0)
  expect(requests.length / requests.filter(isSampled).length).toBeCloseTo(SAMPLE_INTERVAL, 0)
})
