import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import * as tasks from './size.tasks.js'

const WORKERS = 4

const crew = new Crew<typeof tasks>(new URL('size.tasks.ts', import.meta.url), WORKERS)
afterAll(() => crew.dismiss())

describe.each(lineups)('size while others write ($name)', (lineup) => {
  test.each([
    { lasting: 0, keys: 1 },
    { lasting: 1000, keys: 200 },
  ])(
    'is never below zero, nor off by more than the writes under way: $lasting lasting keys, $keys of each worker',
    async ({ lasting, keys }) => {
      using map = new ConcurrentMap<number | string, number>({ engine: lineup.engineOf(0) })
      for (let key = 0; key < lasting; key++) map.set(key, key)
      const shared = new SharedArrayBuffer(tasks.SHARED_WORDS * 4)
      const words = new Int32Array(shared)
      const load = (index: number): number => Atomics.load(words, index)
      const run = crew.run({ lineup, handle: map.handle }, 'insertOrDelete', shared, keys)
      try {
        while (load(tasks.DELETIONS_DONE) === 0) await sleep(1)
        for (let i = 0; i < scaled(50_000); i++) {
          const [inserted, deleted] = [load(tasks.INSERTS_DONE), load(tasks.DELETIONS_DONE)]
          const { size } = map
          const [inserting, deleting] = [load(tasks.INSERTS_BEGUN), load(tasks.DELETIONS_BEGUN)]
          // At least what was done before but for every deletion begun by now; at most the reverse.
          if (size < Math.max(0, lasting + inserted - deleting) || size > lasting + inserting - deleted) {
            expect.fail(`size ${size}: inserts ${inserted} to ${inserting}, deletions ${deleted} to ${deleting}`)
          }
          if (i % 2500 === 0) await sleep(1)
        }
      } finally {
        Atomics.store(words, tasks.STOP, 1)
        await run
      }
      expect(map.size).toBe(lasting + load(tasks.INSERTS_DONE) - load(tasks.DELETIONS_DONE))
      expectSound(map)
    },
  )
})
