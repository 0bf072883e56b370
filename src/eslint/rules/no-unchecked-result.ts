import { unwrap, wrapped, type Node } from '../ast.js'
import { isDropped, type Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** Methods that may do nothing, and say so by what they return alone. */
const METHODS = ['setIfVersion', 'compareAndSwap']
const OTHERS = ['setIfAbsent', 'replace', 'deleteIfVersion', 'compareAndDelete', 'touch']

/** The result of a conditional write that nothing looks at: the write may not have happened. */
export const noUncheckedResult = defineRule(
  {
    name: 'no-unchecked-result',
    description: 'Forbid dropping the result of a conditional write, which says whether it was made',
    messages: {
      dropped:
        'Where another thread wrote first, `{{method}}` stores nothing and returns false: look at its result, and try again.',
      unread: 'Nothing reads `{{name}}`, so nothing sees that `{{method}}` stored nothing.',
      throw: 'Throw an error if it was not done.',
    },
    schema: [
      {
        type: 'object',
        properties: {
          also: {
            type: 'array',
            items: { type: 'string', enum: OTHERS },
            uniqueItems: true,
            description: 'More methods to look at.',
          },
        },
        additionalProperties: false,
      },
    ],
  },
  (context, maps) => {
    const [{ also = [] } = {}] = context.options as readonly { readonly also?: readonly string[] }[]
    const methods = [...METHODS, ...also]
    return {
      CallExpression(node) {
        const call = maps.call(node, ...methods)
        if (call === undefined) return
        const { method } = call
        if (isDropped(node)) {
          context.report({ node, messageId: 'dropped', data: { method }, suggest: suggestThrow(context, node, method) })
        } else {
          const name = unreadVariable(maps, node)
          if (name !== undefined) context.report({ node, messageId: 'unread', data: { method, name } })
        }
      },
    }
  },
)

/** Returns the name of the variable that takes a result, if nothing reads it. */
function unreadVariable(maps: Maps, node: Node): string | undefined {
  const outer = wrapped(node)
  const { parent } = outer
  if (parent?.type !== 'VariableDeclarator' || parent.init !== outer || parent.id.type !== 'Identifier')
    return undefined
  if (parent.parent.parent.type === 'ExportNamedDeclaration') return undefined
  const [{ references, name, scope }] = maps.scopes.source.getDeclaredVariables(parent)
  // A global of a script may be read by another one.
  return scope.type === 'global' || references.some((reference) => reference.isRead()) ? undefined : name
}

function suggestThrow(
  { sourceCode }: Context,
  node: Node,
  method: string,
): { messageId: string; fix: (fixer: Fixer) => Fix }[] {
  const outer = wrapped(node)
  const statement = outer.parent
  if (statement?.type !== 'ExpressionStatement') return []
  const text = sourceCode.getText(unwrap(outer))
  const ending = sourceCode.getText(statement).endsWith(';') ? ';' : ''
  const newText = `if (!${text}) throw new Error('${method} found another value')${ending}`
  return [{ messageId: 'throw', fix: (fixer) => fixer.replaceText(statement, newText) }]
}

type Fixer = Parameters<NonNullable<Parameters<Context['report']>[0]['fix']>>[0]
type Fix = ReturnType<Fixer['replaceText']>
