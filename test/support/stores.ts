const CHANGING = ['store', 'compareExchange', 'exchange', 'add', 'sub', 'and', 'or', 'xor'] as const
type Change = (array: object, ...parameters: unknown[]) => unknown

/**
 * Calls `before` ahead of every store that `run`, TypeScript code, makes to a region, plain or atomic, one word at a
 * time; `fill` counts as one store, since only memory that nobody else knows is filled. For code that makes its views
 * of the region meanwhile: these are proxies, which notice plain stores, and `Atomics` is replaced by functions that
 * know them.
 *
 * What is not noticed is written through a `Buffer`: strings and bytes of entries that are not published yet.
 */
export function watchStores<T>(region: SharedArrayBuffer | ArrayBuffer, before: () => void, run: () => T): T {
  const watch = new StoreWatch(region, before)
  try {
    return run()
  } finally {
    watch.end()
  }
}

class StoreWatch {
  readonly #targets = new WeakMap<object, object>()
  readonly #undo: (() => void)[] = []

  constructor(
    private readonly region: SharedArrayBuffer | ArrayBuffer,
    private readonly before: () => void,
  ) {
    this.#replaceViews('Int32Array')
    this.#replaceViews('BigUint64Array')
    for (const name of CHANGING) this.#replaceAtomic(name, () => this.before())
    this.#replaceAtomic('load', () => undefined)
  }

  end(): void {
    for (const undo of this.#undo) undo()
  }

  #replaceViews(name: 'Int32Array' | 'BigUint64Array'): void {
    const original = globalThis[name]
    const replacement = new Proxy(original, {
      construct: (target, parameters: unknown[]) => {
        const view = Reflect.construct(target as new () => object, parameters) as object
        return parameters[0] === this.region ? this.#watch(view as Int32Array) : view
      },
    })
    Object.defineProperty(globalThis, name, { value: replacement, configurable: true, writable: true })
    this.#undo.push(() =>
      Object.defineProperty(globalThis, name, { value: original, configurable: true, writable: true }),
    )
  }

  #watch(view: Int32Array): object {
    const { before } = this
    const fill = (...parameters: [number, number?, number?]): Int32Array => {
      before()
      return view.fill(...parameters)
    }
    const set = (from: ArrayLike<number>, offset = 0): void => {
      for (let i = 0; i < from.length; i++) {
        before()
        view[offset + i] = from[i]
      }
    }
    const watched = new Proxy(view, {
      get(target, name) {
        if (name === 'fill') return fill
        if (name === 'set') return set
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
      set(target, name, value) {
        before()
        return Reflect.set(target, name, value)
      },
    })
    this.#targets.set(watched, view)
    return watched
  }

  #replaceAtomic(name: (typeof CHANGING)[number] | 'load', before: () => void): void {
    const original = Atomics[name] as unknown as Change
    const replacement: Change = (array, ...parameters) => {
      const target = this.#targets.get(array)
      if (target === undefined) return original(array, ...parameters)
      before()
      return original(target, ...parameters)
    }
    Object.defineProperty(Atomics, name, { value: replacement, configurable: true, writable: true })
    this.#undo.push(() => Object.defineProperty(Atomics, name, { value: original, configurable: true, writable: true }))
  }
}
