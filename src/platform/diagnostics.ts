/** Channels of Node.js, by which one part of a program tells others of events. A name leads to one channel in a thread. */
export { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
