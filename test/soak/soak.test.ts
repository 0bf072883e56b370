import { afterEach, expect, test } from 'vitest'
import { lineups, scaled, seed } from '../support/run.js'
import { Soak } from './soak.js'

let soak: Soak | undefined
afterEach(() => soak?.[Symbol.dispose]())

test.each(lineups)('no promise is broken while processes and threads end and stop ($name)', async (lineup) => {
  console.info(`MAPSAFE_SEED=${seed}`)
  const seconds = scaled(4)
  soak = new Soak({ lineup, seed, seconds, processes: 2, threads: 2, faultSeconds: 1, auditSeconds: 2 })
  await soak.run()
  expect(soak.violations, `MAPSAFE_SEED=${seed}; ${soak.events.join('; ')}`).toEqual([])
  expect(soak.ledger.operationsOf('get')).toBeGreaterThan(0)
  expect(soak.ledger.operationsOf('load')).toBeGreaterThan(0)
  expect(Math.max(...soak.faults.values())).toBeGreaterThan(0)
  expect(soak.audits).toBeGreaterThan(0)
})
