/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { markActiveSpan } from '../../src/observe/span.js'
import { fetched } from '../support/fetched.js'

/** What these tests use of @opentelemetry/api. */
interface Api {
  readonly ROOT_CONTEXT: object
  readonly context: {
    setGlobalContextManager(manager: object): boolean
    active(): object
    with<T>(context: object, run: () => T): T
    disable(): void
  }
  readonly trace: {
    setSpan(context: object, span: object): object
    getActiveSpan(): object | undefined
    wrapSpanContext(context: object): object
  }
}

const folder = fetched('@opentelemetry/api@1.9.0')
if (folder === undefined) console.warn('@opentelemetry/api cannot be fetched: its tests are left out')

function lose(): void {
  using map = new ConcurrentMap<string, number>({ lostUpdates: true })
  using other = ConcurrentMap.attach<string, number>(map.handle)
  map.get('k')
  other.set('k', 1)
  map.set('k', 2)
}

describe.skipIf(folder === undefined)('with the real @opentelemetry/api', () => {
  const api = folder === undefined ? ({} as Api) : (createRequire(join(folder, 'x.js'))('@opentelemetry/api') as Api)
  afterEach(() => {
    api.context.disable()
  })

  test('a lost update is an attribute of the span in which it happened, across await', async () => {
    const storage = new AsyncLocalStorage<object>()
    expect(
      api.context.setGlobalContextManager({
        active: () => storage.getStore() ?? api.ROOT_CONTEXT,
        with: (context: object, run: () => unknown) => storage.run(context, run),
        bind: (_context: object, target: unknown) => target,
        enable: () => undefined,
        disable: () => undefined,
      }),
    ).toBe(true)
    const attributes: [string, unknown][] = []
    const span = Object.assign(api.trace.wrapSpanContext({ traceId: '1', spanId: '2', traceFlags: 1 }), {
      setAttribute: (name: string, value: unknown) => attributes.push([name, value]),
    })
    lose()
    await api.context.with(api.trace.setSpan(api.context.active(), span), async () => {
      await Promise.resolve()
      expect(api.trace.getActiveSpan()).toBe(span)
      lose()
    })
    expect(attributes).toEqual([['mapsafe.lost_update', 'insert']])
  })

  test('without a context manager, or a span, nothing happens', () => {
    lose()
    expect(api.trace.getActiveSpan()).toBeUndefined()
  })
})

test('something else in the place of the API does no harm', () => {
  const place = Symbol.for('opentelemetry.js.api.1')
  const holder = globalThis as { [place]?: unknown }
  const before = holder[place]
  try {
    for (const api of [null, 1, {}, { context: 7 }, { context: { active: 7 } }, { context: { active: () => null } }]) {
      holder[place] = api
      expect(() => markActiveSpan('a', 'b')).not.toThrow()
    }
  } finally {
    holder[place] = before
  }
})
