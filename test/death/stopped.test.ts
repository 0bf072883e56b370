import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { REGISTRY_THREADS } from '../../src/format/layout.js'
import { mayContain } from '../support/container.js'
import { Crew } from '../support/crew.js'
import { FairClock } from '../support/fair-clock.js'
import { lineups } from '../support/run.js'
import { until } from '../support/patience.js'
import { openMemory } from '../support/shared-memory.js'
import { expectSound } from '../support/sound.js'
import { HOLDER, LET_GO } from './stopped.tasks.js'
import type * as tasks from './stopped.tasks.js'

const kinds = ['processes', ...(mayContain ? (['containers'] as const) : [])] as const

let crew: Crew<typeof tasks>
afterEach(async () => {
  crew.kill()
  await crew.dismiss()
})

/** A process, a map in a file, and a task that the process is at until it is told or killed. */
async function start(
  lineup: (typeof lineups)[number],
  task: 'holdUntilTold' | 'takeRecords',
  kind: (typeof kinds)[number] = 'processes',
) {
  crew = new Crew<typeof tasks>(new URL('stopped.tasks.ts', import.meta.url), 1, kind)
  const map = crew.open<string, string>(lineup, { maxBytes: 2 ** 20 })
  const memory = crew.memory(8)
  const words = new Int32Array(openMemory(memory))
  const work = crew.run({ lineup, handle: map.handle }, task, memory, 'key').catch((error: unknown) => error)
  while (Atomics.load(words, HOLDER) === 0) await sleep(1)
  return { map, words, work }
}

describe.each(lineups)('$name', (lineup) => {
  test('a stopped process gives a timeout that names it, and nothing is lost when it goes on', async () => {
    const { map, words, work } = await start(lineup, 'holdUntilTold')
    const pid = words[HOLDER]
    process.kill(pid, 'SIGSTOP')
    await until('it is stopped', () => map.stats().threads.some(({ state }) => state === 'stopped'))
    const clock = new FairClock()
    expect(() => map.set('key', 'value')).toThrow(
      expect.objectContaining({
        code: 'ERR_MAPSAFE_TIMEOUT',
        message: expect.stringMatching(`Thread 0 of process ${pid} \\(stopped\\)`) as string,
      }) as Error,
    )
    expect(clock.now()).toBeLessThan(4000)
    expect(map.get('key')).toBeUndefined()
    const holder = map.stats().threads.find((thread) => thread.pid === pid)
    expect(holder).toMatchObject({ threadId: 0, state: 'stopped', holds: ['keys'] })
    expect(map.stats().threads.find((thread) => thread.pid === process.pid)).toMatchObject({
      state: 'running',
      holds: [],
    })

    process.kill(pid, 'SIGCONT')
    Atomics.store(words, LET_GO, 1)
    await work
    map.set('key', 'value')
    expect(map.get('key')).toBe('value')
    expectSound(map)
    map.close()
  })

  test.skipIf(!mayContain)(
    'who lives in another container gives a timeout that says so, and is not taken over',
    async () => {
      const { map, words, work } = await start(lineup, 'holdUntilTold', 'containers')
      for (let i = 0; i < 2; i++) {
        expect(() => map.set('key', 'value')).toThrow(
          expect.objectContaining({
            code: 'ERR_MAPSAFE_TIMEOUT',
            message: expect.stringMatching(`Thread 0 of process ${words[HOLDER]}.*another container`) as string,
          }) as Error,
        )
        ConcurrentMap.attach(map.handle).close() // asks who is dead
      }
      Atomics.store(words, LET_GO, 1)
      await work
      map.set('key', 'value')
      expectSound(map)
      map.close()
    },
  )

  test.each(kinds)(
    'what killed %s held is free after a moment, and stats say that they are dead until then',
    async (kind) => {
      const { map, words, work } = await start(lineup, 'holdUntilTold', kind)
      const pid = words[HOLDER]
      crew.kill()
      await work
      expect(map.stats().threads.find((thread) => thread.pid === pid)).toMatchObject({ state: 'dead', holds: ['keys'] })
      map.set('key', 'value')
      expect(map.stats().threads.map((thread) => thread.pid)).toEqual([process.pid])
      expect(map.repair()).toMatchObject({ deadThreads: 0, sizeCorrection: 0, hasLookedForLeaks: true })
      expectSound(map)
      map.close()
    },
  )

  test.each(kinds)('the records of killed %s are there for those who come', async (kind) => {
    const { map, words, work } = await start(lineup, 'takeRecords', kind)
    expect(words[HOLDER]).toBe(REGISTRY_THREADS - 2)
    expect(() => ConcurrentMap.attach(map.handle)).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_THREADS' }) as Error,
    )
    crew.kill()
    await work
    using other = ConcurrentMap.attach<string, string>(map.handle)
    other.set('key', 'value')
    expect(map.get('key')).toBe('value')
    expect(map.stats().threads).toHaveLength(2)
    map.close()
  })
})
