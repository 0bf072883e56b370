// A program of its own, started by next.test.ts: a process that serves as Next.js does. It does what it is told.
import { cacheComponentsHandler } from '../../src/adapters/next.js'
import type { EngineChoice } from '../../src/index.js'
import { serve } from './next-driver.js'

export type Order =
  { readonly do: 'serve'; readonly data: string } | { readonly do: 'revalidate' | 'revalidate for ever' }

const [file, engine] = process.argv.slice(2)
const handler = cacheComponentsHandler({ file, engine: engine as EngineChoice, maxBytes: 2 ** 20, tagBytes: 2 ** 20 })

async function obey(order: Order): Promise<string> {
  if (order.do === 'serve') {
    const { data } = order
    return serve(handler, { key: 'page', tags: ['posts'], softTags: ['_N_T_/page'], render: () => data })
  }
  do {
    await handler.updateTags(['posts'])
    if (order.do === 'revalidate for ever') process.send!('again')
  } while (order.do === 'revalidate for ever')
  return 'revalidated'
}

process.on('message', (order: Order) => void obey(order).then((answer) => process.send!(answer)))
process.on('disconnect', () => process.exit())
process.send!('ready')
