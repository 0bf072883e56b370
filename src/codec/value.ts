import { types } from 'node:util'
import {
  VALUE_BIGINT,
  VALUE_BYTES,
  VALUE_CLONE,
  VALUE_FALSE,
  VALUE_LATIN1,
  VALUE_NULL,
  VALUE_NUMBER,
  VALUE_PLAIN,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
} from '../format/layout.js'
import { isEncodedKind, isKnownKind, isValueLength, unknownKind } from '../format/kinds.js'
import { bigintBytes, readBigint, writeBigint } from './bigint.js'
import { CloneReader } from './clone/reader.js'
import { writeClone } from './clone/writer.js'
import { freezeClone } from './clone/freeze.js'
import { PlainReader } from './plain/reader.js'
import { PlainWriter } from './plain/writer.js'
import { corruptValue, notStorable } from './value-error.js'
import { ValueWalk } from './walk.js'

const NO_BYTES = new Uint8Array(0)
/** Up to this length, copying byte by byte takes less than making the view that a faster copy needs. */
const SMALL_BYTES = 256

/** Where encoded bytes are passed to an engine: its scratch buffer. */
export interface ScratchBuffer {
  readonly scratch: Uint8Array
  /** Makes {@link ScratchBuffer.scratch} at least `bytes` long. Its content is lost. */
  growScratch(bytes: number): void
}

/**
 * Turns a value into what `Engine.put` takes. The work is in two steps, because encoding an object may run
 * getters, and a getter may use the very map: {@link ValueEncoder.encode} touches no engine, {@link ValueEncoder.stage}
 * runs no user code.
 */
export class ValueEncoder {
  /** Value kind of the region format. */
  kind = VALUE_UNDEFINED
  /** What `Engine.put` takes as its value: the string or number, or the length in bytes of what was encoded. */
  operand: unknown = undefined
  private bytes: Uint8Array = NO_BYTES
  /** Where the encoded value begins in `bytes`. */
  private start = 0
  private readonly walk = new ValueWalk()
  private readonly plain = new PlainWriter()

  /** Whether {@link ValueEncoder.encode} is under way, so that a value met meanwhile needs another encoder. */
  get busy(): boolean {
    return this.walk.busy
  }

  /**
   * Encodes `value`. O(size of the value).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if a map cannot hold it; whatever a getter in it throws
   */
  encode(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.set(VALUE_LATIN1, value)
        break
      case 'number':
        this.set(VALUE_NUMBER, value)
        break
      case 'boolean':
        this.set(value ? VALUE_TRUE : VALUE_FALSE, undefined)
        break
      case 'undefined':
        this.set(VALUE_UNDEFINED, undefined)
        break
      case 'bigint':
        this.setBytes(VALUE_BIGINT, encodeBigint(value))
        break
      case 'object':
        if (value === null) this.set(VALUE_NULL, undefined)
        else this.encodeObject(value)
        break
      default:
        throw notStorable('value', typeof value === 'function' ? 'a function' : 'a symbol')
    }
  }

  /** Puts the bytes of the encoded value, if it has any, at the start of the engine's scratch buffer. */
  stage(engine: ScratchBuffer): void {
    if (!isEncodedKind(this.kind)) return
    const length = this.operand as number
    if (length > engine.scratch.length) engine.growScratch(length)
    if (length > SMALL_BYTES) engine.scratch.set(this.encoded(length))
    else copyBytes(this.bytes, this.start, length, engine.scratch)
  }

  /** Length in bytes of what {@link ValueEncoder.stage} and {@link ValueEncoder.copyTo} copy. */
  get byteLength(): number {
    return !isEncodedKind(this.kind) ? 0 : (this.operand as number)
  }

  /** Puts the bytes of the encoded value, if it has any, at `offset` of `target`, which has room for them. */
  copyTo(target: Uint8Array, offset: number): void {
    if (this.byteLength > 0) target.set(this.encoded(this.byteLength), offset)
  }

  /** What a reader of the encoded value will get. */
  decode(decoder: ValueDecoder, value: unknown): unknown {
    if (!isEncodedKind(this.kind)) return value
    const length = this.operand as number
    return decoder.decode(this.kind, this.encoded(length), length)
  }

  /** Lets go of the value, which may be large, until the next one comes. */
  release(): void {
    this.operand = undefined
    this.bytes = NO_BYTES
    this.plain.release()
  }

  private encoded(length: number): Uint8Array {
    const bytes = this.bytes
    return bytes.length === length ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset + this.start, length)
  }

  private encodeObject(value: object): void {
    if (types.isUint8Array(value) && !types.isSharedArrayBuffer(value.buffer)) {
      this.setBytes(VALUE_BYTES, value)
      return
    }
    const copy = this.walk.copy(value)
    if (this.walk.plain) {
      const plain = this.plain
      plain.write(copy)
      this.bytes = plain.bytes
      this.start = plain.start
      this.set(VALUE_PLAIN, plain.end - plain.start)
    } else {
      this.setBytes(VALUE_CLONE, writeClone(copy))
    }
  }

  private setBytes(kind: number, bytes: Uint8Array): void {
    this.bytes = bytes
    this.start = 0
    this.set(kind, bytes.length)
  }

  private set(kind: number, operand: unknown): void {
    this.kind = kind
    this.operand = operand
  }
}

/** Turns bytes that an engine left in its scratch buffer back into a value. */
export class ValueDecoder {
  /** Whether nothing can change the value decoded last, so that several readers may share it. */
  immutable = false
  private readonly plain: PlainReader
  private readonly clones = new CloneReader()

  /** @param freeze whether objects are deeply frozen */
  constructor(private readonly freeze: boolean) {
    this.plain = new PlainReader(freeze)
  }

  /**
   * Decodes the first `length` bytes. O(length).
   *
   * @param kind the value kind: bigint, bytes, plain or clone
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if the bytes are no encoding of a value
   */
  decode(kind: number, bytes: Uint8Array, length: number): unknown {
    switch (kind) {
      case VALUE_PLAIN:
        return this.decodePlain(bytes, length)
      case VALUE_CLONE:
        return this.decodeClone(bytes, length)
      case VALUE_BYTES:
        this.immutable = false
        return new Uint8Array(bytes.subarray(0, length))
      case VALUE_BIGINT:
        this.immutable = true
        return decodeBigint(bytes, length)
      default:
        throw corruptValue()
    }
  }

  /**
   * Decodes all of `bytes`, of any value kind: {@link ValueDecoder.decode} leaves strings and numbers to the engines.
   */
  decodeAny(kind: number, bytes: Buffer): unknown {
    if (!isKnownKind(kind)) throw unknownKind(kind)
    if (!isValueLength(kind, bytes.length)) throw corruptValue()
    switch (kind) {
      case VALUE_UNDEFINED:
        return undefined
      case VALUE_NULL:
        return null
      case VALUE_FALSE:
        return false
      case VALUE_TRUE:
        return true
      case VALUE_NUMBER:
        return bytes.readDoubleLE(0)
      case VALUE_LATIN1:
        return bytes.toString('latin1')
      case VALUE_UTF16:
        return bytes.toString('utf16le')
      default:
        return this.decode(kind, bytes, bytes.length)
    }
  }

  private decodePlain(bytes: Uint8Array, length: number): object {
    this.immutable = this.freeze
    return this.plain.read(bytes, length)
  }

  private decodeClone(bytes: Uint8Array, length: number): object {
    const value = this.clones.read(bytes, length)
    try {
      this.immutable = this.freeze && freezeClone(value)
    } catch (error) {
      // References may lead deeper than the objects are nested.
      throw corruptValue(error)
    }
    return value
  }
}

function copyBytes(from: Uint8Array, start: number, length: number, to: Uint8Array): void {
  for (let i = 0; i < length; i++) to[i] = from[start + i]
}

function encodeBigint(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(bigintBytes(value)))
  writeBigint(value, view, 0)
  return new Uint8Array(view.buffer)
}

function decodeBigint(bytes: Uint8Array, length: number): bigint {
  if (!isValueLength(VALUE_BIGINT, length)) throw corruptValue()
  return readBigint(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length)
}

const shared = new ValueEncoder()

/**
 * Encodes `value` with this thread's encoder, or, inside a getter of a value being encoded, with one of its own. The
 * result is good until the next call.
 */
export function encodeValue(value: unknown): ValueEncoder {
  const encoder = shared.busy ? new ValueEncoder() : shared
  encoder.encode(value)
  return encoder
}
