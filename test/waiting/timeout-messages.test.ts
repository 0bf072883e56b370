import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConcurrentMap } from '../../src/index.js'
import { type ThreadState } from '../../src/index.js'
import { THREAD_NAMESPACE } from '../../src/format/layout.js'
import { pairsOf } from '../../src/format/region.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { ownNamespace } from '../../src/platform/thread.js'
import { Crew } from '../support/crew.js'
import { until } from '../support/patience.js'
import { lineups } from '../support/run.js'
import { openMemory } from '../support/shared-memory.js'
import { expectSound } from '../support/sound.js'
import { HOLDER, LET_GO } from './timeout-messages.tasks.js'
import type * as tasks from './timeout-messages.tasks.js'

let crew: Crew<typeof tasks>
beforeEach(() => {
  crew = new Crew<typeof tasks>(new URL('timeout-messages.tasks.ts', import.meta.url), 2, 'processes')
})
afterEach(async () => {
  crew.kill()
  await crew.dismiss()
})

/** One process that holds a key, and one that keeps all from taking over from the dead. */
async function start(lineup: (typeof lineups)[number], workers: number) {
  const map = crew.open<string, string>(lineup, { maxBytes: 2 ** 20 })
  const memories = [crew.memory(8), crew.memory(8)]
  const words = memories.map((memory) => new Int32Array(openMemory(memory)))
  const work = crew
    .run({ lineup, handle: map.handle, workers }, 'holdUntilTold', memories)
    .catch((error: unknown) => error)
  while (words.slice(0, workers).some((told) => Atomics.load(told, HOLDER) === 0)) await sleep(1)
  const letGo = (holder: number): void => void Atomics.store(words[holder], LET_GO, 1)
  return { map, work, pid: words[0][HOLDER], letGo }
}

function timeoutOf(map: ConcurrentMap<string, string>): string {
  try {
    map.set('key', 'value')
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    return (error as Error).message
  }
  throw new Error('it did not time out')
}

const stateOf = (map: ConcurrentMap<string, string>, pid: number): ThreadState | undefined =>
  map.stats().threads.find((thread) => thread.pid === pid)?.state

/** Makes the holder one of another place, as far as its record tells. */
function moveTo(map: ConcurrentMap<string, string>, pid: number, namespace: bigint): void {
  const { words } = storeOf(map).open()
  const index = map.stats().threads.findIndex((thread) => thread.pid === pid)
  pairsOf(words)[(threadRecordAt(index) + THREAD_NAMESPACE) / 2] = namespace
}

describe.each(lineups)('a call that times out says what to do, and that helps ($name)', (lineup) => {
  test.each<[ThreadState, (pid: number, map: ConcurrentMap<string, string>) => void, string, RegExp]>([
    ['running', () => undefined, 'running', /did not go on: .*update\(\), .* be ending. Try again; .* end its thread/],
    [
      'stopped',
      (pid) => process.kill(pid, 'SIGSTOP'),
      'stopped',
      /Let it go on \(kill -CONT (\d+)\) or end its process/,
    ],
    [
      'elsewhere',
      (pid, map) => {
        moveTo(map, pid, ownNamespace() + 1n)
      },
      'elsewhere',
      /in another container .*let that container go on or end it/,
    ],
    [
      'unknown',
      (pid, map) => {
        moveTo(map, pid, 0n)
      },
      'unknown',
      /cannot be told from here.*look for process (\d+)/,
    ],
  ])('if the holder is %s', async (state, bringAbout, name, advice) => {
    const { map, work, pid, letGo } = await start(lineup, 1)
    bringAbout(pid, map)
    await until(`it is ${state}`, () => stateOf(map, pid) === state)
    const message = timeoutOf(map)
    expect(message).toContain(`Thread 0 of process ${pid} (${name}) held what was needed for longer than the bound.`)
    expect(message).toMatch(advice)
    const named = advice.exec(message)?.[1]
    expect([undefined, `${pid}`]).toContain(named)
    expect(map.get('key')).toBeUndefined()
    // Every advice is to end it in the end, or to let it go on.
    if (state === 'stopped') {
      process.kill(pid, 'SIGCONT')
      letGo(0)
    } else crew.kill()
    await work
    map.set('key', 'value')
    expectSound(map)
    map.close()
  })

  test('if the holder is dead, and who would take over is stopped', async () => {
    const { map, work, pid, letGo } = await start(lineup, 2)
    process.kill(pid, 'SIGKILL')
    await until('it is dead', () => stateOf(map, pid) === 'dead')
    const message = timeoutOf(map)
    expect(message).toContain(`Thread 0 of process ${pid} (dead) held`)
    expect(message).toMatch(/about to take over from it. Try again; .*stats\(\).threads/)
    expect(map.get('key')).toBeUndefined()
    letGo(1)
    await work
    map.set('key', 'value')
    expectSound(map)
    map.close()
  })
})
