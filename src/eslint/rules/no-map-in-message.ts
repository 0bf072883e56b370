import type { TSESTree } from '@typescript-eslint/utils'
import { keyName, memberName, unwrap, type Node } from '../ast.js'
import { functionBehind } from '../functions.js'
import type { Maps } from '../maps.js'
import { defineRule } from '../rule.js'

/** A map object that is sent to another thread or process, where it arrives as an object without methods. */
export const noMapInMessage = defineRule(
  {
    name: 'no-map-in-message',
    description: 'Forbid sending a map object to a thread or process instead of its handle',
    messages: {
      map: 'A map arrives elsewhere without its methods: send `{{text}}.handle`, and open it there with `{{name}}.attach`.',
      handle: 'Send the handle.',
    },
  },
  (context, maps) => {
    const check = (node: Node | undefined): void => {
      if (node === undefined) return
      const value = unwrap(node)
      if (value.type === 'ObjectExpression') {
        for (const each of value.properties) check(each.type === 'Property' ? each.value : undefined)
      } else if (value.type === 'ArrayExpression') {
        for (const each of value.elements) check(each ?? undefined)
      } else if (value.type === 'ConditionalExpression') {
        check(value.consequent)
        check(value.alternate)
      } else if (maps.isMap(value)) {
        const text = context.sourceCode.getText(value)
        const { parent } = value
        const isShorthand = parent?.type === 'Property' && parent.shorthand
        context.report({
          node: value,
          messageId: 'map',
          data: { text, name: maps.isCache(value) ? 'ConcurrentCache' : 'ConcurrentMap' },
          suggest: [
            {
              messageId: 'handle',
              fix: (fixer) => fixer.insertTextAfter(value, isShorthand ? `: ${text}.handle` : '.handle'),
            },
          ],
        })
      }
    }
    return {
      CallExpression({ callee, arguments: args }) {
        check(sentBy(maps, unwrap(callee), args))
      },
      NewExpression({ callee, arguments: args }) {
        const options = args.at(1)
        if (callee.type === 'Identifier' ? callee.name !== 'Worker' : !isMember(callee, 'Worker')) return
        if (isOwn(maps, callee)) return
        if (options?.type !== 'ObjectExpression') return
        for (const each of options.properties) {
          if (each.type === 'Property' && ['workerData', 'env'].includes(keyName(each) ?? '')) check(each.value)
        }
      },
    }
  },
)

/** Returns the argument of a call that is copied for another thread or process. */
function sentBy(maps: Maps, callee: Node, args: readonly TSESTree.CallExpressionArgument[]): Node | undefined {
  const name =
    callee.type === 'Identifier' ? callee.name : callee.type === 'MemberExpression' ? memberName(callee) : undefined
  if (isOwn(maps, callee)) return undefined
  switch (name) {
    case 'postMessage':
    case 'structuredClone':
      return args[0]
    case 'setEnvironmentData':
      return args[1]
    case 'serialize':
      return isMember(callee, 'serialize', 'v8') ? args[0] : undefined
    case 'send':
      return callee.type === 'MemberExpression' && isProcess(maps, callee.object) ? args[0] : undefined
    default:
      return undefined
  }
}

/** Returns whether an identifier names a function or class of the file itself. */
function isOwn(maps: Maps, node: Node): boolean {
  if (node.type !== 'Identifier') return false
  const definition = maps.scopes.variable(node)?.defs[0]
  return definition?.type === 'ClassName' || functionBehind(maps.scopes, node) !== undefined
}

function isMember(node: Node, name: string, of?: string): boolean {
  if (node.type !== 'MemberExpression' || memberName(node) !== name) return false
  return of === undefined || (node.object.type === 'Identifier' && node.object.name === of)
}

/** `process`, or what `fork` returned. */
function isProcess(maps: Maps, node: Node): boolean {
  const inner = unwrap(node)
  if (inner.type === 'CallExpression') {
    const callee = unwrap(inner.callee)
    return (callee.type === 'Identifier' && callee.name === 'fork') || isMember(callee, 'fork')
  }
  if (inner.type !== 'Identifier') return false
  if (inner.name === 'process') return true
  const value = maps.scopes.initial(inner)
  return value?.type === 'CallExpression' && isProcess(maps, value)
}
