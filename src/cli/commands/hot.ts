import type { Key } from '../../index.js'
import type { Inspection } from '../../inspect/index.js'
import { toJson } from '../../dump/index.js'
import { FINE, numberOption, SOURCE_OPTIONS, type Command } from '../command.js'
import { Greatest } from '../entries.js'
import { openToLook } from '../open.js'
import { showKey } from '../output.js'

/** Most keys that are watched, so that a look takes milliseconds; of larger maps, a part of the keys is. */
const MAX_WATCHED = 100_000
/** Most looks a second, and the part of the time that they may take. */
const PAUSE_MS = 25

export const hot: Command = {
  name: 'hot',
  operands: ['FILE'],
  summary: 'shows which keys are written most, by looking again and again',
  options: {
    seconds: { type: 'string', short: 's', value: 'SECONDS', help: 'how long to look. Default: 2' },
    limit: { type: 'string', short: 'n', value: 'COUNT', help: 'how many keys. Default: 20' },
    ...SOURCE_OPTIONS,
  },
  async run(given, output) {
    const seconds = numberOption(given, 'seconds', 1, 2)
    const limit = numberOption(given, 'limit', 1, 20)
    using seen = openToLook(given)
    const changes = new Changes()
    const end = performance.now() + seconds * 1000
    do {
      changes.look(seen)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    } while (performance.now() < end && seen.isLive)
    changes.look(seen)
    const found = changes.hottest(limit)
    if (output.isJson) {
      output.json({
        looks: changes.looks,
        keys: found.map(({ key, seen: times }) => ({ key: toJson(key), changed: times })),
      })
      return FINE
    }
    output.table(
      ['changed', 'key'],
      found.map(({ key, seen: times }) => [
        `${((100 * times) / Math.max(1, changes.looks - 1)).toFixed(0).padStart(4)} %`,
        showKey(key),
      ]),
    )
    output.line(`Of ${changes.looks} looks, so many met another version than the one before. Reads leave no trace.`)
    return FINE
  },
}

interface Watched {
  readonly key: Key
  version: number
  seen: number
}

/** Counts between how many looks at a map each key changed. */
export class Changes {
  looks = 0
  readonly #watched = new Map<unknown, Watched>()

  look(map: Inspection): void {
    this.looks++
    for (const { key, version } of map.entries({ onProblem: () => undefined })) {
      const name = typeof key === 'object' ? `bytes ${Buffer.from(key).toString('hex')}` : key
      const before = this.#watched.get(name)
      if (before === undefined) {
        if (this.#watched.size >= MAX_WATCHED) continue
        this.#watched.set(name, { key, version, seen: this.looks === 1 ? 0 : 1 })
      } else if (before.version !== version) {
        before.version = version
        before.seen++
      }
    }
  }

  hottest(count: number): readonly Watched[] {
    const greatest = new Greatest<Watched>(count)
    for (const each of this.#watched.values()) if (each.seen > 0) greatest.add(each.seen, each)
    return greatest.items
  }
}
