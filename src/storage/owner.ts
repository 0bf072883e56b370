import type { Stats } from 'node:fs'
import { MapsafeError } from '../base/errors.js'

/** Bits of a mode that let users other than the owner write. */
const WRITABLE_BY_OTHERS = 0o022

/**
 * Refuses a file that a user other than this process's may write to. Such a user can change every value in a map's file
 * and hold up every process that has it open. Checks the open file, so that no other file can be put in its place in
 * between. Not on Windows, where no owners or modes of this kind exist: there the folder's access list decides.
 *
 * @throws MapsafeError `ERR_MAPSAFE_FILE`
 */
export function refuseStrangers({ uid, mode }: Stats, path: string): void {
  const self = process.geteuid?.()
  if (self === undefined) return
  // Root may write every file in any case.
  const reason =
    uid !== self && uid !== 0
      ? `it belongs to user ${uid}, and this process runs as user ${self}`
      : (mode & WRITABLE_BY_OTHERS) !== 0
        ? `its mode 0${(mode & 0o777).toString(8)} lets other users write to it`
        : undefined
  if (reason === undefined) return
  throw new MapsafeError(
    'ERR_MAPSAFE_FILE',
    `Refused to open ${path} as a map file: ${reason}. Whoever can write it can change every value. Choose a file in a directory ` +
      'that only this user can write to, or, if you trust the others, set the option trustFile to true.',
  )
}
