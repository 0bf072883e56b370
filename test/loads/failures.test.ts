import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { reviveFailure } from '../../src/loads/failure.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Random } from '../support/random.js'
import { Team, type Attempt } from './team.js'

const revoked = Proxy.revocable({}, {})
revoked.revoke()
const circular = new Error('a')
circular.cause = circular

/** What loaders may throw, and what others who wait get: an error's name and message, or what was thrown. */
const HOSTILE: readonly (readonly [string, () => unknown, unknown])[] = [
  [
    'a message that is an object with a method',
    () => Object.assign(new Error(), { message: { f: () => 1 } }),
    { name: 'Error', message: '' },
  ],
  [
    'a name that is a symbol',
    () => Object.assign(new Error('m'), { name: Symbol('s') }),
    { name: 'Symbol(s)', message: 'm' },
  ],
  [
    'a name whose getter throws',
    () =>
      Object.defineProperty(new Error('m'), 'name', {
        get() {
          throw new Error('no name')
        },
      }),
    { name: 'Error', message: 'm' },
  ],
  [
    'a message whose getter throws',
    () =>
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('no message')
        },
      }),
    { name: 'Error', message: '' },
  ],
  ['an error behind a Proxy', () => new Proxy(new TypeError('m'), {}), { name: 'TypeError', message: 'm' }],
  [
    'a Proxy whose traps throw',
    () =>
      new Proxy(new Error('m'), {
        getPrototypeOf() {
          throw new Error('trap')
        },
        get() {
          throw new Error('trap')
        },
      }),
    undefined,
  ],
  ['a Proxy that was revoked', () => revoked.proxy, undefined],
  [
    'an error of another realm',
    () => runInNewContext('new RangeError("m")') as unknown,
    { name: 'RangeError', message: 'm' },
  ],
  ['a name of Object.prototype', () => named('constructor'), { name: 'constructor', message: 'm' }],
  ['another one', () => named('toString'), { name: 'toString', message: 'm' }],
  ['the name __proto__', () => named('__proto__'), { name: '__proto__', message: 'm' }],
  ['a circle of causes', () => circular, { name: 'Error', message: 'a' }],
  [
    'an AggregateError',
    () => new AggregateError([new TypeError('1'), 2], 'm'),
    { name: 'AggregateError', message: 'm', errors: [{ name: 'TypeError', message: '1' }, 2] },
  ],
  ['a DOMException', () => new DOMException('m', 'AbortError'), { name: 'AbortError', message: 'm' }],
  ['a function', () => () => 1, undefined],
  ['a symbol', () => Symbol('s'), undefined],
  ['undefined', () => undefined, undefined],
  ['a string', () => 's', 's'],
  ['an object', () => ({ a: 1 }), { a: 1 }],
  [
    'a code that is a function',
    () => Object.assign(new Error('m'), { code: () => 1 }),
    { name: 'Error', message: 'm' },
  ],
]

function named(name: string): Error {
  return Object.assign(new Error('m'), { name })
}

/** In an array, since what settles a promise is asked for `then`. */
async function reasonOf(call: Promise<unknown>): Promise<[unknown]> {
  try {
    await call
  } catch (error) {
    return [error]
  }
  throw new Error('the call did not fail')
}

function shapeOf(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason
  const { name, message, errors } = reason as AggregateError
  return { name, message, ...(Array.isArray(errors) && { errors: errors.map(shapeOf) }) }
}

describe.each(lineups)('what a loader throws ($name)', (lineup) => {
  let cache: ConcurrentCache<Key, unknown>
  let other: ConcurrentCache<Key, unknown>
  beforeEach(() => {
    cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    other = ConcurrentCache.attach<Key, unknown>(cache.handle, { engine: lineup.engineOf(1) })
  })
  afterEach(() => {
    other.close()
    cache.close()
  })

  test.each(HOSTILE)('%s reaches its caller as it is, and the others as well as can be', async (_, make, expected) => {
    const thrown = make()
    const own = reasonOf(cache.getOrLoad('key', () => sleep(20).then(() => Promise.reject(thrown as Error))))
    const others = reasonOf(other.getOrLoad('key', () => 'a load of its own'))
    expect(Object.is((await own)[0], thrown)).toBe(true)
    const [reason] = await others
    expect(shapeOf(reason)).toEqual(expected)
    // Nobody waits for a lease that was left behind.
    expect(await other.getOrLoad('key', () => 'next')).toBe('next')
  })

  test('an endless message is cut', async () => {
    const own = reasonOf(cache.getOrLoad('key', () => sleep(20).then(() => Promise.reject(new Error('x'.repeat(5e6))))))
    const others = reasonOf(other.getOrLoad('key', () => 1))
    expect(((await own)[0] as Error).message).toHaveLength(5e6)
    const { message } = (await others)[0] as Error
    expect(message.length).toBeLessThan(20_000)
    expect(message.startsWith('xxx')).toBe(true)
  })

  test.each<[string, () => unknown]>([
    ['a function', () => () => 1],
    ['an object that holds one', () => ({ a: { b: () => 1 } })],
    [
      'a getter that throws',
      () => ({
        get a() {
          throw new RangeError('getter')
        },
      }),
    ],
  ])('a value that cannot be stored, %s, ends the load for all at once', async (_, make) => {
    const own = reasonOf(cache.getOrLoad('key', () => sleep(20).then(make)))
    const others = reasonOf(other.getOrLoad('key', () => 'a load of its own'))
    expect(shapeOf((await others)[0])).toEqual(shapeOf((await own)[0]))
    expect(await other.getOrLoad('key', () => 'next')).toBe('next')
  })

  test.each<[string, () => unknown]>([
    [
      'a thenable that calls back twice',
      () => ({
        then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
          resolve('first')
          reject(new Error('second'))
        },
      }),
    ],
    [
      'one that throws after it called back',
      () => ({
        then(resolve: (value: unknown) => void) {
          resolve('first')
          throw new Error('late')
        },
      }),
    ],
  ])('%s counts once', async (_, make) => {
    expect(await cache.getOrLoad('key', make)).toBe('first')
    expect(other.get('key')).toBe('first')
  })

  test('a getter of then that throws is a failure', async () => {
    const thrown = new Error('then')
    const loader = (): unknown =>
      Object.defineProperty({}, 'then', {
        get() {
          throw thrown
        },
      })
    expect((await reasonOf(cache.getOrLoad('key', loader)))[0]).toBe(thrown)
    expect(await cache.getOrLoad('key', () => 1)).toBe(1)
  })
})

test.each([
  undefined,
  null,
  1,
  {},
  { error: null },
  { error: { name: 1 } },
  { error: { name: 'a', message: 'b', errors: 1 } },
])('bytes that are no failure are damage: %j', (failure) => {
  expect(() => reviveFailure(failure)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error)
})

describe.each(lineups)('a failure that is over ($name)', (lineup) => {
  test('reaches, in a history of calls in all threads, none that began after another one had ended with it', async () => {
    const cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    const team = new Team(cache.handle, lineup, 4)
    try {
      const asked = team.members.map((member, i) =>
        member.ask<Attempt[]>({ does: 'fail', seed: seed + i, times: scaled(400), keys: 2 }),
      )
      const attempts = (await Promise.all(asked)).flat()
      const known = new Map<string | undefined, number>()
      for (const { failure, ended } of attempts) known.set(failure, Math.min(known.get(failure) ?? ended, ended))
      expect(known.has(undefined)).toBe(false)
      expect(known.size).toBeLessThan(attempts.length) // some waited for others
      expect(attempts.filter(({ failure, began }) => began > known.get(failure)!)).toEqual([])
    } finally {
      await team.dismiss()
      cache.close()
    }
  })

  test('is never told to a call that begins after it was known', async () => {
    const cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    const team = new Team(cache.handle, lineup, 2)
    const random = new Random(seed)
    try {
      for (let i = 0; i < 60; i++) {
        const [first, second] = random.chance(0.5) ? [0, 1] : [1, 0]
        const failed = await team.members[first].load(`key:${i}`, { ms: 0, error: 'old' })
        expect(failed.error?.message).toBe('old')
        const next = await team.members[second].load(`key:${i}`, { ms: 0, value: i })
        expect(next.error).toBeUndefined()
        expect(next.value).toBe(i)
      }
    } finally {
      await team.dismiss()
      cache.close()
    }
  })
})
