// A loader that awaits itself, through another key: told at once, with the keys, instead of after half a minute.
import type { MapsafeError } from 'mapsafe'
import { ConcurrentCache } from 'mapsafe'

const parts = new ConcurrentCache<string, string>({ maxBytes: 2 ** 20 })
const header = (): Promise<string> => parts.getOrLoad('header', async () => `header with ${await menu()}`)
const menu = (): Promise<string> => parts.getOrLoad('menu', async () => `menu under ${await header()}`)

const error = await header().catch((reason: unknown) => reason as MapsafeError)
console.log((error as MapsafeError).code) // ERR_MAPSAFE_REENTRANT
