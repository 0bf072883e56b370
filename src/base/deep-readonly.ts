import type { Boxed, ClonedView, DomException, KeptProperty, Primitive, Unstorable } from './value-types.js'

/**
 * The type of a `T` that a map returns: a copy as structured clone makes it, in which every property is readonly at
 * every depth. Methods of classes are gone, and so are properties named by symbols. `Map` becomes `ReadonlyMap`, `Set`
 * becomes `ReadonlySet`, `Buffer` becomes `Uint8Array`, tuples stay tuples. Dates, typed arrays and other objects that
 * cannot be frozen stay what they are: changing one affects neither later reads nor the map. What cannot be stored becomes `never`.
 */
export type DeepReadonly<T> = 0 extends 1 & T
  ? T // any
  : T extends Primitive | Boxed | Date | RegExp | ArrayBuffer | DomException
    ? T
    : T extends Error
      ? Error
      : T extends ArrayBufferView
        ? ClonedView<T>
        : T extends ReadonlyMap<infer K, infer V>
          ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
          : T extends ReadonlySet<infer M>
            ? ReadonlySet<DeepReadonly<M>>
            : T extends Unstorable
              ? never
              : T extends readonly (infer E)[]
                ? E[] extends T
                  ? readonly DeepReadonly<E>[] // not by the line below, which would never end for a type of JSON
                  : { readonly [P in keyof T]: DeepReadonly<T[P]> } // a tuple
                : T extends object
                  ? { readonly [P in keyof T as KeptProperty<T, P>]: DeepReadonly<T[P]> }
                  : T
