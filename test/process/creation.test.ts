import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import type * as tasks from './creation.tasks.js'

const module = new URL('creation.tasks.ts', import.meta.url)
const crew = new Crew<typeof tasks>(module, 6, 'processes')
const scratch = new Scratch()
afterAll(async () => {
  await crew.dismiss()
  scratch[Symbol.dispose]()
})

const [lineup] = lineups

/** A map for the crew to attach to, which these tasks do not use. */
function anyMap(on: Crew<typeof tasks>): ConcurrentMap<string, number> {
  return on.open(lineup, { maxBytes: 2 ** 20 })
}

test('of six processes that open a new file at once, all end up on the same one', async () => {
  using map = anyMap(crew)
  const paths = Array.from({ length: scaled(40) }, () => scratch.file())
  const counts = await crew.run({ lineup, handle: map.handle }, 'openTogether', paths)
  for (const [i, file] of paths.entries()) {
    expect(counts.map((row) => row[i]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
    using shared = new ConcurrentMap<string, number>({ file })
    expect(shared.get('openers')).toBe(6)
    expect(shared.stats().threads).toHaveLength(1)
  }
  expect(readdirSync(scratch.path)).toHaveLength(paths.length)
})

test('who finds another making the file waits for it, and makes it when the other dies half way', async () => {
  const maker = new Crew<typeof tasks>(module, 1, 'processes')
  using makersMap = anyMap(maker)
  using map = anyMap(crew)
  const path = scratch.file()
  await maker.run({ lineup, handle: makersMap.handle }, 'beginAndStop', path)

  const opening = crew.run({ lineup, handle: map.handle }, 'timeOpening', path)
  await sleep(200)
  expect(readdirSync(scratch.path)).not.toContain(path.split('/').at(-1))
  maker.kill()
  for (const milliseconds of await opening) expect(milliseconds).toBeGreaterThan(100)
  await maker.dismiss()
  expect(readdirSync(scratch.path).filter((name) => name.includes('new'))).toEqual([])
})

test('who waits for a minute gives up', async () => {
  const maker = new Crew<typeof tasks>(module, 1, 'processes')
  using makersMap = anyMap(maker)
  const path = scratch.file()
  await maker.run({ lineup, handle: makersMap.handle }, 'beginAndStop', path)
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 10_000))
  try {
    expect(() => new ConcurrentMap({ file: path })).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_TIMEOUT' }) as Error,
    )
  } finally {
    clock.mockRestore()
    await maker.dismiss()
  }
  using map = new ConcurrentMap({ file: path, maxBytes: 2 ** 20 })
  expect(map.size).toBe(0)
})
