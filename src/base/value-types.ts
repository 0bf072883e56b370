// What the types of values have in common: which objects structured clone copies as such, which it cannot copy, and
// which properties it leaves behind.

/** Values that have no parts. */
export type Primitive = string | number | bigint | boolean | null | undefined
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function at all, whatever its parameters
export type AnyFunction = (...parameters: any[]) => unknown
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
type AnyClass = abstract new (...parameters: any[]) => unknown

/** The instance type of a global class, where the compiler's `lib` and `types` have that class. */
type InstanceOf<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : never

/** The one class of errors that structured clone keeps with its properties. */
export type DomException = InstanceOf<'DOMException'>
/** Objects of primitives, which keep their methods. */
// eslint-disable-next-line @typescript-eslint/no-wrapper-object-types -- these are meant
export type Boxed = Number | String | Boolean | BigInt

/** Structured clone copies the bytes of an array of numbers, and makes a `Uint8Array` of a `Buffer`. */
export type ClonedView<T extends ArrayBufferView> = T extends { filter(...parameters: never): infer Copy } ? Copy : T

/** What no map stores, though it has all methods of a `ReadonlyMap`: to be asked for before maps. */
export type MapLookalike =
  InstanceOf<'URLSearchParams'> | { readonly handle: { readonly kind: string }; setIfVersion: AnyFunction }

/**
 * What else no map stores. To be asked for after maps, sets and buffers: a `Map` has all methods of a `WeakMap`.
 *
 * An event emitter is recognized by its methods; so are streams, sockets and workers, which are emitters.
 */
export type Unstorable =
  | AnyFunction
  | AnyClass
  | symbol
  | PromiseLike<unknown>
  | WeakMap<never, unknown>
  | WeakSet<never>
  | WeakRef<WeakKey>
  | FinalizationRegistry<never>
  | Iterator<unknown, unknown, never>
  | AsyncIterator<unknown, unknown, never>
  | SharedArrayBuffer
  | { readonly buffer: SharedArrayBuffer; readonly byteOffset: number }
  | { addListener: AnyFunction; removeListener: AnyFunction; emit: AnyFunction }
  | InstanceOf<'Blob'>
  | InstanceOf<'URL'>
  | InstanceOf<'Headers'>
  | InstanceOf<'FormData'>
  | InstanceOf<'EventTarget'>
  | InstanceOf<'ReadableStream'>
  | InstanceOf<'WritableStream'>

/**
 * `P` if a copy of a `T` has this property, else never: methods stay with the class, and symbols are no names there.
 * The types of an accessor and of a field are the same, so accessors are kept.
 */
export type KeptProperty<T, P extends keyof T> = P extends symbol
  ? never
  : 0 extends 1 & T[P]
    ? P // any
    : [Exclude<T[P], undefined | null>] extends [never]
      ? P
      : Exclude<T[P], undefined | null> extends AnyFunction
        ? never
        : P
