import { isNativeError } from '../../platform/brands.js'
import { Serializer } from '../../platform/serializer.js'
import type { MapsafeTypeError } from '../../base/errors.js'
import { DOM_EXCEPTION, DOM_EXCEPTION_WITH_CAUSE, type DomExceptionCopy } from './dom-exception.js'
import { notStorable } from '../value-error.js'

/**
 * Writes a view as structured clone does: its buffer, and the view's place in it. (Node's own subclass writes the view
 * without its buffer.)
 */
class CloneSerializer extends Serializer {
  /** Makes the error for a value that V8 refuses. Node.js calls it. */
  _getDataCloneError(message: string): MapsafeTypeError {
    return notStorable('value', `refused by V8's serializer (${message})`)
  }

  /** Writes a native object. Node.js calls it; a copy contains no native objects but DOMExceptions. */
  _writeHostObject(object: unknown): void {
    const { name, message, stack, cause } = object as DomExceptionCopy
    const hasCause = Object.hasOwn(object as DomExceptionCopy, 'cause')
    this.writeUint32(hasCause ? DOM_EXCEPTION_WITH_CAUSE : DOM_EXCEPTION)
    for (const part of [name, message, stack]) this.writeValue(part)
    if (hasCause) this.writeValue(cause)
  }
}

/**
 * Serializes `value` in V8's format, in which structured clone passes values between threads. O(size of the value).
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if V8 refuses it, or on a runtime without its serializer (Bun)
 */
export function writeClone(value: object): Uint8Array {
  const serializer = open()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

function open(): CloneSerializer {
  try {
    return new CloneSerializer()
  } catch (error) {
    const reason = isNativeError(error) ? error.message : String(error)
    throw notStorable(
      'value',
      `or contains something that only V8's serializer writes, and this runtime has none (${reason})`,
      'store it from Node.js: typed arrays other than bytes, errors, regular expressions, arrays with holes, and objects ' +
        'that are in one value twice need it, while objects, arrays, Maps, Sets, Dates and bytes do not',
    )
  }
}
