// Groups of entries: by prefix.
import { ConcurrentMap, type KeyScanResult, type ScanResult } from 'mapsafe'

const map = new ConcurrentMap<string, { n: number }>()
export const step: ScanResult<string, { n: number }> = map.scan(undefined, { prefix: 'a' })
export const keys: KeyScanResult<string> = map.scan(undefined, { prefix: 'a', details: 'keys' })
export const deleted: number = map.deleteWhere({ prefix: 'a', key: (key: string) => key.endsWith('b') })
export const later: Promise<number> = map.deleteWhereAsync({ key: (key) => key.length > 3 })
