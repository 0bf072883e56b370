/** Bytes with the methods that make strings of them, and the length of the longest string. */
export { Buffer, constants } from 'node:buffer'
