import { Serializer } from '../../platform/serializer.js'

/** Forms in which a DOMException is written: without or with a cause. */
export const DOM_EXCEPTION = 0
export const DOM_EXCEPTION_WITH_CAUSE = 1

const Exception = globalThis.DOMException
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { isPrototypeOf } = Object.prototype
// eslint-disable-next-line @typescript-eslint/unbound-method -- as above
const nameOf = Object.getOwnPropertyDescriptor(Exception.prototype, 'name')!.get!
// eslint-disable-next-line @typescript-eslint/unbound-method -- as above
const messageOf = Object.getOwnPropertyDescriptor(Exception.prototype, 'message')!.get!

/**
 * A DOMException on its way into bytes. V8 writes one as a plain object in Node.js 20, and as an error without its name
 * later. So it is replaced by a native object, as a serializer is, which V8 leaves to its user to write.
 */
export class DomExceptionCopy extends Serializer {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  declare readonly cause?: unknown

  constructor(source: DOMException) {
    super()
    this.name = nameOf.call(source) as string
    this.message = messageOf.call(source) as string
    const { stack } = source as { stack?: unknown }
    this.stack = typeof stack === 'string' ? stack : undefined
  }
}

export function isDomException(object: object): object is DOMException {
  if (!isPrototypeOf.call(Exception.prototype, object)) return false
  try {
    nameOf.call(object)
    return true
  } catch {
    return false // only its prototype is a DOMException's
  }
}

export function makeDomException(name: string, message: string): DOMException {
  return new Exception(message, name)
}
