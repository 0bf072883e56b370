import type { Read } from './plain/reads.js'
import { ValueWalk } from './walk.js'

/** A value on its way from one codec to the next. */
export class Original {
  value: unknown = undefined
  /** What a codec has read of the objects in it before it left the value to the next codec. */
  reads: ReadonlyMap<object, Read> | undefined
  private readonly walk = new ValueWalk()
  private copied: object | undefined

  /**
   * Returns a copy of {@link Original.value}, an object, as pure data: serializing it runs no user code. The copy is
   * made when the first codec needs it, so that each getter runs once. O(size of the value).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if a map cannot hold it; any error of a getter in it
   */
  copy(): object {
    return (this.copied ??= this.walk.copy(this.value as object, this.reads))
  }

  /** Forgets the value. */
  clear(): void {
    this.value = undefined
    this.reads = undefined
    this.copied = undefined
  }
}
