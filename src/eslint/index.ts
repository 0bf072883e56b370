/** The entry `mapsafe/eslint`: rules that find code which shares a map in a way that loses or misreads entries. */
import type { ESLint, Linter, Rule } from 'eslint'
import type { GuardRule } from './rule.js'
import { noAsyncUpdater } from './rules/no-async-updater.js'
import { noGetThenSet } from './rules/no-get-then-set.js'
import { noHasThenGet } from './rules/no-has-then-get.js'
import { noMapInMessage } from './rules/no-map-in-message.js'
import { noMutateValue } from './rules/no-mutate-value.js'
import { noSelfLoad } from './rules/no-self-load.js'
import { noTruthyAbsence } from './rules/no-truthy-absence.js'
import { noUnboundedIteration } from './rules/no-unbounded-iteration.js'
import { noUncheckedResult } from './rules/no-unchecked-result.js'
import { noWriteInUpdater } from './rules/no-write-in-updater.js'
import { preferIncrement } from './rules/prefer-increment.js'
import { preferSetIfAbsent } from './rules/prefer-set-if-absent.js'
import { preferUsing } from './rules/prefer-using.js'

const recommended: Readonly<Record<string, GuardRule>> = {
  'no-async-updater': noAsyncUpdater,
  'no-get-then-set': noGetThenSet,
  'no-has-then-get': noHasThenGet,
  'no-map-in-message': noMapInMessage,
  'no-mutate-value': noMutateValue,
  'no-truthy-absence': noTruthyAbsence,
  'no-unchecked-result': noUncheckedResult,
  'no-write-in-updater': noWriteInUpdater,
  'prefer-increment': preferIncrement,
  'prefer-set-if-absent': preferSetIfAbsent,
}

const strict: Readonly<Record<string, GuardRule>> = {
  'no-self-load': noSelfLoad,
  'no-unbounded-iteration': noUnboundedIteration,
  'prefer-using': preferUsing,
}

const rules = { ...recommended, ...strict } as unknown as Record<string, Rule.RuleModule>

/**
 * The plugin for ESLint 9 and 10. `rules` has every rule by its name; docs/eslint has a page on each. `configs` are to be
 * put into the array of an eslint.config.js: `recommended` has the rules that find mistakes, as errors, and `strict` all
 * of them, those on cost and style included.
 */
const plugin: ESLint.Plugin & Plugin = {
  meta: { name: 'mapsafe', version: '0.1.0' },
  rules,
  configs: { recommended: configuration('recommended', recommended), strict: configuration('strict', rules) },
}

/** What this plugin has for certain. It has no name outside, so that it is all that the module exports to CommonJS. */
interface Plugin {
  /** Name and version, by which ESLint tells plugins apart. */
  readonly meta: { readonly name: string; readonly version: string }
  readonly rules: Record<string, Rule.RuleModule>
  readonly configs: Record<'recommended' | 'strict', Linter.Config>
}

function configuration(name: string, on: object): Linter.Config {
  return {
    name: `mapsafe/${name}`,
    // The plugin is given when it is read, since it holds its configurations.
    get plugins() {
      return { mapsafe: plugin }
    },
    rules: Object.fromEntries(Object.keys(on).map((rule) => [`mapsafe/${rule}`, 'error'])),
  }
}

export default plugin
