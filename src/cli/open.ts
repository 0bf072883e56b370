import { existsSync, statSync } from 'node:fs'
import { openInspection, type Inspection } from '../inspect/index.js'
import { ConcurrentCache, ConcurrentMap, type Key } from '../index.js'
import { CANNOT_OPEN, Failure, WrongCall, type Given } from './command.js'

/**
 * Opens the file of a command to be looked at: without a thread record, a lock or a write.
 *
 * @throws Failure if it is no map
 */
export function openToLook({ options, operands }: Given): Inspection {
  const { trust, copy } = options
  const now = timeOf(options.now)
  try {
    return openInspection(operands[0], { trustFile: trust === true, copy: copy === true, now })
  } catch (error) {
    throw cannotOpen(error, operands[0])
  }
}

/** Opens an existing file as a map, or cache, of this process: as any other that shares it. */
export function openToUse(given: Given): ConcurrentMap<Key, unknown, false> {
  const { options } = given
  const look = openToLook(given)
  const { kind } = look.settings
  const file = look.file!
  look.close()
  const shared = {
    freeze: false,
    nearCache: false,
    lostUpdates: false,
    guard: false,
    trustFile: options.trust === true,
  } as const
  try {
    return kind === 'cache'
      ? ConcurrentCache.attach<Key, unknown>({ kind: 'mapsafe.cache', file }, shared)
      : ConcurrentMap.attach<Key, unknown>({ kind: 'mapsafe.map', file }, shared)
  } catch (error) {
    throw cannotOpen(error, file)
  }
}

export function cannotOpen(error: unknown, path: string): Failure {
  const { message, code } = error as NodeJS.ErrnoException
  const isThere = existsSync(path)
  const hint =
    code !== 'ERR_MAPSAFE_FORMAT' || !isThere || !isCore(path)
      ? ''
      : ` It may be a core dump: try mapsafe extract ${path}.`
  return new Failure(message + hint, CANNOT_OPEN)
}

function isCore(path: string): boolean {
  return /(^|\/)core(\.|$)/.test(path) && statSync(path).isFile()
}

function timeOf(given: string | boolean | undefined): number | undefined {
  if (typeof given !== 'string') return undefined
  const time = /^\d+$/.test(given) ? Number(given) : Date.parse(given)
  if (Number.isFinite(time)) return time
  throw new WrongCall(
    `Option --now is ${JSON.stringify(given)}; expected a date, like 2026-11-29T12:00:00Z, or milliseconds since 1970.`,
  )
}
