import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { functionOf, wrapped, type Node } from '../ast.js'
import type { Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** A map that a function opens for itself, and does not close on every way out: it keeps a thread record of the map. */
export const preferUsing = defineRule(
  {
    name: 'prefer-using',
    description: 'Prefer `using` for a map that is opened and closed in one function',
    type: 'suggestion',
    messages: {
      close: 'If anything before throws, this is not reached, and the map stays open: declare `{{name}}` with `using`.',
      open: 'Nothing closes `{{name}}`, so it keeps a thread record until it is garbage-collected: declare it with `using`.',
      using: 'Declare it with `using`, which closes it on every way out.',
    },
  },
  (context, maps) => ({
    VariableDeclarator(node) {
      const { id, init, parent } = node
      if (parent.kind !== 'const' || parent.declarations.length !== 1 || functionOf(node) === undefined) return
      if (id.type !== 'Identifier' || init === null || !isOpening(maps, init)) return
      const [variable] = context.sourceCode.getDeclaredVariables(node)
      const closing: TSESTree.CallExpression[] = []
      for (const { identifier, init: isInit } of variable.references) {
        if (isInit === true) continue
        const call = methodCall(identifier)
        // It is passed on, kept, or used later: others may close it.
        if (call === undefined || functionOf(identifier) !== functionOf(node)) return
        if (isFluent(call)) return
        if (maps.call(call, 'close') !== undefined) closing.push(call)
      }
      const { name } = id
      if (closing.length === 0) {
        context.report({ node: id, messageId: 'open', data: { name }, suggest: suggestUsing(context, parent, []) })
      } else if (!closing.some((call) => isInFinally(call))) {
        context.report({
          node: closing[0],
          messageId: 'close',
          data: { name },
          suggest: suggestUsing(context, parent, closing),
        })
      }
    },
  }),
)

/** `new ConcurrentMap()` or `ConcurrentMap.attach()` itself: what another function opened, it may close. */
function isOpening(maps: Maps, init: Node): boolean {
  if (init.type !== 'NewExpression' && init.type !== 'CallExpression') return false
  if (init.type === 'CallExpression') {
    const { callee } = init
    if (
      callee.type !== 'MemberExpression' ||
      callee.property.type !== 'Identifier' ||
      callee.property.name !== 'attach'
    )
      return false
  }
  return maps.isMap(init)
}

/** Returns `map.method(...)`, where `node` is the map. */
function methodCall(node: Node): TSESTree.CallExpression | undefined {
  const member = wrapped(node).parent
  if (member?.type !== 'MemberExpression' || member.object !== wrapped(node)) return undefined
  const callee = wrapped(member)
  return callee.parent?.type === 'CallExpression' && callee.parent.callee === callee ? callee.parent : undefined
}

/** `set` returns the map, and an iterator goes on with it. */
function isFluent(call: TSESTree.CallExpression): boolean {
  const { property } = call.callee as TSESTree.MemberExpression
  const name = property.type === 'Identifier' ? property.name : ''
  if (!['set', 'setMany', 'keys', 'values', 'entries'].includes(name)) return false
  return !/^(ExpressionStatement|ForOfStatement|SpreadElement)$/.test(wrapped(call).parent?.type ?? '')
}

function isInFinally(node: Node): boolean {
  for (let from = node, at = node.parent; at != null; from = at, at = at.parent) {
    if (at.type === 'TryStatement' && at.finalizer === from) return true
  }
  return false
}

/** `using` closes at the end of its block, so that only a `close` that is there too may go. */
function suggestUsing(
  { sourceCode }: Context,
  declaration: TSESTree.VariableDeclaration,
  closing: readonly TSESTree.CallExpression[],
): TSESLint.SuggestionReportDescriptor<string>[] {
  if (declaration.parent.type !== 'BlockStatement') return []
  const { body } = declaration.parent
  const statements = closing.map((call) => call.parent)
  if (statements.some((statement) => statement !== body.at(-1))) return []
  return [
    {
      messageId: 'using',
      fix: (fixer) => [
        fixer.replaceText(sourceCode.getFirstToken(declaration)!, 'using'),
        ...statements.map(({ range: [, end] }) => fixer.removeRange([body.at(-2)!.range[1], end])),
      ],
    },
  ]
}
