/** Bytes that nobody can foretell. */
export { randomBytes } from 'node:crypto'
