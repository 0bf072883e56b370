/**
 * Makes the functions that make objects of a shape. A generated function is about twice as fast as a loop, but code is
 * not generated everywhere: `node --disallow-code-generation-from-strings` forbids it, and so may a page's policy.
 */
import type { Maker, Shape } from './shape.js'

/** How many objects a loop makes before a function is generated, which takes as long as hundreds of loops. */
const LOOPS = 16

let mayGenerate = true

/** Returns a function that makes objects of `shape`. */
export function makerOf(shape: Shape, freeze: boolean): Maker {
  return (shape.maker = mayGenerate && shape.uses++ >= LOOPS ? generate(shape, freeze) : loop(shape, freeze))
}

/** Returns whether the maker of `shape` may be replaced by a better one. Counts the use. */
export function isOutgrown(shape: Shape): boolean {
  return shape.uses <= LOOPS && mayGenerate && ++shape.uses > LOOPS
}

function generate(shape: Shape, freeze: boolean): Maker {
  // Names are JSON strings and nothing else. A computed name is an own property also if it is __proto__.
  const properties = shape.names().map((name) => `[${JSON.stringify(name)}]: parts.value()`)
  const object = `{ ${properties.join(', ')} }`
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
    const make = new Function('freeze', `return (parts) => ${freeze ? `freeze(${object})` : `(${object})`}`)
    return (make as (freeze: unknown) => Maker)(Object.freeze)
  } catch {
    mayGenerate = false
    return loop(shape, freeze)
  }
}

function loop(shape: Shape, freeze: boolean): Maker {
  const names = shape.names()
  return (parts) => {
    const object: Record<string, unknown> = {}
    for (const name of names) define(object, name, parts.value())
    return freeze ? Object.freeze(object) : object
  }
}

/** Makes an own property of any name: assigning to `__proto__` would change the prototype. */
export function define(object: object, name: string, value: unknown): void {
  if (name !== '__proto__') (object as Record<string, unknown>)[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
