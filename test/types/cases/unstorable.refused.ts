// A map of values that cannot be stored can be declared, but no write into it compiles.
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

new ConcurrentMap<string, () => void>().set('a', () => undefined) // refused
new ConcurrentMap<string, typeof Date>().set('a', Date) // refused
new ConcurrentMap<string, symbol>().set('a', Symbol('a')) // refused
new ConcurrentMap<string, Promise<number>>().set('a', Promise.resolve(1)) // refused
new ConcurrentMap<string, PromiseLike<number>>().setIfAbsent('a', Promise.resolve(1)) // refused
new ConcurrentMap<string, WeakMap<object, number>>().replace('a', new WeakMap()) // refused
new ConcurrentMap<string, WeakSet<object>>().swap('a', new WeakSet()) // refused
new ConcurrentMap<string, WeakRef<object>>().getOrInsert('a', new WeakRef({})) // refused
new ConcurrentMap<string, SharedArrayBuffer>().set('a', new SharedArrayBuffer(1)) // refused
new ConcurrentMap<string, Uint8Array<SharedArrayBuffer>>().set('a', new Uint8Array(new SharedArrayBuffer(1))) // refused
new ConcurrentMap<string, URL>().set('a', new URL('file:///')) // refused
new ConcurrentMap<string, URLSearchParams>().set('a', new URLSearchParams()) // refused
new ConcurrentMap<string, Headers>().set('a', new Headers()) // refused
new ConcurrentMap<string, Blob>().set('a', new Blob()) // refused
new ConcurrentMap<string, AbortSignal>().set('a', AbortSignal.abort()) // refused
new ConcurrentMap<string, EventEmitter>().set('a', new EventEmitter()) // refused
new ConcurrentMap<string, Readable>().set('a', Readable.from([])) // refused
new ConcurrentMap<string, Generator<number>>().set('a', (function* () {})()) // refused
new ConcurrentMap<string, MapIterator<number>>().set('a', new Map<number, 1>().keys()) // refused
new ConcurrentMap<string, (() => void)[]>().set('a', []) // refused
new ConcurrentMap<string, number | (() => void)>().set('a', 1) // refused
new ConcurrentMap<string, [number, symbol]>().set('a', [1, Symbol('a')]) // refused
new ConcurrentMap<string, Map<string, () => void>>().set('a', new Map()) // refused
new ConcurrentMap<string, Set<Promise<number>>>().set('a', new Set()) // refused
new ConcurrentMap<string, { deep: { promise: Promise<number> } }>().set('a', { deep: { promise: Promise.resolve(1) } }) // refused
new ConcurrentMap<string, { maybe?: WeakRef<object> }>().set('a', {}) // refused
new ConcurrentMap<string, symbol>().update('a', () => Symbol('a')) // refused
new ConcurrentMap<string, symbol>().getOrInsertComputed('a', () => Symbol('a')) // refused
new ConcurrentMap<string, symbol>().compareAndSwap('a', Symbol('a'), Symbol('a')) // refused
new ConcurrentMap<string, symbol>().setMany([['a', Symbol('a')]]) // refused
new ConcurrentMap<string, symbol>().setIfVersion('a', Symbol('a'), 0) // refused
new ConcurrentCache<string, symbol>().set('a', Symbol('a'), { ttl: 1 }) // refused
new ConcurrentCache<string, symbol>().setMany([['a', Symbol('a'), { ttl: 1 }]]) // refused
new ConcurrentCache<string, symbol>().getOrLoad('a', () => Symbol('a')) // refused
new ConcurrentCache<string, symbol>().getOrLoad('a', () => Promise.resolve(Symbol('a'))) // refused
new ConcurrentMap<string, ConcurrentMap<string, number>>().set('a', new ConcurrentMap()) // refused
new ConcurrentMap<object, number>() // refused
new ConcurrentMap<symbol, number>() // refused
