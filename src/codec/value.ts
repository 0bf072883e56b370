import { types } from 'node:util'
import type { Engine } from '../engine/engine.js'
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
} from '../region/layout.js'
import { bigintBytes, readBigint, writeBigint } from './bigint.js'
import { StructureReader } from './structure-reader.js'
import { StructureWriter } from './structure-writer.js'
import { corruptValue, notStorable } from './value-error.js'

/**
 * Turns a value into what {@link Engine.put} takes. The work is in two steps, because encoding an object may run getters, and a
 * getter may use the very map: {@link ValueEncoder.encode} touches no engine, {@link ValueEncoder.stage} runs no user code.
 */
export class ValueEncoder {
  /** Value kind of the region format. */
  kind = VALUE_UNDEFINED
  /** What `Engine.put` takes as its value: the string or number, or the length in bytes of what was encoded. */
  operand: unknown = undefined
  private readonly writer = new StructureWriter()
  private bytes: Uint8Array = this.writer.bytes

  /** Whether {@link ValueEncoder.encode} is under way, so that a value met meanwhile needs another encoder. */
  get busy(): boolean {
    return this.writer.busy
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
        this.bytes = encodeBigint(value)
        this.set(VALUE_BIGINT, this.bytes.length)
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
  stage(engine: Engine): void {
    if (this.kind < VALUE_BIGINT) return
    const length = this.operand as number
    if (length > engine.scratch.length) engine.growScratch(length)
    const bytes = this.bytes
    engine.scratch.set(bytes.length === length ? bytes : bytes.subarray(0, length))
  }

  /** What a reader of the encoded value will get. */
  decode(decoder: ValueDecoder, value: unknown): unknown {
    return this.kind < VALUE_BIGINT ? value : decoder.decode(this.kind, this.bytes, this.operand as number)
  }

  /** Lets go of the value, which may be large, until the next one comes. */
  release(): void {
    this.operand = undefined
    this.bytes = this.writer.bytes
  }

  private encodeObject(value: object): void {
    if (types.isUint8Array(value) && !types.isSharedArrayBuffer(value.buffer)) {
      this.bytes = value
      this.set(VALUE_BYTES, value.length)
    } else {
      this.writer.write(value)
      this.bytes = this.writer.bytes
      this.set(this.writer.hasReferences ? VALUE_CLONE : VALUE_PLAIN, this.writer.length)
    }
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
  private readonly reader: StructureReader

  /** @param freeze whether objects are deeply frozen */
  constructor(freeze: boolean) {
    this.reader = new StructureReader(freeze)
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
      case VALUE_CLONE: {
        const value = this.reader.read(bytes, length, kind === VALUE_CLONE)
        this.immutable = this.reader.immutable
        return value
      }
      case VALUE_BYTES:
        this.immutable = false
        return new Uint8Array(bytes.subarray(0, length))
      case VALUE_BIGINT:
        this.immutable = true
        return readBigint(new DataView(bytes.buffer, bytes.byteOffset, length), 0, length)
      default:
        throw corruptValue()
    }
  }
}

function encodeBigint(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(bigintBytes(value)))
  writeBigint(value, view, 0)
  return new Uint8Array(view.buffer)
}

const shared = new ValueEncoder()

/**
 * Encodes `value` with this thread's encoder, or, inside a getter of a value being encoded, with one of its own. The result is good
 * until the next call.
 */
export function encodeValue(value: unknown): ValueEncoder {
  const encoder = shared.busy ? new ValueEncoder() : shared
  encoder.encode(value)
  return encoder
}
