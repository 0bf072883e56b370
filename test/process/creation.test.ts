import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, expect, test } from 'vitest'
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

test('who stops or dies while making a file holds up nobody, and leaves nothing', async () => {
  const maker = new Crew<typeof tasks>(module, 1, 'processes')
  using makersMap = anyMap(maker)
  using map = anyMap(crew)
  const before = readdirSync(scratch.path)
  const path = scratch.file()
  await maker.run({ lineup, handle: makersMap.handle }, 'beginAndStop', path)
  expect(readdirSync(scratch.path)).toEqual(before)
  await crew.run({ lineup, handle: map.handle }, 'open', path)
  maker.kill()
  await maker.dismiss()
  expect(readdirSync(scratch.path).toSorted()).toEqual([...before, basename(path)].toSorted())
})

test('who holds a lock on the directory holds up nobody', async (context) => {
  const path = scratch.file()
  const holder = spawn('flock', [scratch.path, 'sh', '-c', 'echo held; exec sleep 600'])
  try {
    const started = await Promise.race([once(holder.stdout, 'data'), once(holder, 'error')])
    if (started[0] instanceof Error) return context.skip('there is no flock(1) here')
    using map = new ConcurrentMap({ file: path, maxBytes: 2 ** 20 })
    expect(map.size).toBe(0)
    expect(holder.exitCode).toBeNull()
  } finally {
    holder.kill()
  }
})
