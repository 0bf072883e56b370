import { closeSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConcurrentMap } from '../../src/index.js'
import { fileFunctions } from '../../src/storage/mapping.js'
import type { Shift } from '../support/crew.js'

/** Opens each of `paths` at the same time as the others do, and counts itself in it; returns the sums. */
export function openTogether({ rendezvous }: Shift, paths: string[]): number[] {
  return paths.map((file) => {
    rendezvous()
    using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20 })
    return map.increment('openers')
  })
}

/** Begins to make a file as the library does, and stops half way, with the directory's lock. Ends with its process. */
export function beginAndStop(_: Shift, path: string): void {
  const directory = openSync(dirname(path), 'r')
  if (fileFunctions().lockFile(directory) !== 0) throw new Error('the directory is locked')
  const unfinished = openSync(`${path}.mapsafe-new`, 'wx+', 0o600)
  writeSync(unfinished, 'MSAF')
  closeSync(unfinished)
}

/** Opens a file and returns how long that took, in milliseconds. */
export function timeOpening(_: Shift, file: string): number {
  const start = performance.now()
  new ConcurrentMap({ file, maxBytes: 2 ** 20 }).close()
  return performance.now() - start
}
