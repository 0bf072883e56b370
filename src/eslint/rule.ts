import type { TSESLint } from '@typescript-eslint/utils'
import { mapsOf, type Maps } from './maps.js'

/** What a rule sees of the file that is linted. */
export type Context = Readonly<TSESLint.RuleContext<string, readonly unknown[]>>

/** A rule as ESLint takes it. */
export type GuardRule = TSESLint.RuleModule<string, readonly unknown[]>

interface Description {
  readonly name: string
  /** One line for lists of rules. */
  readonly description: string
  readonly messages: Readonly<Record<string, string>>
  /** `problem` by default. */
  readonly type?: 'problem' | 'suggestion'
  readonly isFixable?: boolean
  readonly schema?: TSESLint.RuleModule<string>['meta']['schema']
}

/** Makes a rule of its description and of what it listens to. */
export function defineRule(
  { name, description, messages, type = 'problem', isFixable = false, schema = [] }: Description,
  listen: (context: Context, maps: Maps) => TSESLint.RuleListener,
): GuardRule {
  return {
    meta: {
      type,
      // The pages are part of the package, which unpkg serves.
      docs: { description, url: `https://unpkg.com/mapsafe/docs/eslint/${name}.md` },
      messages: { ...messages },
      schema,
      hasSuggestions: true,
      ...(isFixable && { fixable: 'code' as const }),
    },
    create: (context) => listen(context, mapsOf(context.sourceCode, context.settings)),
  }
}
