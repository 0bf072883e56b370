import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { unwrap, wrapped, type Node } from '../ast.js'
import { readBehind } from '../conditions.js'
import type { MapCall, Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** Types with a value that is false in a condition. A boolean's is meant to be. */
const FALSY = ['number', 'string', 'bigint', 'null']
const STORING: Readonly<Record<string, number>> = {
  set: 1,
  setIfAbsent: 1,
  setIfVersion: 1,
  replace: 1,
  swap: 1,
  getOrInsert: 1,
}

/** A condition that takes a value such as 0 or '' for an absent one. */
export const noTruthyAbsence = defineRule(
  {
    name: 'no-truthy-absence',
    description: 'Forbid taking the truth of a value that may be 0, empty or null for its presence',
    messages: {
      truthy: 'A stored {{kinds}} counts as absent here: compare with undefined, or with the value that is meant.',
      or: 'A stored {{kinds}} is replaced here as if it was absent: use `??`.',
      compare: 'Compare with undefined.',
      nullish: 'Use `??`.',
    },
  },
  (context, maps) => {
    const check = (node: Node): void => {
      const read = readBehind(maps, node)
      if (read === undefined || !['get', 'peek'].includes(read.method)) return
      const falsy = falsyOf(maps, node, read)
      if (falsy === undefined) return
      const outer = wrapped(node)
      const { parent } = outer
      const isOr =
        parent?.type === 'LogicalExpression' && parent.operator === '||' && parent.left === outer && !isTest(parent)
      if (isOr && isHarmless(parent.right)) return
      context.report({
        node,
        messageId: isOr ? 'or' : 'truthy',
        data: { kinds: falsy },
        suggest: isOr ? suggestNullish(context, parent) : suggestComparison(context, outer),
      })
    }
    return {
      IfStatement({ test }) {
        check(test)
      },
      ConditionalExpression({ test }) {
        check(test)
      },
      WhileStatement({ test }) {
        check(test)
      },
      UnaryExpression({ operator, argument }) {
        if (operator === '!') check(argument)
      },
      LogicalExpression(node) {
        if (node.operator === '??') return
        check(node.left)
        if (isTest(node)) check(node.right)
      },
    }
  },
)

/** Returns whether only the truth of an expression matters. */
function isTest(node: Node): boolean {
  const { parent } = node
  switch (parent?.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
      return parent.test === node
    case 'UnaryExpression':
      return parent.operator === '!'
    case 'LogicalExpression':
      return parent.operator !== '??' && isTest(parent)
    default:
      return false
  }
}

/** `|| 0` and `|| ''` give what is there already. */
function isHarmless(node: Node): boolean {
  const other = unwrap(node)
  return (
    other.type === 'Literal' && (other.value === 0 || other.value === '' || other.value === 0n || other.value === false)
  )
}

/** Returns what values of the map may be falsy, in words; undefined if none, or if it is not to be seen. */
function falsyOf(maps: Maps, node: Node, read: MapCall): string | undefined {
  const kinds = kindsOf(maps, node, read)
  const names = [
    kinds.has('number') && '0',
    kinds.has('string') && "''",
    kinds.has('bigint') && '0n',
    kinds.has('null') && 'null',
  ]
  return names.filter((name) => name !== false).join(' or ') || undefined
}

function kindsOf(maps: Maps, node: Node, read: MapCall): ReadonlySet<string> {
  if (maps.types !== undefined) return maps.types.kinds(node) ?? new Set()
  const annotated = maps.typeArguments(read.receiver)?.at(1)
  if (annotated !== undefined) return new Set(kindsWritten(annotated))
  return new Set(
    maps.calls
      .filter((call) => maps.onSameMap(call, read))
      .flatMap(({ method, args }) =>
        method.startsWith('increment') ? ['number'] : kindsStored(args[STORING[method]]),
      ),
  )
}

const KEYWORDS: Readonly<Record<string, string>> = {
  TSNumberKeyword: 'number',
  TSStringKeyword: 'string',
  TSBigIntKeyword: 'bigint',
  TSNullKeyword: 'null',
}

function kindsWritten(type: TSESTree.TypeNode): string[] {
  if (type.type === 'TSUnionType') return type.types.flatMap(kindsWritten)
  return type.type in KEYWORDS ? [KEYWORDS[type.type]] : []
}

/** What is stored where the file shows it. */
function kindsStored(node: Node | undefined): string[] {
  if (node === undefined) return []
  const value = unwrap(node)
  if (value.type === 'TemplateLiteral') return ['string']
  if (value.type === 'UnaryExpression' && value.operator === '-') return ['number']
  if (value.type !== 'Literal') return []
  const kind = value.value === null && value.raw === 'null' ? 'null' : typeof value.value
  return FALSY.includes(kind) ? [kind] : []
}

type Suggestions = TSESLint.SuggestionReportDescriptor<string>[]

function suggestNullish({ sourceCode }: Context, node: TSESTree.LogicalExpression): Suggestions {
  // `??` must not stand beside `||` and `&&` without parentheses.
  const isMixed = [node.parent, node.right].some(({ type }) => type === 'LogicalExpression')
  const operator = sourceCode.getTokenBefore(node.right, ({ value }) => value === '||')
  if (isMixed || operator === null) return []
  return [{ messageId: 'nullish', fix: (fixer) => fixer.replaceText(operator, '??') }]
}

function suggestComparison({ sourceCode }: Context, node: Node): Suggestions {
  const { parent } = node
  const isNegated = parent?.type === 'UnaryExpression'
  const replaced = isNegated ? parent : node
  const inner = unwrap(node)
  const text = inner.type === 'AssignmentExpression' ? `(${sourceCode.getText(inner)})` : sourceCode.getText(node)
  if (!isNegated && !isTest(node)) return []
  const comparison = `${text} ${isNegated ? '===' : '!=='} undefined`
  const needsParentheses = replaced.parent?.type === 'UnaryExpression'
  return [
    {
      messageId: 'compare',
      fix: (fixer) => fixer.replaceText(replaced, needsParentheses ? `(${comparison})` : comparison),
    },
  ]
}
