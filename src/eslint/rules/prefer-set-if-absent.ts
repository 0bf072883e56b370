import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { functionOf, isPaused, isPure, nodesIn, soleStatement, unwrap, contains, type Node } from '../ast.js'
import { conditionsOf, presences, type Condition, type Presence } from '../conditions.js'
import type { MapCall, Maps } from '../maps.js'
import { readUsedIn } from '../reads.js'
import { defineRule, type Context } from '../rule.js'

/** A `set` on condition that there is an entry, or none: another thread may insert or delete it in between. */
export const preferSetIfAbsent = defineRule(
  {
    name: 'prefer-set-if-absent',
    description: 'Prefer a conditional write to a check for the entry followed by `set`',
    messages: {
      absent:
        'Another thread may insert the entry between `{{read}}` and `set`: use `setIfAbsent`, `getOrInsert` or `getOrInsertComputed`.',
      load: 'Each thread that comes before `set` computes the value as well, and the last one wins: use `getOrLoad`.',
      present: 'Another thread may delete the entry between `{{read}}` and `set`, which brings it back: use `replace`.',
      setIfAbsent: 'Use `setIfAbsent`, in one atomic step.',
      getOrInsertComputed: 'Use `getOrInsertComputed`, which computes the value only if there is none.',
      replace: 'Use `replace`, in one atomic step.',
    },
    isFixable: true,
  },
  (context, maps) => ({
    CallExpression(node) {
      const write = maps.call(node, 'set')
      if (write === undefined || write.args.length < 2) return
      const found = conditionOn(maps, write)
      if (found === undefined || readUsedIn(context.sourceCode, maps, write.args[1], write) !== undefined) return
      const [condition, presence] = found
      const isLoad = !presence.present && maps.isCache(write.receiver) && waitsBetween(context, condition.at, node)
      const replacement = isLoad ? undefined : replace(context, write, condition, presence)
      context.report({
        node,
        messageId: presence.present ? 'present' : isLoad ? 'load' : 'absent',
        data: { read: presence.call.method },
        ...(replacement?.isSafe === true && { fix: replacement.fix }),
        ...(replacement?.isSafe === false && { suggest: [replacement] }),
      })
    },
  }),
)

function conditionOn(maps: Maps, write: MapCall): [Condition, Presence] | undefined {
  for (const condition of conditionsOf(maps, write.node)) {
    for (const presence of presences(maps, condition.test, condition.holds)) {
      const { call } = presence
      if (functionOf(call.node) === functionOf(write.node) && maps.onSameKey(call, write)) return [condition, presence]
    }
  }
  return undefined
}

/** Whether the function waits between the check and the end of the write. */
function waitsBetween({ sourceCode }: Context, check: Node, write: Node): boolean {
  const body = functionOf(write)?.body ?? sourceCode.ast
  for (const node of nodesIn(body, sourceCode.visitorKeys, 'function')) {
    if (node.type === 'AwaitExpression' && check.range[0] <= node.range[0] && node.range[1] <= write.range[1])
      return true
  }
  return false
}

interface Replacement {
  /** Whether the program does the same, where no other thread is. */
  readonly isSafe: boolean
  readonly messageId: string
  readonly fix: TSESLint.ReportFixFunction
}

/** Replaces a check, and a write that is all it guards, by one call. */
function replace(
  { sourceCode }: Context,
  { node, args }: MapCall,
  { at, test }: Condition,
  { call, present, isExact, isAlone }: Presence,
): Replacement | undefined {
  // What a variable holds is used elsewhere, and would be older than the write.
  if (!isAlone || !contains(test, call.node) || sourceCode.getCommentsInside(at).length > 0) return undefined
  const value = args[1]
  if (isPaused(value, sourceCode.visitorKeys)) return undefined
  let whole: Node
  if (at.type === 'IfStatement') {
    const sole = soleStatement(at.consequent)
    if (sole === undefined || unwrap(sole.expression) !== node || at.alternate !== null) return undefined
    whole = sole
  } else if (at.type === 'LogicalExpression' && at.parent.type === 'ExpressionStatement' && unwrap(at.right) === node) {
    whole = at.right
  } else return undefined
  const { property } = unwrap(node.callee) as TSESTree.MemberExpression
  const isKnown = isPure(value)
  const method = present ? 'replace' : isKnown ? 'setIfAbsent' : 'getOrInsertComputed'
  const asFunction = method === 'getOrInsertComputed'
  const needsParentheses = asFunction && value.type === 'ObjectExpression'
  const text = sourceCode.getText()
  const [start, end] = value.range
  const newValue = asFunction
    ? `() => ${needsParentheses ? '(' : ''}${text.slice(start, end)}${needsParentheses ? ')' : ''}`
    : text.slice(start, end)
  const newText =
    text.slice(whole.range[0], property.range[0]) +
    method +
    text.slice(property.range[1], start) +
    newValue +
    text.slice(end, whole.range[1])
  return {
    isSafe: isExact && isKnown,
    messageId: method,
    fix: (fixer) => fixer.replaceText(at, newText),
  }
}
