/** Stacks of calls. Catching one takes some microseconds; its text is made only when an event is told. */

/** A stack as V8 catches it: the property makes the text when it is read for the first time. */
export interface CaughtStack {
  readonly stack?: unknown
}

/** The most frames of the library itself between a read and the place where its stack is caught; and of any call. */
const OWN_OF_READ = 8
const OWN = 32
/** The most frames of the user that are shown. */
const SHOWN = 8
const FRAME = /^\s*at /
/** The folder of the library's own files: a stack that begins here begins in one of them. */
const own = ownFolder()

/** Catches the stack of a read: with as few frames as will do, since every read pays for it. */
export function catchStackOfRead(): CaughtStack {
  return catchFrames(SHOWN + OWN_OF_READ)
}

/** Catches the stack of any call. */
export function catchStack(): CaughtStack {
  return catchFrames(SHOWN + OWN)
}

function catchFrames(frames: number): CaughtStack {
  const caught: CaughtStack = {}
  const limit = Error.stackTraceLimit
  // Where the language's own objects are frozen (--frozen-intrinsics), the limit is what it is.
  const isSet = Reflect.set(Error, 'stackTraceLimit', frames)
  Error.captureStackTrace(caught, catchFrames)
  if (isSet) Error.stackTraceLimit = limit
  return caught
}

/** Returns the frames of a stack, a line each, from the user's call on; empty if V8 shows none. */
export function framesOf(caught: CaughtStack | undefined): string[] {
  const text = caught?.stack
  if (typeof text !== 'string') return []
  const lines = text.split('\n').filter((line) => FRAME.test(line))
  // The library's frames come first, with those of functions of the language that it calls in between.
  const isOwn = (line: string): boolean => own !== undefined && (line.includes(own) || line.endsWith('(<anonymous>)'))
  const first = lines.findIndex((line) => !isOwn(line))
  // In a bundle, the user's files may be in the folder, too.
  return lines
    .slice(Math.max(first, 0))
    .slice(0, SHOWN)
    .map((line) => line.trim())
}

function ownFolder(): string | undefined {
  const line = String(catchFrames(1).stack)
    .split('\n')
    .find((text) => FRAME.test(text))
  return /(?:\(|at )([^(]*[\\/](?:src|dist)[\\/])/.exec(line ?? '')?.[1]
}
