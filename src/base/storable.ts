import type { DeepReadonly } from './deep-readonly.js'
import type { Boxed, KeptProperty, MapLookalike, Primitive, Unstorable } from './value-types.js'

/** `T`, with never in the place of everything that cannot be stored. */
type StorablePart<T> = 0 extends 1 & T
  ? T // any
  : T extends Primitive | Boxed | Date | RegExp | Error | ArrayBuffer
    ? T
    : T extends MapLookalike
      ? never
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<StorablePart<K>, StorablePart<V>>
        : T extends ReadonlySet<infer M>
          ? ReadonlySet<StorablePart<M>>
          : T extends Unstorable
            ? never
            : T extends ArrayBufferView
              ? T
              : T extends readonly (infer E)[]
                ? E[] extends T
                  ? readonly StorablePart<E>[]
                  : { readonly [P in keyof T]: StorablePart<T[P]> }
                : T extends object
                  ? { readonly [P in keyof T as KeptProperty<T, P>]: StorablePart<T[P]> }
                  : T

/**
 * What a write asks for where the type of the map's values has something in it that cannot be stored, at any depth: a
 * function (but for methods, which a copy leaves behind), a symbol, a promise, a `WeakMap`, a `URL`, a stream and the
 * like. Nothing is a `CannotBeStored`. Store the data that the value is made of instead.
 */
export interface CannotBeStored {
  /** Says so in the message of the compiler. */
  readonly 'mapsafe: values of this type cannot be stored': never
}

// Any if a V cannot be stored. Code that is generic in V compiles: where V is still open, TypeScript takes a conditional
// type one of whose branches is any for the other branch, here never.
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
type Refusal<V> = 0 extends 1 & V ? never : [V] extends [StorablePart<V>] ? never : any
type IfStorable<V> = [Refusal<V>] extends [never] ? unknown : CannotBeStored

/** What a write takes into a map of values of type `V`: a `V`, or one as it was read. */
export type Storable<V> = (V | DeepReadonly<V>) & IfStorable<V>
