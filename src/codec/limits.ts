/** Limits of values, for the walk that writes them and for the decoders, whose recursion and memory they bound. */

/** The most objects that may enclose another one. */
export const MAX_NESTING = 500

const MAX_PATTERN = 4096
const MAX_PATTERN_OF_SETS = 256

/**
 * Returns whether a regular expression may be stored. To check a pattern, V8 takes up to a kilobyte a unit, which it
 * frees at once; with the flag `v`, which has sets of strings (`\p{RGI_Emoji}`), up to 70 kilobytes.
 */
export function isPatternAllowed(source: string, isOfSets: boolean): boolean {
  return source.length <= (isOfSets ? MAX_PATTERN_OF_SETS : MAX_PATTERN)
}
