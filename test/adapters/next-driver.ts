// What Next.js does with a handler of `cacheHandlers`, by its documented contract: for tests without Next.js.
import type { CacheComponentsEntry, CacheComponentsHandler } from '../../src/adapters/next.js'

/** A function marked `'use cache'`, with its tags and life. */
export interface Component {
  readonly key: string
  readonly tags?: readonly string[]
  readonly softTags?: readonly string[]
  /** Seconds. */
  readonly revalidate?: number
  /** Seconds. */
  readonly expire?: number
  render(): Promise<string> | string
}

export const now = (): number => performance.timeOrigin + performance.now()

export function streamOfText(...texts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })
}

export function entryOf(text: string, over: Partial<CacheComponentsEntry> = {}): CacheComponentsEntry {
  return {
    value: streamOfText(text),
    tags: [],
    stale: 300,
    timestamp: now(),
    expire: 3600,
    revalidate: 900,
    ...over,
  }
}

export async function textOf(entry: CacheComponentsEntry | undefined): Promise<string | undefined> {
  return entry && new Response(entry.value).text()
}

/** Renders as Next.js does in production: from the cache if it may, behind the visitor's back if the entry is overdue. */
export async function serve(handler: CacheComponentsHandler, component: Component): Promise<string> {
  const { key, tags = [], softTags = [], revalidate = 900, expire = 3600 } = component
  const generate = async (): Promise<string> => {
    const timestamp = now()
    const text = await component.render()
    const entry = entryOf(text, { tags: [...tags], timestamp, expire, revalidate })
    await handler.set(key, Promise.resolve(entry))
    return text
  }
  await handler.refreshTags()
  const expiration = await handler.getExpiration(softTags)
  const entry = await handler.get(key, expiration === Infinity ? [...softTags] : [])
  if (entry === undefined) return generate()
  if (expiration < Infinity && entry.timestamp <= expiration) return generate()
  if (now() > entry.timestamp + entry.expire * 1000) return generate()
  if (now() > entry.timestamp + entry.revalidate * 1000) void generate()
  return (await textOf(entry))!
}
