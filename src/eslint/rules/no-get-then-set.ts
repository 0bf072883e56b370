import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { functionOf, isFunction, isPaused, nodesIn, unwrap, wrapped, type Node } from '../ast.js'
import { conditionsOf, presences } from '../conditions.js'
import { countOf } from '../counts.js'
import type { MapCall, Maps } from '../maps.js'
import { BLIND_WRITES, readUsedIn } from '../reads.js'
import { defineRule, type Context } from '../rule.js'

/** A value that was read, changed and stored again: what another thread stored in between is lost. */
export const noGetThenSet = defineRule(
  {
    name: 'no-get-then-set',
    description: 'Forbid storing what was computed from a value read before, since writes in between are lost',
    messages: {
      lost: 'What another thread stores under this key between `{{read}}` and `{{write}}` is lost: use `update`, or `getEntry` and `setIfVersion`.',
      iterated: 'What another thread stores under this key after the iteration has read it is lost: use `update`.',
      checked:
        'Another thread may store another value between this check of `{{read}}` and `{{write}}`: use `update`, or `getEntry` and `setIfVersion`.',
      update: 'Compute the new value in `update`, in one atomic step.',
    },
  },
  (context, maps) => ({
    CallExpression(node) {
      const write = maps.call(node, ...BLIND_WRITES)
      if (write === undefined || write.args.length < 2) return
      const [, value] = write.args
      const { sourceCode } = context
      const read = readUsedIn(sourceCode, maps, value, write)
      if (read !== undefined) {
        // `prefer-increment` tells of counters.
        if (write.method === 'set' && countOf(sourceCode, maps, write) !== undefined) return
        const data = { read: read.method, write: write.method }
        context.report({ node, messageId: 'lost', data, suggest: suggestUpdate(context, maps, write) })
      } else if (isIterated(maps, write)) {
        context.report({ node, messageId: 'iterated' })
      } else {
        const checked = checkedRead(context, maps, write)
        if (checked !== undefined) {
          context.report({ node, messageId: 'checked', data: { read: checked.method, write: write.method } })
        }
      }
    },
  }),
)

/** Returns the read whose value, not only its presence, decides whether the write is made. */
function checkedRead({ sourceCode }: Context, maps: Maps, write: MapCall): MapCall | undefined {
  for (const { test, holds } of conditionsOf(maps, write.node)) {
    const read = readUsedIn(sourceCode, maps, test, write)
    if (read === undefined) continue
    // `prefer-set-if-absent` tells of these.
    for (const presence of presences(maps, test, holds)) if (presence.isAlone) return undefined
    for (const presence of presences(maps, test, !holds)) if (presence.isAlone) return undefined
    return read
  }
  return switchedRead(sourceCode, maps, write)
}

/** Returns the read whose value a `switch` around the write chooses by. */
function switchedRead(source: TSESLint.SourceCode, maps: Maps, write: MapCall): MapCall | undefined {
  for (let at: Node | null | undefined = write.node.parent; at != null && !isFunction(at); at = at.parent) {
    if (at.type !== 'SwitchStatement') continue
    const read = readUsedIn(source, maps, at.discriminant, write)
    if (read !== undefined) return read
  }
  return undefined
}

/** Returns whether the key and a value that is used are those of a loop over the same map. */
function isIterated(maps: Maps, write: MapCall): boolean {
  const [key, value] = write.args
  if (key.type !== 'Identifier') return false
  const definition = maps.scopes.variable(key)?.defs[0]
  if (definition?.type !== 'Variable') return false
  const { id, parent } = definition.node
  const loop = parent.parent
  if (id.type !== 'ArrayPattern' || loop.type !== 'ForOfStatement' || loop.left !== parent) return false
  if (id.elements[0] !== definition.name || functionOf(loop) !== functionOf(write.node)) return false
  const over = unwrap(loop.right)
  const entries = maps.call(over, 'entries')
  const map = entries?.receiver ?? (maps.isMap(over) ? over : undefined)
  if (map === undefined || !maps.scopes.isSame(map, write.receiver)) return false
  const known = id.elements[1]
  const names = maps.scopes.source
    .getDeclaredVariables(definition.node)
    .filter(({ defs }) => known != null && defs[0].name.range[0] >= known.range[0])
  return names.some(({ references }) =>
    references.some(({ identifier }) => value.range[0] <= identifier.range[0] && identifier.range[1] <= value.range[1]),
  )
}

/** Where the value is computed in the call itself, and nothing else is read: the same in an updater. */
function suggestUpdate(
  { sourceCode }: Context,
  maps: Maps,
  { node, args, method, receiver }: MapCall,
): TSESLint.SuggestionReportDescriptor<string>[] {
  const [key, value] = args
  if (method !== 'set' || args.length > 2 || isPaused(value, sourceCode.visitorKeys)) return []
  const reads: Node[] = []
  const names = new Set<string>()
  for (const each of nodesIn(value, sourceCode.visitorKeys)) {
    if (each.type === 'Identifier') names.add(each.name)
    if (each.type === 'ThisExpression' || each.type !== 'CallExpression') continue
    const call = maps.call(each)
    if (call === undefined) continue
    if (call.method !== 'get' || call.args.length !== 1) return []
    if (!maps.scopes.isSame(call.receiver, receiver) || !maps.scopes.isSame(call.args[0], key)) return []
    reads.push(each)
  }
  if (reads.length === 0) return []
  const name = ['value', 'current', 'stored'].find((each) => !names.has(each))
  if (name === undefined) return []
  // An object literal would be taken for the function's body.
  const needsParentheses = value.type === 'ObjectExpression' || sourceCode.getText(value).startsWith('{')
  return [
    {
      messageId: 'update',
      *fix(fixer) {
        const { property } = unwrap(node.callee) as TSESTree.MemberExpression
        yield fixer.replaceText(property, 'update')
        yield fixer.insertTextBefore(value, `(${name}) => ${needsParentheses ? '(' : ''}`)
        for (const read of reads) {
          const { parent } = read
          yield fixer.replaceText(
            parent?.type === 'ChainExpression' && parent.expression === read ? parent : read,
            name,
          )
        }
        if (needsParentheses) yield fixer.insertTextAfter(wrapped(value), ')')
      },
    },
  ]
}
