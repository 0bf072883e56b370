/** How values of Next.js go into a cache and come out again: streams as bytes, and bytes as the Buffers that they were. */
import { isUint8Array, types } from '../platform/brands.js'
import { Buffer } from '../platform/buffer.js'

/** Reads a stream to its end. Rejects if it fails. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    chunks.push(value)
  }
}

/** Makes a stream of bytes, which become the reader's. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      // Plain bytes: a Buffer may lie in memory that others use, and streams are transferred.
      if (bytes.byteLength > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}

/** Makes a value of a cache one that its owner may change, with Buffers for bytes. */
export function opened(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) return value.map(opened)
  if (types.isMap(value)) return new Map(Array.from(value, ([key, each]) => [key, opened(each)]))
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, opened(each)]))
}
