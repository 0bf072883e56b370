import { figuresRefusalOf, refusalOf, type PageRequest } from './admission.js'
import { Audience, type PageResponse } from './audience.js'
import { FILES, type PageFile } from './files.js'
import { frameOf, introduction, type Watched } from './frame.js'
import type { Settings } from './options.js'

/**
 * What every answer says to the browser. The page's own files are all that it may load, and nothing else may embed it; it tells no
 * other site where it is, and keeps no figures.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Answers the requests for a page, whoever's server they came to. */
export class Page {
  readonly #audience: Audience
  /** The judgements under way: who asks meanwhile gets the same. */
  readonly #judging = new Map<string, Promise<object>>()
  readonly #closing = new AbortController()

  constructor(
    private readonly maps: readonly (readonly [string, Watched])[],
    private readonly settings: Settings,
  ) {
    this.#audience = new Audience(settings.interval, () => frameOf(maps, settings.keys))
  }

  /** @returns false if the request is for another path, and not answered */
  answer(request: PageRequest, response: PageResponse): boolean {
    const [target, query] = splitAt(request.url ?? '/', '?')
    const { path } = this.settings
    if (target !== path && !target.startsWith(`${path}/`)) return false
    const refusal = this.#closing.signal.aborted
      ? { status: 503, reason: 'The page was closed.' }
      : refusalOf(request, this.settings)
    if (refusal !== undefined) return say(response, refusal.status, refusal.reason)
    const name = target.slice(path.length + 1)
    const [whole] = splitAt(request.originalUrl ?? target, '?')
    // The names of files in the page are relative to its folder.
    if (name === '' && !whole.endsWith('/')) return redirect(whole, response)
    const file = FILES.get(name)
    if (file !== undefined) return sendFile(file, response)
    if (name !== 'events' && name !== 'health') return say(response, 404, 'There is no such page.')
    const withheld = figuresRefusalOf(request, this.settings)
    if (withheld !== undefined) return say(response, withheld.status, withheld.reason)
    return name === 'events' ? this.#watch(response) : this.#tellHealth(query, response)
  }

  close(): void {
    this.#closing.abort()
    this.#audience.close()
  }

  #watch(response: PageResponse): boolean {
    if (this.#audience.isFull) return say(response, 503, 'Too many browsers watch already.')
    response.writeHead(200, {
      ...HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      // Keeps proxies from holding frames back.
      'x-accel-buffering': 'no',
    })
    this.#audience.add(response, introduction(this.settings.interval, this.settings.keys))
    return true
  }

  #tellHealth(query: string, response: PageResponse): boolean {
    const name = new URLSearchParams(query).get('map')
    const [, map] = this.maps.find(([each]) => each === name) ?? []
    if (name === null || map === undefined) return say(response, 404, 'There is no map of this name.')
    let judging = this.#judging.get(name)
    if (judging === undefined) {
      judging = this.#judge(map).finally(() => this.#judging.delete(name))
      this.#judging.set(name, judging)
    }
    judging.then(
      (report) => send(response, 200, 'application/json; charset=utf-8', JSON.stringify(report)),
      (error: unknown) => say(response, 500, String((error as { readonly message?: unknown } | null)?.message)),
    )
    return true
  }

  async #judge(map: Watched): Promise<object> {
    return { ...(await map.healthAsync({ signal: this.#closing.signal })), time: Date.now() }
  }
}

function sendFile(file: PageFile, response: PageResponse): true {
  let text: string
  try {
    text = file.text()
  } catch (error) {
    return say(response, 500, (error as Error).message)
  }
  return send(response, 200, file.type, text)
}

function send(response: PageResponse, status: number, type: string, text: string): true {
  response.writeHead(status, { ...HEADERS, 'content-type': type })
  response.end(text)
  return true
}

function say(response: PageResponse, status: number, reason: string): true {
  response.writeHead(status, {
    ...HEADERS,
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 405 && { allow: 'GET' }),
  })
  response.end(`${reason}\n`)
  return true
}

/** A relative address: what a request names cannot lead to another host. */
function redirect(path: string, response: PageResponse): true {
  response.writeHead(308, { ...HEADERS, location: `./${path.slice(path.lastIndexOf('/') + 1)}/` })
  response.end()
  return true
}

function splitAt(text: string, mark: string): [before: string, behind: string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
