import { spawnSync } from 'node:child_process'

/**
 * Starts the program that follows in PID and mount namespaces of its own, as a container has, and ends it with the one
 * that started it.
 */
export const CONTAINER = 'setpriv --pdeathsig KILL unshare -p -f --kill-child --mount-proc'.split(' ')

/** Whether this user may do that here. */
export const mayContain = spawnSync(CONTAINER[0], [...CONTAINER.slice(1), 'true']).status === 0

if (!mayContain) console.info('setpriv(1) and unshare(1) are not permitted here: nothing is tested in containers')
