import { fstatSync, readSync } from 'node:fs'
import { MapsafeError } from '../base/errors.js'
import { headerProblem } from '../format/header.js'
import { PAGE_BYTES } from '../format/layout.js'
import { refuseStrangers } from './owner.js'

/**
 * Checks, before it is mapped, that an open file holds a region.
 *
 * @param trusts whether other users may be able to write the file (owner.ts)
 * @param instead completes "It was left as it is; "
 * @returns the length of the file in bytes
 * @throws MapsafeError `ERR_MAPSAFE_FILE` for what is no file or belongs to others, `ERR_MAPSAFE_FORMAT` if it holds no
 *   region of this version
 */
export function checkOpened(descriptor: number, path: string, trusts: boolean, instead: string): number {
  const stat = fstatSync(descriptor)
  if (!stat.isFile()) throw new MapsafeError('ERR_MAPSAFE_FILE', `Cannot open ${path} as a map file: it is no file.`)
  if (!trusts) refuseStrangers(stat, path)
  const header = new Int32Array(PAGE_BYTES / 4)
  const length = readSync(descriptor, header, 0, PAGE_BYTES, 0)
  const problem = length === 0 ? 'it is empty' : headerProblem(header, stat.size)
  if (problem === undefined) return stat.size
  throw new MapsafeError(
    'ERR_MAPSAFE_FORMAT',
    `The file ${path} holds no map that this version can use: ${problem}. It was left as it is; ${instead}.`,
  )
}
