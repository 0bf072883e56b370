// Requests as a hostile page or program would make them: node:http sets no header by itself but Host and Connection.
import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request whose path is not made tidy, as `fetch` would; returns the answer when its head has come. */
export async function begin(
  url: string,
  path: string,
  { method = 'GET', headers = {} }: Question = {},
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(url)
  const asked = request({ host: hostname, port, path, method, headers, agent: false })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  return response
}

export async function ask(url: string, path: string, question: Question = {}): Promise<Answer> {
  const response = await begin(url, path, question)
  let body = ''
  for await (const text of response) body += text as string
  return { status: response.statusCode!, headers: response.headers, body }
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

/** What a frame tells of a map. */
export interface Told {
  readonly metrics: Readonly<Record<string, number & Readonly<Record<string, number>>>>
  readonly writes: number
  readonly threads: readonly { readonly pid: number; readonly threadId: number }[]
  readonly hotKeys: readonly { readonly key?: string; readonly share: number }[]
  readonly closed?: true
  readonly failure?: string
}

export interface Frame {
  readonly at: number
  readonly time: number
  readonly maps: Readonly<Record<string, Told>>
}

/** The events of a stream, in order. */
export async function* eventsOf(
  response: IncomingMessage,
): AsyncGenerator<[name: string, data: Frame & { keys?: boolean }]> {
  let rest = ''
  for await (const text of response) {
    const events = (rest + (text as string)).split('\n\n')
    rest = events.pop()!
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\nid: \d+\ndata: (.*)$/.exec(event)!
      yield [name, JSON.parse(data)]
    }
  }
}

/** Frames of a page, for as long as they are wanted. */
export async function* framesOf(url: string, path: string, token: string): AsyncGenerator<Frame> {
  for await (const [name, data] of eventsOf(await begin(url, path, { headers: bearer(token) }))) {
    if (name === 'figures') yield data
  }
}
