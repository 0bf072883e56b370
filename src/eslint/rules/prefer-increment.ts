import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { isFunction, unwrap, type Node } from '../ast.js'
import { countOf, sumOf, type Count } from '../counts.js'
import type { MapCall, Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** A counter that is read and stored again, or counted by a function: `increment` loses nothing and costs less. */
export const preferIncrement = defineRule(
  {
    name: 'prefer-increment',
    description: 'Prefer `increment` to reading a number and storing its sum, which loses counts',
    messages: {
      lost: 'Counts of other threads between `get` and `set` are lost: use `increment`.',
      simpler: '`increment` does this in one step of the engine, without a function.',
      increment: 'Use `increment`. It throws if the value is no whole number.',
      incrementOnCache: 'Use `increment`. It keeps the expiry of an entry that is there, which `set` renews.',
    },
  },
  (context, maps) => ({
    CallExpression(node) {
      const call = maps.call(node, 'set', 'update')
      if (call === undefined || call.args.length < 2) return
      const count =
        call.method === 'set'
          ? countOf(context.sourceCode, maps, call)
          : countIn(context.sourceCode, unwrap(call.args[1]))
      if (count === undefined) return
      context.report({
        node,
        messageId: call.method === 'set' ? 'lost' : 'simpler',
        suggest: suggestions(context, maps, call, count),
      })
    },
  }),
)

/** Returns what an updater such as `(n = 0) => n + 1` adds. */
function countIn(source: TSESLint.SourceCode, updater: Node): Count | undefined {
  if (!isFunction(updater) || updater.params.length !== 1 || updater.async || updater.generator) return undefined
  const [parameter] = updater.params
  const name = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
  if (name.type !== 'Identifier') return undefined
  const hasDefault = parameter.type === 'AssignmentPattern'
  if (hasDefault && !(parameter.right.type === 'Literal' && parameter.right.value === 0)) return undefined
  const body = updater.body as Node
  const result =
    body.type !== 'BlockStatement'
      ? body
      : body.body.length === 1 && body.body[0].type === 'ReturnStatement'
        ? body.body[0].argument
        : null
  const { name: parameterName } = name
  return result === null
    ? undefined
    : sumOf(source, result, (node) => node.type === 'Identifier' && node.name === parameterName)
}

/** Only where the whole call is all there is to replace, and its value is not used as the map. */
function suggestions(
  { sourceCode }: Context,
  maps: Maps,
  { node, args, method, receiver }: MapCall,
  { by }: Count,
): TSESLint.SuggestionReportDescriptor<string>[] {
  const isCache = maps.isCache(receiver)
  if (method === 'set') {
    const value = unwrap(args[1])
    const isVariable = value.type === 'Identifier' || value.type !== 'BinaryExpression' || hasVariable(maps, value)
    if (isVariable || node.parent.type !== 'ExpressionStatement') return []
  }
  const rest = [sourceCode.getText(args[0])]
  if (by !== undefined || args.length > 2) rest.push(by ?? '1')
  if (args.length > 2) rest.push(sourceCode.getText(args[2]))
  const [first, last] = [args[0], args.at(-1)!]
  return [
    {
      messageId: isCache && method === 'set' ? 'incrementOnCache' : 'increment',
      fix: (fixer) => [
        fixer.replaceText((unwrap(node.callee) as TSESTree.MemberExpression).property, 'increment'),
        fixer.replaceTextRange([first.range[0], last.range[1]], rest.join(', ')),
      ],
    },
  ]
}

/** Whether the number was read before, so that its reading would be left over. */
function hasVariable(maps: Maps, { left, right }: TSESTree.BinaryExpression): boolean {
  return [left, right].some((side) => {
    let inner = unwrap(side)
    while (inner.type === 'LogicalExpression') inner = unwrap(inner.left)
    return inner.type === 'Identifier' && maps.scopes.variable(inner) !== undefined
  })
}
