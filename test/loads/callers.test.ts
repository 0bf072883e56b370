import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { Team } from './team.js'

const tenant = new AsyncLocalStorage<string>()

describe.each(lineups)('each caller ($name)', (lineup) => {
  let cache: ConcurrentCache<Key, unknown>
  beforeEach(() => {
    cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
  })
  afterEach(() => {
    cache.close()
  })

  test('has its loader run in its own context when the load before took too long', async () => {
    const seen: unknown[] = []
    const first = tenant.run('A', () =>
      cache.getOrLoad('key', () => new Promise(() => undefined), { timeout: 30 }).catch((error: unknown) => error),
    )
    const second = tenant.run('B', async () => {
      const value = await cache.getOrLoad(
        'key',
        async () => {
          seen.push(tenant.getStore())
          await sleep(1)
          seen.push(tenant.getStore())
          return 'of B'
        },
        { timeout: 10_000 },
      )
      seen.push(tenant.getStore())
      return value
    })
    expect(await first).toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    expect(await second).toBe('of B')
    expect(seen).toEqual(['B', 'B', 'B'])
  })

  test('has it run in its own context when the thread that loaded is gone', async () => {
    const team = new Team(cache.handle, lineup, 1)
    try {
      void team.members[0].load('key', { ms: 0, hangs: true })
      await team.members[0].ping()
      const seen: unknown[] = []
      const call = tenant.run('B', () => cache.getOrLoad('key', () => void seen.push(tenant.getStore())))
      const other = tenant.run('C', () => cache.getOrLoad('key', () => void seen.push(tenant.getStore())))
      await team.dismiss()
      await Promise.all([call, other])
      expect(seen).toEqual(['B'])
    } finally {
      await team.dismiss()
    }
  })

  test('has a value that expired loaded anew in its own context, and hears of an abort there', async () => {
    const options = { ttl: 1, staleWhileRevalidate: 60_000 }
    await tenant.run('A', () => cache.getOrLoad('key', () => 1, options))
    const seen: unknown[] = []
    const refresh = (): Promise<unknown> =>
      cache.getOrLoad(
        'key',
        (_, { signal }) => {
          seen.push(tenant.getStore())
          signal.addEventListener('abort', () => seen.push(`aborted in ${tenant.getStore()}`))
          return new Promise(() => undefined)
        },
        { ...options, timeout: 20 },
      )
    // Until it has expired there is nothing to load.
    while (seen.length === 0) {
      expect(await tenant.run('B', refresh)).toBe(1)
      await sleep(1)
    }
    while (seen.length < 2) await sleep(1)
    expect(seen).toEqual(['B', 'aborted in B'])
  })

  test('hears of an abort in its own context, whoever causes it', async () => {
    const seen: unknown[] = []
    const waiting = ['A', 'B'].map((name) =>
      tenant.run(name, () => {
        const controller = new AbortController()
        const call = cache.getOrLoad(
          name,
          (_, { signal }) => {
            signal.addEventListener('abort', () => seen.push(tenant.getStore()))
            return new Promise(() => undefined)
          },
          { signal: controller.signal },
        )
        return { controller, ended: call.catch(() => tenant.getStore()) }
      }),
    )
    tenant.run('C', () => {
      waiting[0].controller.abort()
      cache.close()
    })
    expect(seen).toEqual(['A', 'B'])
    expect(await Promise.all(waiting.map(({ ended }) => ended))).toEqual(['A', 'B'])
  })

  test('that asks for its signal late finds it aborted, for the same reason', async () => {
    const seen: unknown[] = []
    const controller = new AbortController()
    let ask: () => void = () => undefined
    const call = cache.getOrLoad(
      'key',
      (_, context) => {
        ask = () => seen.push(context.signal.aborted, context.signal.reason, context.signal === context.signal)
        return new Promise(() => undefined)
      },
      { signal: controller.signal },
    )
    controller.abort('enough')
    await expect(call).rejects.toBe('enough')
    ask()
    expect(seen).toEqual([true, 'enough', true])
  })

  test('may do with its key what it likes', async () => {
    const key = new Uint8Array([1, 2, 3])
    let release: (value: unknown) => void = () => undefined
    const loader = (given: Key): Promise<unknown> => {
      ;(given as Uint8Array).reverse()
      key.fill(9)
      return new Promise((resolve) => (release = resolve))
    }
    const first = cache.getOrLoad(key, loader)
    const second = cache.getOrLoad(new Uint8Array([1, 2, 3]), () => 'a second load')
    release('value')
    expect(await Promise.all([first, second])).toEqual(['value', 'value'])
    expect(cache.get(new Uint8Array([1, 2, 3]))).toBe('value')
    expect([...cache.keys()]).toEqual([new Uint8Array([1, 2, 3])])
  })
})
