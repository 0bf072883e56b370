import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { isPaused, memberName, unwrap, wrapped, type Node } from '../ast.js'
import { isDropped, type Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'
import { originOf } from '../values.js'

/** What only arrays have. */
const OF_ARRAYS = new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse'])
const SORTED: Readonly<Record<string, string>> = { sort: 'toSorted', reverse: 'toReversed' }
/** What `Map`, `Set` and `Date` have, of which each read returns a copy. */
const OF_COPIES = /^(add|clear|delete|set([A-Z]\w*)?)$/
const OF_OBJECT = new Set(['assign', 'defineProperty', 'defineProperties', 'setPrototypeOf'])

/** A change of a value that a map returned: it throws, or it reaches no other thread. */
export const noMutateValue = defineRule(
  {
    name: 'no-mutate-value',
    description: 'Forbid changing a value that a map returned, which is a frozen copy',
    messages: {
      frozen:
        'A value that a map returns is frozen, and a copy: this throws, and no other thread would see it. Store a new value with `update`.',
      lost: 'Each read returns a copy: this changes one that is dropped at once. Store a new value with `update`.',
      update: 'Store a copy with the change.',
      copy: 'Use `{{name}}`, which returns a copy.',
    },
  },
  (context, maps) => {
    const check = (node: Node, changed: Node, suggest: TSESLint.SuggestionReportDescriptor<string>[] = []): void => {
      const origin = originOf(maps, changed)
      if (origin !== undefined && maps.isFrozen(origin.map)) context.report({ node, messageId: 'frozen', suggest })
    }
    /** Elements may be those of a typed array, which is no frozen one, unless types say otherwise. */
    const checkMember = (node: Node, target: Node, suggest?: TSESLint.SuggestionReportDescriptor<string>[]): void => {
      const member = unwrap(target)
      if (member.type !== 'MemberExpression') return
      if (memberName(member) !== undefined || maps.types?.hasMember(member.object, 'push') === true) {
        check(node, member.object, suggest)
      }
    }
    return {
      AssignmentExpression(node) {
        checkMember(node, node.left, suggestUpdate(context, maps, node))
      },
      UpdateExpression(node) {
        checkMember(node, node.argument)
      },
      UnaryExpression(node) {
        if (node.operator === 'delete') checkMember(node, node.argument)
      },
      CallExpression(node) {
        const callee = unwrap(node.callee)
        const name = callee.type === 'MemberExpression' ? memberName(callee) : undefined
        if (callee.type !== 'MemberExpression' || name === undefined) return
        const { object, property } = callee
        if (object.type === 'Identifier' && object.name === 'Object') {
          if (OF_OBJECT.has(name) && node.arguments.length > 0) check(node, node.arguments[0])
        } else if (OF_ARRAYS.has(name)) {
          const isUsed = name in SORTED && !isDropped(node)
          check(
            node,
            object,
            isUsed
              ? [
                  {
                    messageId: 'copy',
                    data: { name: SORTED[name] },
                    fix: (fixer) => fixer.replaceText(property, SORTED[name]),
                  },
                ]
              : [],
          )
        } else if (OF_COPIES.test(name) && isDropped(node)) {
          if (originOf(maps, object)?.isInline === true) context.report({ node, messageId: 'lost' })
        }
      },
    }
  },
)

/** `map.get(key).name = x` as an update. */
function suggestUpdate(
  { sourceCode }: Context,
  maps: Maps,
  node: TSESTree.AssignmentExpression,
): TSESLint.SuggestionReportDescriptor<string>[] {
  const target = unwrap(node.left)
  if (node.operator !== '=' || target.type !== 'MemberExpression' || target.computed) return []
  const read = maps.call(target.object, 'get')
  const name = memberName(target)
  const { parent } = wrapped(node)
  if (read?.args.length !== 1 || name === undefined || parent?.type !== 'ExpressionStatement') return []
  const changed = sourceCode.getText(node.right)
  if (isPaused(node.right, sourceCode.visitorKeys) || /\bvalue\b/.test(changed)) return []
  const [map, key] = [sourceCode.getText(read.receiver), sourceCode.getText(read.args[0])]
  const text = `${map}.update(${key}, (value) => ({ ...value, ${name}: ${changed} }))`
  return [{ messageId: 'update', fix: (fixer) => fixer.replaceText(node, text) }]
}
