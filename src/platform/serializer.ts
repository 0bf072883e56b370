/** The writer of V8's format, in which structured clone passes values between threads. */
export { serialize, Serializer } from 'node:v8'
