// Everything that can be stored.
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

class Point {
  constructor(
    public x: number,
    public y: number,
  ) {}
  length(): number {
    return Math.hypot(this.x, this.y)
  }
}
interface Everything {
  primitives: string | number | bigint | boolean | null | undefined
  literal: 'a' | 5
  date: Date
  pattern: RegExp
  error: TypeError
  bytes: Uint8Array
  buffer: Buffer
  floats: Float64Array
  view: DataView
  memory: ArrayBuffer
  list: readonly (string | undefined)[]
  pair: [number, ...string[]]
  byName: Map<string, Set<Point>>
  readonlyByName: ReadonlyMap<string, ReadonlySet<Point>>
  point: Point
  optional?: Point
  dictionary: Record<string, number | Point>
  anything: unknown
}

const everything = new ConcurrentMap<string, Everything>()
export const store = (value: Everything): unknown => everything.set('a', value)
const unknowns = new ConcurrentMap<string, unknown>()
unknowns.set('a', 1).set('b', { c: [] })
unknowns.setMany(everything)
const points = new ConcurrentCache<string, Point>()
points.set('a', new Point(1, 2)).set('b', { x: 1, y: 2 })
const optional = new ConcurrentMap<string, number | undefined>()
optional.set('a', undefined)
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any is the case
const anything = new ConcurrentMap<string, any>()
anything.set('a', new Map())
