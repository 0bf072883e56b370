import type { TSESTree } from '@typescript-eslint/utils'
import { memberName, unwrap, type Node } from '../ast.js'
import { functionBehind, functionGiven, resultsOf } from '../functions.js'
import type { Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** A function that a method calls in the midst of a write, and that returns a promise where a value is needed. */
export const noAsyncUpdater = defineRule(
  {
    name: 'no-async-updater',
    description: 'Forbid functions that return a promise where the map needs their value at once',
    messages: {
      value:
        '`{{method}}` would store the promise that this function returns, which throws: it does not wait. Compute the value first, and store it with `setIfVersion`.',
      load: '`getOrInsertComputed` would store the promise that this function returns, which throws: it does not wait. Use `getOrLoad`.',
      predicate:
        'A promise is always truthy, so `deleteWhere` would delete every entry: the function must return at once.',
      getOrLoad: 'Use `getOrLoad`, which waits for the value.',
    },
  },
  (context, maps) => ({
    CallExpression(node) {
      const call = maps.call(node, 'update', 'getOrInsertComputed', 'deleteWhere')
      const given = call && functionGiven(call)
      if (call === undefined || given === undefined || !returnsPromise(context, maps, given)) return
      const { method } = call
      const isLoad = method === 'getOrInsertComputed' && maps.isCache(call.receiver)
      const { property } = unwrap(node.callee) as TSESTree.MemberExpression
      context.report({
        node: given,
        messageId: method === 'deleteWhere' ? 'predicate' : isLoad ? 'load' : 'value',
        data: { method },
        suggest: isLoad ? [{ messageId: 'getOrLoad', fix: (fixer) => fixer.replaceText(property, 'getOrLoad') }] : [],
      })
    },
  }),
)

function returnsPromise({ sourceCode }: Context, maps: Maps, given: Node): boolean {
  const called = functionBehind(maps.scopes, given)
  if (called !== undefined) {
    if (called.async && !called.generator) return true
    for (const result of resultsOf(called, sourceCode.visitorKeys)) if (isPromise(maps, result)) return true
  }
  return maps.types?.returnsPromise(given) === true
}

/** Returns whether an expression is seen to be a promise. */
function isPromise(maps: Maps, node: Node): boolean {
  const value = unwrap(node)
  const isGlobal = (name: Node, wanted: string): boolean =>
    name.type === 'Identifier' && name.name === wanted && maps.scopes.variable(name) === undefined
  switch (value.type) {
    case 'ImportExpression':
      return true
    case 'NewExpression':
      return isGlobal(value.callee, 'Promise')
    case 'ConditionalExpression':
      return isPromise(maps, value.consequent) || isPromise(maps, value.alternate)
    case 'LogicalExpression':
      return isPromise(maps, value.left) || isPromise(maps, value.right)
    case 'CallExpression': {
      const callee = unwrap(value.callee)
      if (isGlobal(callee, 'fetch')) return true
      if (callee.type === 'MemberExpression') {
        if (isGlobal(callee.object, 'Promise') && memberName(callee) !== 'withResolvers') return true
        // Only promises have these, by their usual meaning: `fetch(url).then(...)`.
        return ['then', 'catch', 'finally'].includes(memberName(callee) ?? '') && isPromise(maps, callee.object)
      }
      const called = functionBehind(maps.scopes, callee)
      return called?.async === true && !called.generator
    }
    default:
      return false
  }
}
