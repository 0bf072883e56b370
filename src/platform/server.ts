/** A server of HTTP, for entries that have a page of their own. */
export { createServer, type Server } from 'node:http'
