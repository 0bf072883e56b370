import { expect, test } from 'vitest'
import { conclusion, progress, table, TABLE_WIDTH, type CacheResult, type Result } from '../../demo/report.js'

const side = (stale: number, memory: number): CacheResult => ({
  perWorker: [
    { requests: 1000, milliseconds: 10 },
    { requests: 500, milliseconds: 10 },
  ],
  reads: 1400,
  hits: 1050,
  stale,
  latencies: { p50: 100, p99: 2000, p999: 30_000 },
  memory,
})
const result: Result = {
  seconds: 1.25,
  shared: side(0, 2 ** 20),
  private: side(14, 2 ** 21),
  engines: ['native'],
  rss: 2 ** 27,
}

test('the table keeps its width and has each figure', () => {
  const lines = table(result).split('\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(TABLE_WIDTH)
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual(
    expect.arrayContaining([
      ['worker 2, requests/s', '50,000', '50,000'],
      ['all workers, requests/s', '150,000', '150,000'],
      ['hit ratio', '75.00 %', '75.00 %'],
      ['loads from the database', '350', '350'],
      ['latency, p99.9', '30.0 µs', '30.0 µs'],
      ['STALE READS', '0', '14 (1.00 %)'],
      ['memory for the cache', '1.0 MiB', '2.0 MiB'],
    ]),
  )
})

test('progress is one line', () => {
  expect(progress(result)).toMatch(/^ +1\.3 s .*mapsafe 150,000 requests\/s.*stale 0 .*stale 14$/)
})

test('the conclusion has two lines and follows the figures', () => {
  const [staleness, comparison, ...others] = conclusion(result).split('\n')
  expect(others).toEqual([])
  expect(staleness).toContain('stale data 14 times (1.00 %), mapsafe never')
  expect(comparison).toContain('memory 0.50x (1.0 MiB against 2.0 MiB), throughput 1.00x')
  expect(comparison).toContain('loads 1.00x (350 against 350)')
  expect(conclusion({ ...result, shared: side(3, 2 ** 20) })).toMatch(/^mapsafe returned stale data 3 times/)
})
