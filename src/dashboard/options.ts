import { checkInteger, flagOf, optionOf, readOptions, wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import { makeSecret } from '../platform/secret.js'

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /**
   * What a browser has to know to see figures: 16 to 256 letters, digits, `-` and `_`. Processes that serve the page at one address need
   * the same. Default: 43 random characters.
   */
  readonly token?: string | undefined
  /** Whether the page shows keys. Default: false; it then shows how often hot keys are used, without their names. */
  readonly keys?: boolean | undefined
  /** Milliseconds between two looks at the maps, while a browser shows the page: 100 to 60,000. Default: 1000. */
  readonly interval?: number | undefined
  /**
   * Where in a server of yours the page is, such as `/mapsafe`, if that server passes the whole path of requests. Default: `/`. Express cuts
   * off the path that it was given.
   */
  readonly path?: string | undefined
  /**
   * Names of hosts at which a browser may ask for the page, beside `localhost`, `127.0.0.1` and `[::1]`. Requests for other hosts are
   * refused: their names may have been made to lead here by somebody else. Default: none.
   */
  readonly hosts?: readonly string[] | undefined
  /** Whether the page's own server keeps the process from ending. Default: false. */
  readonly keepAlive?: boolean | undefined
}

/** Options as they are used. */
export interface Settings {
  readonly token: string
  readonly keys: boolean
  readonly interval: number
  /** Without a slash at its end. */
  readonly path: string
  readonly hosts: ReadonlySet<string>
  readonly keepAlive: boolean
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for wrong options */
export function readSettings(given: DashboardOptions): Settings {
  const options = readOptions<DashboardOptions>(given, ['token', 'keys', 'interval', 'path', 'hosts', 'keepAlive'])
  const interval = optionOf(options, 'interval') ?? 1000
  checkInteger('Option interval', interval, 100, 60_000)
  return {
    token: readToken(optionOf(options, 'token')),
    keys: flagOf(options, 'keys'),
    interval,
    path: readPath(optionOf(options, 'path')),
    hosts: new Set([...LOOPBACK, ...readHosts(optionOf(options, 'hosts'))]),
    keepAlive: flagOf(options, 'keepAlive'),
  }
}

function readToken(token: unknown): string {
  if (token === undefined) return makeSecret()
  if (typeof token === 'string' && /^[\w-]{16,256}$/.test(token)) return token
  // Not shown: errors are logged.
  const what = typeof token === 'string' ? `a string of ${token.length} characters` : describe(token)
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option token is ${what}; expected 16 to 256 letters, digits, "-" and "_" that nobody can guess.`,
  )
}

function readPath(path: unknown): string {
  if (path === undefined) return ''
  if (typeof path === 'string' && /^(\/[\w.~-]+)*\/?$/.test(path)) return path.replace(/\/$/, '')
  throw wrongInput('Option path', path, 'a path such as "/mapsafe"')
}

function readHosts(hosts: unknown): string[] {
  if (hosts === undefined) return []
  const names: unknown[] = Array.isArray(hosts) ? hosts : [undefined]
  if (names.every((name) => typeof name === 'string' && /^([\w.-]+|\[[\da-f:.]+\])$/i.test(name))) {
    return (names as string[]).map((name) => name.toLowerCase())
  }
  throw wrongInput('Option hosts', hosts, 'an array of names of hosts without ports, such as ["admin.example.com"]')
}
