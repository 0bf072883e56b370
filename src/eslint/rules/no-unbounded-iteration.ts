import type { TSESTree } from '@typescript-eslint/utils'
import { functionOf, memberName, nodesIn, unwrap, type Node } from '../ast.js'
import type { Maps } from '../maps.js'
import { defineRule } from '../rule.js'

const WALKS = ['keys', 'values', 'entries']

/** A walk over all entries of a map, in a function: its time and memory grow with the map, while its thread does nothing else. */
export const noUnboundedIteration = defineRule(
  {
    name: 'no-unbounded-iteration',
    description: 'Forbid functions that walk or copy a whole map, however large it is',
    type: 'suggestion',
    messages: {
      copy: 'This copies every entry, however many there are: use `scan` with a count, or ask for the keys that are needed with `getMany`.',
      walk: 'This visits every entry, however many there are, and the thread does nothing else meanwhile: use `scan` with a count, leave the loop, or wait in between.',
      snapshot: 'A snapshot copies every entry: take it where time and memory for all of them are there.',
    },
  },
  (context, maps) => {
    // What a module does when it is loaded happens once.
    const report = (node: Node, messageId: string): void => {
      if (functionOf(node) !== undefined) context.report({ node, messageId })
    }
    return {
      SpreadElement(node) {
        if (node.parent.type !== 'ObjectExpression' && isWalk(maps, node.argument)) report(node, 'copy')
      },
      ForOfStatement(node) {
        if (isWalk(maps, node.right) && !leaves(node, context.sourceCode.visitorKeys)) report(node.right, 'walk')
      },
      NewExpression({ callee, arguments: args }) {
        if (callee.type !== 'Identifier' || !['Map', 'Set'].includes(callee.name) || args.length === 0) return
        if (isWalk(maps, args[0])) report(args[0], 'copy')
      },
      CallExpression(node) {
        const call = maps.call(node, 'forEach', 'snapshot')
        if (call !== undefined) report(node, call.method === 'forEach' ? 'walk' : 'snapshot')
        else if (node.arguments.length > 0 && isCopying(node.callee) && isWalk(maps, node.arguments[0]))
          report(node, 'copy')
        else if (isToArray(maps, node)) report(node, 'copy')
      },
    }
  },
)

function isWalk(maps: Maps, node: Node): boolean {
  return maps.isMap(node) || maps.call(node, ...WALKS) !== undefined
}

/** `Array.from`, `Object.fromEntries`. */
function isCopying(callee: Node): boolean {
  if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return false
  return ['Array.from', 'Object.fromEntries'].includes(`${callee.object.name}.${memberName(callee) ?? ''}`)
}

/** `map.values().toArray()`. */
function isToArray(maps: Maps, node: TSESTree.CallExpression): boolean {
  const callee = unwrap(node.callee)
  return (
    callee.type === 'MemberExpression' &&
    memberName(callee) === 'toArray' &&
    maps.call(callee.object, ...WALKS) !== undefined
  )
}

/** Returns whether a loop may end before its entries do, or lets others run meanwhile. */
function leaves(loop: TSESTree.ForOfStatement, keys: Parameters<typeof nodesIn>[1]): boolean {
  for (const node of nodesIn(loop.body, keys, 'function')) {
    switch (node.type) {
      case 'ReturnStatement':
      case 'AwaitExpression':
      case 'YieldExpression':
        return true
      case 'BreakStatement':
        if (breaksOut(node, loop)) return true
        break
      default:
    }
  }
  return false
}

function breaksOut(node: TSESTree.BreakStatement, loop: Node): boolean {
  if (node.label !== null) return true
  for (let at: Node | undefined = node.parent; at !== loop; at = at.parent) {
    if (at === undefined || /^(For|While|DoWhile|Switch)/.test(at.type)) return false
  }
  return true
}
