import type { DeepReadonly } from './deep-readonly.js'
import type { Boxed, ClonedView, DomException, KeptProperty, Primitive, Unstorable } from './value-types.js'

/**
 * The type of a `T` that a map opened with `freeze: false` returns: a copy as structured clone makes it. As
 * {@link DeepReadonly}, but what `T` allows to change may be changed: no other reader sees it.
 */
export type Cloned<T> = 0 extends 1 & T
  ? T // any
  : T extends Primitive | Boxed | Date | RegExp | ArrayBuffer | DomException
    ? T
    : T extends Error
      ? Error
      : T extends ArrayBufferView
        ? ClonedView<T>
        : T extends Map<infer K, infer V>
          ? Map<Cloned<K>, Cloned<V>>
          : T extends ReadonlyMap<infer K, infer V>
            ? ReadonlyMap<Cloned<K>, Cloned<V>>
            : T extends Set<infer M>
              ? Set<Cloned<M>>
              : T extends ReadonlySet<infer M>
                ? ReadonlySet<Cloned<M>>
                : T extends Unstorable
                  ? never
                  : T extends readonly (infer E)[]
                    ? T extends unknown[]
                      ? E[] extends T
                        ? Cloned<E>[]
                        : { [P in keyof T]: Cloned<T[P]> } // a tuple
                      : E[] extends T
                        ? readonly Cloned<E>[]
                        : { [P in keyof T]: Cloned<T[P]> }
                    : T extends object
                      ? { [P in keyof T as KeptProperty<T, P>]: Cloned<T[P]> }
                      : T

/** The type of a value that a map returns, which the option `freeze` of its object decides. */
export type Returned<V, Freeze extends boolean> = Freeze extends false ? Cloned<V> : DeepReadonly<V>
