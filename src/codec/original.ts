import { ValueWalk } from './walk.js'

/** A value on its way from one codec to the next. */
export class Original {
  value: unknown = undefined
  private readonly walk = new ValueWalk()
  private copied: object | undefined

  /**
   * A copy of {@link Original.value}, an object, as pure data: whoever serializes it runs no user code. Made when the
   * first codec asks, so that each getter runs once. O(size of the value).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if a map cannot hold it; whatever a getter in it throws
   */
  copy(): object {
    return (this.copied ??= this.walk.copy(this.value as object))
  }

  /** Whether the copy is plain as `ValueWalk.plain` has it. */
  get isPlain(): boolean {
    return this.walk.plain
  }

  /** Forgets the value. */
  clear(): void {
    this.value = undefined
    this.copied = undefined
  }
}
