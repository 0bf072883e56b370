import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { CALLED, GATE, RUNNING, Team } from './team.js'

const WORKERS = 4
const timeout = 20_000

describe.each(lineups)('loads that several threads share ($name)', (lineup) => {
  let map: ConcurrentCache<Key, unknown>
  let team: Team
  beforeEach(async () => {
    map = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 16 * 2 ** 20 })
    team = new Team(map.handle, lineup, WORKERS)
    await team.assemble()
  })
  afterEach(async () => {
    await team.dismiss()
    expect(map.verify().problems).toEqual([])
    map.close()
  })
  const open = (): void => {
    Atomics.store(team.words, GATE, 1)
  }
  const tell = (what: string): void => {
    const { loads, loadFailures } = map.stats().counters
    console.info(`${lineup.name}, ${what}: ${team.words[CALLED]} loaders, ${loads} loads, ${loadFailures} failed`)
  }

  test('forced calls of all threads run one loader, and others read the old value meanwhile', async () => {
    map.set('key', 'old')
    const script = { ms: 0, value: 'new', waits: true }
    const first = team.members[0].load('key', script, { forceRefresh: true, timeout })
    await team.members[0].ping()
    const others = team.members.slice(1).map((each) => each.load('key', script, { forceRefresh: true, timeout }))
    for (const each of team.members) {
      expect(await each.ask({ does: 'get', key: 'key' })).toBe('old')
      expect(await each.load('key', { ms: 0, error: 'not run' })).toMatchObject({ value: 'old' })
    }
    open()
    for (const one of [first, ...others]) expect(await one).toMatchObject({ value: 'new' })
    expect(team.words[CALLED]).toBe(1)
    expect(map.get('key')).toBe('new')
    tell('forced')
  })

  test('a forced load whose thread dies is taken over by one', async () => {
    map.set('key', 'old')
    const options = { forceRefresh: true, timeout }
    void team.members[0].load('key', { ms: 0, hangs: true }, options)
    await team.members[0].ping()
    const others = team.members.slice(1).map((each) => each.load('key', { ms: 10, value: 'taken over' }, options))
    await sleep(50)
    await team.members[0].terminate()
    for (const one of others) expect(await one).toMatchObject({ value: 'taken over' })
    expect(team.words[CALLED]).toBe(2)
    expect(map.get('key')).toBe('taken over')
    tell('forced, killed')
  })

  test('keys that many threads ask for at once are loaded once each', async () => {
    const keys = Array.from({ length: 200 }, (_, i) => i)
    const asked = team.members.map((each, i) => each.loadMany(i % 2 === 0 ? keys : keys.toReversed(), { ms: 20 }))
    for (const [i, one] of asked.entries()) {
      expect(await one).toMatchObject({ value: i % 2 === 0 ? keys : keys.toReversed() })
    }
    const { loads, loadFailures } = map.stats().counters
    expect({ loads, loadFailures }).toEqual({ loads: 200, loadFailures: 0 })
    expect(team.words[CALLED]).toBeLessThanOrEqual(WORKERS)
    tell('200 keys in bulk')
  })

  test('a failure in bulk reaches all threads that wait, and is not kept', async () => {
    const keys = ['a', 'b', 'c']
    const failing = team.members[0].loadMany(keys, { ms: 0, error: 'down', waits: true }, { timeout })
    await team.members[0].ping()
    const others = team.members.slice(1).map((each) => each.loadMany(keys, { ms: 0 }, { timeout }))
    await Promise.all(team.members.map((each) => each.ping()))
    open()
    for (const one of [failing, ...others]) {
      expect(await one).toMatchObject({ error: { name: 'RangeError', message: 'down', code: 'E_SCRIPT' } })
    }
    expect(team.words[CALLED]).toBe(1)
    expect(await team.members[1].loadMany(keys, { ms: 0 })).toMatchObject({ value: keys })
    tell('bulk, failed')
  })

  test('what a thread loads in bulk when it dies is loaded by others, once each', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => i)
    void team.members[0].loadMany(keys, { ms: 0, hangs: true }, { timeout })
    await team.members[0].ping()
    const others = team.members.slice(1).map((each) => each.loadMany(keys, { ms: 10 }, { timeout }))
    await sleep(50)
    await team.members[0].terminate()
    for (const one of others) expect(await one).toMatchObject({ value: keys })
    expect(map.stats().counters.loads).toBe(60)
    expect(team.words[CALLED]).toBeLessThanOrEqual(31)
    // The loader of the thread that died never ended.
    expect(team.words[RUNNING]).toBe(1)
    tell('30 keys in bulk, killed')
  })

  test('a failure with staleIfError gives all threads the expired value', async () => {
    const options = { ttl: 1, staleIfError: 60_000, timeout }
    await team.members[0].load('key', { ms: 0, value: 'old' }, options)
    await expect.poll(() => map.has('key')).toBe(false)
    const failing = team.members[0].load('key', { ms: 0, error: 'down', waits: true }, options)
    await team.members[0].ping()
    const others = team.members.slice(1).map((each) => each.load('key', { ms: 0, error: 'down', waits: true }, options))
    await Promise.all(team.members.map((each) => each.ping()))
    open()
    for (const one of [failing, ...others]) expect(await one).toMatchObject({ value: 'old' })
    expect(map.stats().counters.staleOnError).toBe(WORKERS)
    tell('failed, stale')
  })
})
