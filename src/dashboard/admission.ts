import { isSecret } from '../platform/secret.js'
import type { Settings } from './options.js'

/** A request of node:http or express, as far as it is needed. */
export interface PageRequest {
  /** Its method. */
  readonly method?: string | undefined
  /** Its path and query; under express without the path that the handler was given. */
  readonly url?: string | undefined
  /** Its whole path and query, where a framework has changed `url`. */
  readonly originalUrl?: string | undefined
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Why a request is not answered: a status of HTTP, and a sentence for who asked. */
export interface Refusal {
  readonly status: number
  readonly reason: string
}

/**
 * Returns why anybody's request is refused, also one for the page without figures. That the server is bound to loopback
 * does not keep pages of other sites out: the name of their host can be made to lead to this machine ("DNS rebinding"), so the
 * host that the browser thinks to ask is looked at, and the page that asks.
 */
export function refusalOf({ method, headers }: PageRequest, { hosts }: Settings): Refusal | undefined {
  if (method !== 'GET') return { status: 405, reason: 'Only GET is answered here.' }
  const host = headers.host
  if (typeof host !== 'string' || !hosts.has(nameIn(host))) {
    return { status: 403, reason: 'This host is none of those that the page is served for; see its option hosts.' }
  }
  const { origin } = headers
  if (origin !== undefined && !isOf(origin, host)) {
    return { status: 403, reason: 'Pages of another origin may not ask here.' }
  }
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, reason: 'Pages of another site may not ask here.' }
  }
  return undefined
}

/** Returns why a request for figures is refused. */
export function figuresRefusalOf({ headers }: PageRequest, { token }: Settings): Refusal | undefined {
  const given = /^Bearer ([\w-]+)$/.exec(typeof headers.authorization === 'string' ? headers.authorization : '')?.[1]
  if (given !== undefined && isSecret(given, token)) return undefined
  return { status: 401, reason: 'The token is missing or wrong. It is in the address that the program printed.' }
}

/** The name in a Host header, without the port. */
function nameIn(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}

function isOf(origin: string | string[], host: string): boolean {
  return typeof origin === 'string' && /^https?:\/\/(.*)$/i.exec(origin)?.[1].toLowerCase() === host.toLowerCase()
}
