/** The writer of V8's format, in which structured clone passes values between threads. */
import { Deserializer, Serializer } from 'node:v8'

export { serialize, Serializer } from 'node:v8'

/** Returns a value in V8's format, in which views that share bytes still share them. */
export function serializeWhole(value: unknown): Uint8Array {
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** Returns the value of which {@link serializeWhole} made `bytes`; throws an error of V8 if it made them of none. */
export function deserializeWhole(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes)
  if (!deserializer.readHeader()) throw new Error('no such version of the format')
  return deserializer.readValue()
}
