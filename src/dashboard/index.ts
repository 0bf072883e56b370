/** The entry `mapsafe/dashboard`: a page that shows what maps do, live. */
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import { checkMaps } from '../observe/metrics/maps.js'
import type { PageRequest } from './admission.js'
import type { PageResponse } from './audience.js'
import type { Watched, WatchedMaps } from './frame.js'
import { readSettings, type DashboardOptions } from './options.js'
import { OwnServer } from './own-server.js'
import { Page } from './page.js'

export type { PageRequest } from './admission.js'
export type { PageResponse } from './audience.js'
export type { DashboardOptions } from './options.js'
export type { Watched, WatchedFigures, WatchedKey, WatchedMaps } from './frame.js'

/** A page that shows maps. */
export interface Dashboard extends AsyncDisposable {
  /** What a browser has to know to see figures. */
  readonly token: string
  /**
   * Serves the page by a server of its own, at an address of this machine that no other machine reaches.
   *
   * @param port 0 for one that is free
   * @returns the address to open in a browser. The token is behind `#`, which browsers do not send: it gets into no log
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong port, one that is taken, or if it is served already; `ERR_MAPSAFE_CLOSED` after
   * {@link Dashboard.close}. All errors reject the call.
   */
  listen(port?: number): Promise<string>
  /**
   * Serves the page by a server of yours: for node:http, express and their like.
   *
   * @returns whether the request was for the page, by its path, and is answered; if not, `next` is called, if given
   */
  readonly handler: (request: PageRequest, response: PageResponse, next?: () => void) => boolean
  /** Ends the page's server, its connections and its timer. Calling it again does nothing. */
  close(): Promise<void>
}

/**
 * Makes a page that shows hit ratio, rates, memory, hot keys, threads and health of maps, as they change. Nothing is read from the maps
 * while no browser shows it. The page takes GET alone, changes nothing, and tells no value; keys only if asked to.
 *
 * @param maps maps by the names that the page shows
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for wrong arguments
 */
export function dashboard(maps: WatchedMaps, options: DashboardOptions = {}): Dashboard {
  const named = checkMaps(maps) as [string, Partial<Watched>][]
  for (const [name, map] of named) {
    if (typeof map.healthAsync === 'function') continue
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The map ${describe(name)} is ${describe(map)}; expected a ConcurrentMap or a ConcurrentCache.`,
    )
  }
  const settings = readSettings(options)
  const page = new Page(named as [string, Watched][], settings)
  const server = new OwnServer(page, settings)
  const close = async (): Promise<void> => {
    page.close()
    await server.close()
  }
  return {
    token: settings.token,
    listen: (port = 0) => server.listen(port),
    handler: (request, response, next) => {
      if (page.answer(request, response)) return true
      next?.()
      return false
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
