import { expectTypeOf } from 'expect-type'
import { test } from 'vitest'
import {
  ConcurrentMap,
  type ConcurrentCache,
  MapsafeError,
  type DeepReadonly,
  type Key,
  type MapEntry,
  type MapHandle,
  type MapsafeErrorCode,
  type MapsafeRangeError,
  type MapsafeTypeError,
  type VerifyReport,
} from '../../src/index.js'

interface Session {
  id: number
  roles: string[]
  seen: Map<string, Set<Date>>
  position: [number, number]
  bytes: Uint8Array
  note?: string
}

interface FrozenSession {
  readonly id: number
  readonly roles: readonly string[]
  readonly seen: ReadonlyMap<string, ReadonlySet<Date>>
  readonly position: readonly [number, number]
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly note?: string
}

type Sessions = ConcurrentMap<string, Session>

test('DeepReadonly makes every level readonly and leaves leaves alone', () => {
  expectTypeOf<DeepReadonly<Session>>().toEqualTypeOf<FrozenSession>()
  expectTypeOf<DeepReadonly<string | number[] | null>>().toEqualTypeOf<string | readonly number[] | null>()
  expectTypeOf<DeepReadonly<Date>>().toEqualTypeOf<Date>()
  expectTypeOf<DeepReadonly<() => number>>().toBeNever()
  expectTypeOf<DeepReadonly<Map<{ a: number[] }, { b: 1 }>>>().toEqualTypeOf<
    ReadonlyMap<{ readonly a: readonly number[] }, { readonly b: 1 }>
  >()
  expectTypeOf<DeepReadonly<[a: string, ...rest: { n: 1 }[]]>>().toEqualTypeOf<
    readonly [a: string, ...rest: { readonly n: 1 }[]]
  >()
  expectTypeOf<DeepReadonly<unknown>>().toEqualTypeOf<unknown>()
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any is the case
  expectTypeOf<DeepReadonly<any>>().toBeAny()
  expectTypeOf<DeepReadonly<never>>().toBeNever()
  expectTypeOf<DeepReadonly<DeepReadonly<Session>>>().toEqualTypeOf<FrozenSession>()
})

test('DeepReadonly takes recursive types', () => {
  interface Tree {
    value: number
    children: Tree[]
  }
  expectTypeOf<DeepReadonly<Tree>['children'][0]['children']>().toEqualTypeOf<readonly DeepReadonly<Tree>[]>()
})

test('reads return readonly values, perhaps undefined', () => {
  expectTypeOf<Sessions['get']>().toEqualTypeOf<(key: string) => FrozenSession | undefined>()
  expectTypeOf<Sessions['take']>().returns.toEqualTypeOf<FrozenSession | undefined>()
  expectTypeOf<Sessions['swap']>().returns.toEqualTypeOf<FrozenSession | undefined>()
  expectTypeOf<Sessions['getOrInsert']>().returns.toEqualTypeOf<FrozenSession>()
  expectTypeOf<Sessions['getEntry']>().returns.toEqualTypeOf<MapEntry<Session> | undefined>()
  expectTypeOf<MapEntry<Session>>().toEqualTypeOf<{
    readonly value: FrozenSession
    readonly version: number
    readonly expiresAt: number | undefined
  }>()
})

test('writes take the key and value types', () => {
  expectTypeOf<Sessions['set']>().parameters.toEqualTypeOf<[key: string, value: Session | FrozenSession]>()
  expectTypeOf<Sessions['setIfAbsent']>().returns.toEqualTypeOf<boolean>()
  expectTypeOf<Sessions['setIfVersion']>().parameters.toEqualTypeOf<
    [key: string, value: Session | FrozenSession, version: number]
  >()
  expectTypeOf<Sessions['deleteIfVersion']>().toEqualTypeOf<(key: string, version: number) => boolean>()
  expectTypeOf<Sessions['size']>().toEqualTypeOf<number>()
  expectTypeOf<Sessions['verify']>().returns.toEqualTypeOf<VerifyReport>()
})

test('an increment may come to nothing only if that was asked for', () => {
  const counts = null! as ConcurrentCache<string, number>
  const map = null! as ConcurrentMap<string, number>
  const check = (isConditional: boolean): void => {
    for (const each of [counts, map]) {
      expectTypeOf(each.increment('a')).toEqualTypeOf<number>()
      expectTypeOf(each.increment('a', -1, {})).toEqualTypeOf<number>()
      expectTypeOf(each.increment('a', -1, { ifPresent: false })).toEqualTypeOf<number>()
      expectTypeOf(each.increment('a', -1, { ifPresent: true })).toEqualTypeOf<number | undefined>()
      expectTypeOf(each.increment('a', -1, { ifPresent: isConditional })).toEqualTypeOf<number | undefined>()
      expectTypeOf(each.incrementEntry('a')).toEqualTypeOf<MapEntry<number>>()
      expectTypeOf(each.incrementEntry('a', 1, { ifPresent: true })).toEqualTypeOf<MapEntry<number> | undefined>()
    }
    expectTypeOf(counts.incrementEntry('a', 1, { ttl: 5, renew: true })).toEqualTypeOf<MapEntry<number>>()
    // @ts-expect-error -- nothing expires in a map
    map.increment('a', 1, { ttl: 5 })
    // @ts-expect-error -- there is no such option
    counts.increment('a', 1, { isPresent: true })
  }
  expectTypeOf(check).toBeFunction()
})

test('iteration yields keys and readonly values', () => {
  expectTypeOf<Sessions['keys']>().returns.toExtend<Iterable<string>>()
  expectTypeOf<Sessions['values']>().returns.toExtend<Iterable<FrozenSession>>()
  expectTypeOf<Sessions['entries']>().returns.toExtend<Iterable<[string, FrozenSession]>>()
  expectTypeOf<Sessions>().toExtend<Iterable<[string, FrozenSession]>>()
})

test('keys are of the five types only', () => {
  expectTypeOf<Key>().toEqualTypeOf<string | number | bigint | boolean | Uint8Array>()
  // @ts-expect-error -- an object is no key
  type WithObjects = ConcurrentMap<object, number>
  // @ts-expect-error -- a symbol is no key
  type WithSymbols = ConcurrentMap<symbol, number>
  expectTypeOf<WithObjects | WithSymbols>().not.toBeNever()
})

test('maps are made and attached with the types asked for', () => {
  expectTypeOf<ReturnType<typeof ConcurrentMap.attach<string, Session>>>().toEqualTypeOf<Sessions>()
  expectTypeOf<Parameters<typeof ConcurrentMap.attach<string, Session>>[0]>().toEqualTypeOf<MapHandle>()
  expectTypeOf(ConcurrentMap<string, Session>).toBeConstructibleWith({
    maxBytes: 2 ** 20,
    engine: 'auto',
    freeze: true,
  })
  expectTypeOf(ConcurrentMap<string, Session>).toBeConstructibleWith()
})

test('errors are told apart by class and code', () => {
  const error: unknown = undefined
  if (error instanceof MapsafeError) expectTypeOf(error.code).toEqualTypeOf<MapsafeErrorCode>()
  expectTypeOf<MapsafeTypeError>().toExtend<TypeError>()
  expectTypeOf<MapsafeRangeError>().toExtend<RangeError>()
  expectTypeOf<MapsafeTypeError['code']>().toEqualTypeOf<MapsafeErrorCode>()
})
