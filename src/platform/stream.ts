/** A stream that its writer ends, as other packages expect one. */
export { Writable } from 'node:stream'
