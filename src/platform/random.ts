/** Unpredictable bytes. */
export { randomBytes } from 'node:crypto'
