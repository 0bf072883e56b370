import { createClient } from 'redis'
import type { ValueKind } from '../harness/data.js'
import type { Contender, ContenderKind } from './contender.js'

/** Commands on their way at once while the store is filled. */
const PIPELINE = 10_000

export const redis: ContenderKind = {
  label: 'Redis',
  shared: true,
  asynchronous: true,
  supports: (_, { redisPort }) => redisPort !== undefined,
  create: (_, { redisPort }) => redisPort,
  open: async (port, { value: kind }) => {
    const client = createClient({ socket: { host: '127.0.0.1', port: port as number } })
    await client.connect()
    const [encode, decode] = codecOf(kind)
    const get = async (key: string): Promise<unknown> => {
      const text = await client.get(key)
      return text === null ? undefined : decode(text)
    }
    return {
      get,
      set: (key, value) => client.set(key, encode(value)),
      fill: async (entries) => {
        await client.flushDb()
        let sent: Promise<unknown>[] = []
        for (const [key, value] of entries) {
          sent.push(client.set(key, encode(value)))
          if (sent.length === PIPELINE) {
            await Promise.all(sent)
            sent = []
          }
        }
        await Promise.all(sent)
      },
      close: () => client.destroy(),
    } satisfies Contender
  },
}

/** Redis stores strings. */
function codecOf(kind: ValueKind): [encode: (value: unknown) => string, decode: (text: string) => unknown] {
  switch (kind) {
    case 'number':
      return [String, Number]
    case 'object':
    case 'flat':
    case 'session':
    case 'row': // whose dates come back as texts: no case has rows in Redis
      return [JSON.stringify, JSON.parse]
    case 'string':
    case 'page':
      return [(value) => value as string, (text) => text]
  }
}
