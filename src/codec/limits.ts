/** What a value may be at most, for the walk that writes it as for the decoders, whose recursion and memory it bounds. */

/** How many objects may lie around another one. */
export const MAX_NESTING = 500

const MAX_PATTERN = 4096
const MAX_PATTERN_OF_SETS = 256

/**
 * Whether a regular expression may be stored. To check a pattern V8 takes up to a kilobyte a unit, which comes back at
 * once; with the flag `v`, which has sets of strings (`\p{RGI_Emoji}`), up to 70 of them.
 */
export function isPatternAllowed(source: string, isOfSets: boolean): boolean {
  return source.length <= (isOfSets ? MAX_PATTERN_OF_SETS : MAX_PATTERN)
}
