// A program of its own, started by load-options.test.ts: calls what it is told on the cache in a file.
import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache } from '../../src/index.js'
import type { Called, Order, Script, Setup } from './load-options.js'

const { handle, attach } = JSON.parse(process.argv[2]) as Setup
const cache = ConcurrentCache.attach<string, string>(handle, attach)
/** Ends the loaders that wait. */
let open: () => void = () => undefined
const gate = new Promise<void>((resolve) => (open = resolve))

async function play(keys: readonly string[], { ms = 0, error, waits = false }: Script): Promise<void> {
  process.send!({ called: keys } satisfies Called)
  if (waits) await gate
  if (ms > 0) await sleep(ms)
  if (error !== undefined) throw new Error(error)
}

async function obey(order: Order): Promise<unknown> {
  switch (order.does) {
    case 'load': {
      const { key, script, options } = order
      return cache.getOrLoad(
        key,
        async () => {
          await play([key], script)
          return `${key} by ${process.pid}`
        },
        options,
      )
    }
    case 'many': {
      const { keys, script, options } = order
      return cache.getManyOrLoad(
        keys,
        async (missing) => {
          await play(missing, script)
          return missing.map((key) => [key, `${key} by ${process.pid}`] as const)
        },
        options,
      )
    }
    case 'get':
      return cache.get(order.key)
    case 'has':
      return cache.has(order.key)
    case 'version':
      return cache.peekEntry(order.key)?.version
    case 'open':
      open()
      return undefined
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (result) => process.send!({ id, result }),
    (error: unknown) => process.send!({ id, failure: (error as { code?: string }).code ?? String(error) }),
  )
})
process.on('disconnect', () => {
  cache.close()
})
process.send!({ id: 0, result: undefined })
