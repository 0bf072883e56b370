import { isEncodedKind, isKnownKind, isValueLength, unknownKind } from '../format/kinds.js'
import { VALUE_LATIN1, VALUE_NUMBER, VALUE_UNDEFINED } from '../format/layout.js'
import type { Codec, CodecContext, CodecRow, Encoded } from './codec.js'
import { Original } from './original.js'
import { CODECS, openCodecs, type OpenCodecs } from './registry.js'
import { makeRoom, type ScratchBuffer } from './scratch.js'
import { corruptValue, notStorable } from './value-error.js'

const NO_BYTES = new Uint8Array(0)
/** The greatest length for which copying byte by byte is faster than making the view that a faster copy needs. */
const SMALL_BYTES = 256

/**
 * Turns a value into the form that `Engine.put` takes. The work is in two steps, because encoding an object may run
 * getters, and a getter may use the same map: {@link ValueEncoder.encode} touches no engine, {@link ValueEncoder.stage}
 * runs no user code.
 */
export class ValueEncoder implements Encoded {
  /** Value kind of the region format. */
  kind = VALUE_UNDEFINED
  /** The value argument of `Engine.put`: the string or number, or the length of the encoded bytes. */
  operand: unknown = undefined
  /** Whether {@link ValueEncoder.encode} is under way, so that a value met meanwhile needs another encoder. */
  busy = false
  private bytes: Uint8Array = NO_BYTES
  /** Where the encoded value begins in `bytes`. */
  private start = 0
  /** The codec that encoded the value. */
  private codec: Codec | undefined
  private readonly original = new Original()

  constructor(private readonly codecs: OpenCodecs) {}

  /**
   * Encodes `value`. O(size of the value).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if a map cannot hold it; any error of a getter in it
   */
  encode(value: unknown): void {
    // Does what the first row of the registry would: most values are one of these two.
    if (typeof value === 'string') this.pass(VALUE_LATIN1, value)
    else if (typeof value === 'number') this.pass(VALUE_NUMBER, value)
    else this.offer(value)
  }

  /** Puts the bytes of the encoded value, if it has any, at the start of the engine's scratch buffer. */
  stage(engine: ScratchBuffer): void {
    if (!isEncodedKind(this.kind)) return
    const length = this.operand as number
    if (length > engine.scratch.length) makeRoom(engine, length)
    if (length > SMALL_BYTES) engine.scratch.set(this.encoded(length))
    else copyBytes(this.bytes, this.start, length, engine.scratch)
  }

  /** Number of bytes that {@link ValueEncoder.stage} and {@link ValueEncoder.copyTo} copy. */
  get byteLength(): number {
    return !isEncodedKind(this.kind) ? 0 : (this.operand as number)
  }

  /** Puts the bytes of the encoded value, if it has any, at `offset` of `target`, which has room for them. */
  copyTo(target: Uint8Array, offset: number): void {
    if (this.byteLength > 0) target.set(this.encoded(this.byteLength), offset)
  }

  /** Lets go of the value, which may be large, until the next one comes. */
  release(): void {
    this.operand = undefined
    this.bytes = NO_BYTES
    this.codec?.release?.()
    this.codec = undefined
  }

  /** Called by codecs. */
  pass(kind: number, value: unknown): void {
    this.kind = kind
    this.operand = value
  }

  /** Called by codecs. */
  passBytes(kind: number, bytes: Uint8Array, start: number, length: number): void {
    this.kind = kind
    this.operand = length
    this.bytes = bytes
    this.start = start
  }

  /** Returns exactly the `length` bytes of the encoded value. */
  encoded(length: number): Uint8Array {
    const bytes = this.bytes
    return bytes.length === length ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset + this.start, length)
  }

  private offer(value: unknown): void {
    const { original } = this
    const codecs = this.codecs.byType[typeof value]
    this.busy = true
    original.value = value
    try {
      for (const codec of codecs) {
        if (!codec.encode(original, this)) continue
        this.codec = codec
        return
      }
    } finally {
      this.busy = false
      original.clear()
    }
    throw notStorable('value', typeof value === 'function' ? 'a function' : 'a symbol')
  }
}

const NO_SHAPES = (): undefined => undefined

/** The codecs of one thread's way to a map. Every value passes through them on its way in and out. */
export class ValueCodecs {
  private readonly codecs: OpenCodecs
  private readonly encoder: ValueEncoder
  /** The codec that decoded the last value. */
  private last: Codec | undefined

  /**
   * @param freeze whether decoded objects are frozen, at every depth
   * @param shapes see {@link CodecContext.shapes}; left out for values that belong to no map
   * @param rows the registry; tests pass rows of their own
   */
  constructor(freeze: boolean, shapes: CodecContext['shapes'] = NO_SHAPES, rows: readonly CodecRow[] = CODECS) {
    this.codecs = openCodecs(rows, { freeze, shapes })
    this.encoder = new ValueEncoder(this.codecs)
  }

  /** Whether the value decoded last is immutable, so that several readers may share it. */
  get immutable(): boolean {
    return this.last?.immutable === true
  }

  /** The dates in the value decoded last, if nothing else in it can be changed: see {@link Codec.dates}. */
  get dates(): readonly Date[] | undefined {
    return this.last?.dates
  }

  /** Reads all that is needed to decode the values of a map at this moment: see {@link Codec.learn}. */
  learn(): void {
    for (const codec of new Set(this.codecs.byKind)) codec?.learn?.()
  }

  /**
   * Encodes `value`. The result is valid until the next call. A call from a getter of a value being encoded gets an
   * encoder of its own. O(size of the value).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if a map cannot hold it; any error of a getter in it
   */
  encode(value: unknown): ValueEncoder {
    const encoder = this.encoder.busy ? new ValueEncoder(this.codecs) : this.encoder
    encoder.encode(value)
    return encoder
  }

  /**
   * Decodes the first `length` bytes, which an engine left in its scratch buffer. O(length).
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if the bytes are not an encoding of a value, `ERR_MAPSAFE_FORMAT` for a
   * kind
   *   that this version does not know
   */
  decode(kind: number, bytes: Uint8Array, length: number): unknown {
    const codec = this.codecs.byKind[kind]
    if (codec === undefined) throw isKnownKind(kind) ? corruptValue() : unknownKind(kind)
    this.last = codec
    return codec.decode(kind, bytes, length)
  }

  /** Decodes as {@link ValueCodecs.decode} does, but all of `bytes`, whose length and kind are not checked yet. */
  decodeAny(kind: number, bytes: Uint8Array): unknown {
    if (!isKnownKind(kind)) throw unknownKind(kind)
    if (!isValueLength(kind, bytes.length)) throw corruptValue()
    return this.decode(kind, bytes, bytes.length)
  }

  /** Returns the value that a reader gets for `value`, which `encoder` has encoded. */
  decodeEncoded(encoder: ValueEncoder, value: unknown): unknown {
    if (!isEncodedKind(encoder.kind)) return value
    const length = encoder.byteLength
    return this.decode(encoder.kind, encoder.encoded(length), length)
  }
}

function copyBytes(from: Uint8Array, start: number, length: number, to: Uint8Array): void {
  for (let i = 0; i < length; i++) to[i] = from[start + i]
}
