import { getSystemErrorName } from 'node:util'
import { MapsafeError } from '../base/errors.js'

/** Advice for the errors that users can do something about. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'This user may not; files of a map are made readable and writable for their owner only.',
  EDQUOT: 'The disk quota is used up. Choose a smaller maxBytes or another place: all of it is allocated at once.',
  EISDIR: 'It is a directory. Name a file in it.',
  EMFILE: 'This process has too many open files.',
  ENOENT: 'There is no such file or directory; missing directories are not created.',
  ENOMEM: 'The process has no room for one more mapping, or one of this size.',
  ENOSPC: 'The disk is full. Choose a smaller maxBytes or another place: all of it is allocated at once.',
  ENOTDIR: 'A part of the path is no directory.',
  EPERM: 'The file system refuses it, or has no hard links, which a map file needs while it is made.',
  EROFS: 'The file system is read-only. A map file is written to, if only to count who has it open.',
}

/**
 * Makes the error for an action on a map file that the system refused.
 *
 * @param verb the action, as in "cannot open"
 * @param error the error that `node:fs` threw, or the errno value that the addon returned
 */
export function systemError(verb: string, path: string, error: unknown): MapsafeError {
  const isNumber = typeof error === 'number'
  const why = (isNumber ? getSystemErrorName(-error) : (error as NodeJS.ErrnoException).code) ?? String(error)
  const advice = why in ADVICE ? ` ${ADVICE[why]}` : ''
  return new MapsafeError(
    'ERR_MAPSAFE_FILE',
    `Cannot ${verb} the map file ${path}: ${why}.${advice}`,
    isNumber ? undefined : { cause: error },
  )
}
