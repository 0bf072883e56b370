/** Stacks of calls. Catching one takes about a microsecond; its text is made only when an event is told. */

/** A stack as V8 catches it: the property makes the text when it is read for the first time. */
export interface CaughtStack {
  readonly stack?: unknown
}

/** Frames of the library itself between a call of the user and the place where its stack is caught. */
const OWN_FRAMES = 8
const FRAME = /^\s*at /
/** The folder of the library's own files: a stack that begins here begins in one of them. */
const own = ownFolder()

/** Catches the stack of the caller, as many frames of the user as `frames`. */
export function catchStack(frames: number): CaughtStack {
  const caught: CaughtStack = {}
  const limit = Error.stackTraceLimit
  // Where the language's own objects are frozen (--frozen-intrinsics), the limit is what it is.
  const isSet = Reflect.set(Error, 'stackTraceLimit', frames + OWN_FRAMES)
  Error.captureStackTrace(caught, catchStack)
  if (isSet) Error.stackTraceLimit = limit
  return caught
}

/** Returns the frames of a stack, a line each, from the user's call on; empty if V8 shows none. */
export function framesOf(caught: CaughtStack | undefined): string[] {
  const text = caught?.stack
  if (typeof text !== 'string') return []
  const lines = text.split('\n').filter((line) => FRAME.test(line))
  const first = own === undefined ? 0 : lines.findIndex((line) => !line.includes(own))
  // In a bundle, the user's files may be in the folder, too.
  return (first === -1 ? lines : lines.slice(first)).map((line) => line.trim())
}

function ownFolder(): string | undefined {
  const line = String(catchStack(1).stack)
    .split('\n')
    .find((text) => FRAME.test(text))
  return /(?:\(|at )([^(]*[\\/](?:src|dist)[\\/])/.exec(line ?? '')?.[1]
}
