/** Whether two values are equal by content, prototypes included. */
export { isDeepStrictEqual } from 'node:util'
