import { wrongInput, type InputName } from '../base/arguments.js'
import { MapsafeRangeError } from '../base/errors.js'
import { Membership } from './membership.js'

/** The most tags of one entry. */
const MAX_TAGS = 16

/** What the labels of tags begin with, so that they are none of a namespace. */
const TAG = 't'

/** Returns the name of the label of a tag. */
function nameOf(tag: string): string {
  return TAG + tag
}

/** Returns the tag whose label has this name; undefined if it is no tag's. */
export function tagOfLabel(name: string): string | undefined {
  return name.startsWith(TAG) ? name.slice(TAG.length) : undefined
}

/**
 * Reads the tags of an entry, each once, and returns the names of their labels; undefined if there are none. A
 * {@link Membership} adds the labels of namespaces.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless they are at most 16 texts, none of which is empty
 */
export function readTags(given: unknown): readonly string[] | undefined {
  if (given === undefined) return undefined
  if (given instanceof Membership) return [...given.labels, ...(readTags(given.tags) ?? [])]
  const names = namesOf('Option tags', given)
  if (names.length <= MAX_TAGS) return names.length === 0 ? undefined : names
  throw new MapsafeRangeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option tags has ${names.length} different tags; expected ${MAX_TAGS} at most. Give the entry a tag for each group that is ` +
      'invalidated as a whole.',
  )
}

/**
 * Reads tags to invalidate, and returns the names of their labels.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless they are texts, none of which is empty
 */
export function readTagsToInvalidate(given: unknown): readonly string[] {
  return namesOf('Argument tags', given)
}

function namesOf(input: InputName, given: unknown): readonly string[] {
  const expected = 'an iterable object of texts that are not empty, like an array; put a single one into an array'
  // A string is iterable, but is meant as one tag.
  const isIterable = typeof given === 'object' && given !== null && Symbol.iterator in given
  if (!isIterable || typeof given[Symbol.iterator] !== 'function') throw wrongInput(input, given, expected)
  const names = new Set<string>()
  for (const tag of given as Iterable<unknown>) {
    if (typeof tag !== 'string' || tag === '') throw wrongInput(input, [tag], expected)
    names.add(nameOf(tag))
  }
  return [...names]
}
