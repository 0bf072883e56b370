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

/** Begins to make a file as the library does, and stops half way. Ends with its process. */
export function beginAndStop(_: Shift, path: string): void {
  const functions = fileFunctions()
  const descriptor = functions.openAnonymousFile(dirname(path))
  if (descriptor < 0 || functions.allocateFile(descriptor, 2 ** 20) !== 0) throw new Error('no anonymous files here')
}

/** Opens a file, and makes it if it is not there. */
export function open(_: Shift, file: string): void {
  new ConcurrentMap({ file, maxBytes: 2 ** 20 }).close()
}
