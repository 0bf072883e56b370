import { optionOf } from '../base/arguments.js'
import { withLabels, type Lifetime } from './lifetime.js'
import type { Store } from './store.js'

/** What the labels of namespaces begin with, so that they are none of a tag. */
const NAMESPACE = 'n'

/** Returns the name of the label of the namespace of a prefix. */
export function namespaceLabel(prefix: string): string {
  return NAMESPACE + prefix
}

/**
 * The namespaces that an entry belongs to. A namespace gives it to the methods of its map in the place of the tags in their
 * options, where no user can: the class is not exported.
 */
export class Membership {
  /**
   * @param labels names of the labels of the namespaces
   * @param tags what the user gave as the entry's tags
   */
  constructor(
    readonly labels: readonly string[],
    readonly tags: unknown,
  ) {}
}

/** Returns the life of an entry of a map without lifetimes and tags: undefined unless the options have a {@link Membership}. */
export function lifeInNamespace(store: Store<unknown>, options: unknown): Lifetime | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const membership = optionOf(options, 'tags')
  if (!(membership instanceof Membership)) return undefined
  return withLabels(undefined, store.labelIndex.pairsOf(store.openToWrite(), membership.labels))
}
