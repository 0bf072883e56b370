import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import Keyv from 'keyv'
import * as vitest from 'vitest'
import { KeyvStore } from '../../src/adapters/keyv5.js'
import { ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'

const { afterAll, describe, expect, test } = vitest

/** So many tests has the suite that Keyv publishes for the stores of Keyv 5, with those of its iterator. */
const HOST_TESTS = 42

describe.each(lineups)('the suite of Keyv itself ($name)', (lineup) => {
  const cache = new ConcurrentCache<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
  const other = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
  let made = 0
  let begun = 0
  let passed = 0
  /** Stores take turns, so that what one engine stored the other finds. */
  const store = (): KeyvStore => new KeyvStore(made++ % 2 === 0 ? cache : other)
  const counting = {
    ...vitest,
    it: (name: string, run: (context: vitest.TestContext) => unknown) =>
      vitest.it(name, async (context) => {
        begun++
        await run(context)
        passed++
      }),
  } as unknown as typeof vitest

  keyvTestSuite(counting, Keyv, store)
  keyvIteratorTests(counting, Keyv, store)

  test('is complete', () => {
    expect({ begun, passed }).toEqual({ begun: HOST_TESTS, passed: HOST_TESTS })
    expect(cache.verify().problems).toEqual([])
  })
  afterAll(() => {
    console.log(`@keyv/test-suite over mapsafe/keyv5 (${lineup.name}): ${passed} of ${begun} passed`)
  })
})
