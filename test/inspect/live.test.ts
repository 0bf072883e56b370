import { copyFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Key } from '../../src/index.js'
import { openInspection, type InspectedEntry, type Inspection } from '../../src/inspect/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { KEYS, LASTING, STOP } from './live.tasks.js'
import type * as tasks from './live.tasks.js'

const WRITERS = 3
const crew = new Crew<typeof tasks>(new URL('live.tasks.ts', import.meta.url), WRITERS, 'processes')
afterAll(() => crew.dismiss())

/** What is wrong with an entry that was told; undefined if a writer stored it so. */
function faultOf({ key, kind, valueBytes, keyBytes, version, state, expiresAt }: InspectedEntry): string | undefined {
  const text = `${String(key)}: ${kind} of ${valueBytes} bytes, version ${version}`
  if (state !== 'live' || expiresAt !== undefined || version < 1) return text
  if (typeof key === 'number') {
    if (!Number.isInteger(key) || key < 0 || key >= KEYS || keyBytes !== 8) return text
    const isSized = kind === 'string' ? [key, key + 1000].includes(valueBytes) : kind === 'number' && valueBytes === 8
    return isSized ? undefined : text
  }
  if (typeof key !== 'string' || keyBytes !== key.length) return text
  if (key.startsWith('counter ')) return kind === 'counter' && valueBytes === 8 ? undefined : text
  if (key.startsWith('lasting '))
    return kind === 'string' && valueBytes === Number(key.slice(8)) % 50 ? undefined : text
  return /^passing [0-2] \d+$/.test(key) && kind === 'string' && valueBytes < 200 ? undefined : text
}

/** One walk over a map that others write to. */
function checkWalk(seen: Inspection, versions: Map<Key, number>, where: string): void {
  const met = new Set<Key>()
  for (const entry of seen.entries()) {
    const { key, version } = entry
    expect(faultOf(entry), where).toBeUndefined()
    expect(met.has(key), `${where}: ${String(key)} twice`).toBe(false)
    met.add(key)
    // Versions never come back, so a walk never tells an older state than one before it did.
    expect(version, `${where}: ${String(key)}`).toBeGreaterThanOrEqual(versions.get(key) ?? 1)
    versions.set(key, version)
  }
  for (let i = 0; i < LASTING; i++) expect(met.has(`lasting ${i}`), `${where}: lasting ${i}`).toBe(true)
}

describe.each(lineups)('a file that other processes write to ($name)', (lineup) => {
  test('what lasts is met once, nothing is torn, and every thread runs', async () => {
    using map = crew.open<Key, unknown>(lineup, { maxBytes: 16 * 2 ** 20, nearCache: false })
    const { file } = map.handle
    for (let i = 0; i < LASTING; i++) map.set(`lasting ${i}`, 'z'.repeat(i % 50))
    const state = { isOver: false }
    const run = crew.run({ lineup, handle: map.handle }, 'write').finally(() => (state.isOver = true))
    const versions = new Map<Key, number>()
    using seen = openInspection(file!)
    let walks = 0
    let busiest = 0
    try {
      while (!state.isOver && (walks < scaled(6) || busiest <= WRITERS)) {
        checkWalk(seen, versions, `walk ${walks}`)
        const threads = seen.threads()
        busiest = Math.max(busiest, threads.length)
        expect(threads.map(({ state }) => state)).not.toContain('dead')
        const { entries, segments, bytesTotal, memory } = seen.stats()
        const bytes: number[] = Object.values(memory)
        // Shares of the size are added up one after the other.
        expect(entries).toBeGreaterThan(LASTING / 2)
        expect(segments * 4608).toBeLessThan(bytesTotal)
        expect(bytes.reduce((sum, part) => sum + part, 0)).toBe(bytesTotal)
        // What a writer has just in hand is not lost.
        if (walks === 0) expect(seen.health().verdicts.at(-1)).toMatchObject({ name: 'lostMemory', value: 0 })
        // Reports about what is under way may tell faults, but end.
        expect(seen.verify().problems.length).toBeLessThanOrEqual(101)
        const copy = openInspection(file!, { copy: true })
        for (const entry of copy.entries({ onProblem: () => undefined })) expect(entry.key).toBeDefined()
        copy.close()
        walks++
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      map.set(STOP, 1)
      await run
    }
    map.delete(STOP)
    expect(busiest).toBe(WRITERS + 1)
    expect(seen.verify()).toEqual(map.verify())
    expect([...seen.keys()]).toEqual([...map.keys()])
    copyFileSync(file!, `${file}.copy`)
    using copy = openInspection(`${file}.copy`)
    expect([...copy.keys()]).toEqual([...map.keys()])
  })
})
