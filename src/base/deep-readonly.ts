/** Objects whose own methods may change them; `Object.freeze` does not reach what they hold. */
type Opaque = Date | RegExp | Error | ArrayBuffer | ArrayBufferView
type Primitive = string | number | bigint | boolean | symbol | null | undefined
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function at all, whatever its parameters
type AnyFunction = (...parameters: any[]) => unknown

/**
 * The type of a `T` that a map returns: every property is readonly at every depth. `Map` becomes `ReadonlyMap`, `Set`
 * becomes `ReadonlySet`, tuples stay tuples. Dates, typed arrays and other objects that cannot be frozen stay what they
 * are: each read returns a copy of its own, so changing one affects neither the copies of other readers nor the map.
 */
export type DeepReadonly<T> = 0 extends 1 & T
  ? T // any
  : T extends Primitive | AnyFunction | Opaque
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
      : T extends ReadonlySet<infer M>
        ? ReadonlySet<DeepReadonly<M>>
        : T extends object
          ? { readonly [P in keyof T]: DeepReadonly<T[P]> }
          : T
