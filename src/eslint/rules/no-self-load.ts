import type { TSESTree } from '@typescript-eslint/utils'
import { isFunction, nodesIn, unwrap, type FunctionNode, type Node } from '../ast.js'
import { functionBehind, functionGiven, nodesRunBy } from '../functions.js'
import { isDropped, type MapCall, type Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** A loader that loads its own key, and so waits for itself. */
export const noSelfLoad = defineRule(
  {
    name: 'no-self-load',
    description: 'Forbid a loader that waits for the load of its own key',
    messages: {
      self: 'This waits for the load that it is part of, until the time limit: a loader must not load its own key.',
      around:
        '`{{name}}` loads the same key again, and so waits for the load that it is part of, until the time limit.',
    },
  },
  (context, maps) => ({
    CallExpression(node) {
      const load = maps.call(node, 'getOrLoad')
      const loader = load && functionBehind(maps.scopes, functionGiven(load))
      if (load === undefined || loader === undefined) return
      for (const each of nodesRunBy(loader, context.sourceCode.visitorKeys, 'settled')) {
        // Nothing waits for a load whose promise is dropped.
        if (each.type !== 'CallExpression' || isDropped(each) || each.parent.type === 'UnaryExpression') continue
        const inner = maps.call(each, 'getOrLoad')
        if (inner !== undefined && maps.onSameMap(load, inner) && isSameKey(maps, load, inner, loader)) {
          context.report({ node: each, messageId: 'self' })
        } else {
          const name = callsAround(context, maps, load, each, loader)
          if (name !== undefined) context.report({ node: each, messageId: 'around', data: { name } })
        }
      }
    },
  }),
)

/** The key may also be what the loader is called with. */
function isSameKey(maps: Maps, load: MapCall, inner: MapCall, loader: FunctionNode): boolean {
  return inner.args.length > 0 && isKey(maps, load, inner.args[0], loader)
}

function isKey(maps: Maps, load: MapCall, node: Node, loader: FunctionNode): boolean {
  if (maps.scopes.isSame(load.args[0], node)) return true
  const parameter = loader.params.at(0)
  if (parameter?.type !== 'Identifier') return false
  const key = unwrap(node)
  if (key.type !== 'Identifier') return false
  const variable = maps.scopes.variable(key)
  return variable?.defs[0].name === parameter && !variable.references.some((reference) => reference.isWrite())
}

/** Returns the name of the function around the load, if it is called with the same key in its first parameter. */
function callsAround(
  { sourceCode }: Context,
  maps: Maps,
  load: MapCall,
  call: TSESTree.CallExpression,
  loader: FunctionNode,
): string | undefined {
  const { callee, arguments: args } = call
  if (callee.type !== 'Identifier' || args.length === 0) return undefined
  const called = functionBehind(maps.scopes, callee)
  const parameter = called?.params.at(0)
  if (called === undefined || parameter?.type !== 'Identifier' || !isKey(maps, load, args[0], loader)) return undefined
  const key = unwrap(load.args[0])
  if (key.type !== 'Identifier' || maps.scopes.variable(key)?.defs[0].name !== parameter) return undefined
  for (const node of nodesIn(called.body, sourceCode.visitorKeys)) {
    if (node === load.node) return functionAround(load.node, loader) === called ? callee.name : undefined
  }
  return undefined
}

function functionAround(node: Node, except: FunctionNode): FunctionNode | undefined {
  for (let at = node.parent; at != null; at = at.parent) if (isFunction(at) && at !== except) return at
  return undefined
}
