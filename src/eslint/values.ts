import type { TSESTree } from '@typescript-eslint/utils'
import { isFunction, memberName, unwrap, type Node } from './ast.js'
import { functionGiven } from './functions.js'
import type { Maps } from './maps.js'
import { isAfter } from './scopes.js'

const RETURN_VALUES = ['get', 'peek', 'getOrInsert', 'getOrInsertComputed', 'update', 'swap', 'take']

/** Where a value came out of a map. */
export interface Origin {
  /** The map. */
  readonly map: Node
  /** Whether the map is asked in the expression itself, so that nothing else holds the value. */
  readonly isInline: boolean
  /** Whether the expression is the value itself, not a part of it. */
  readonly isWhole: boolean
}

/** Returns where an expression came out of a map as a value, or as a part of one. */
export function originOf(maps: Maps, node: Node): Origin | undefined {
  const inner = unwrap(node)
  const call = maps.call(inner, ...RETURN_VALUES)
  if (call !== undefined) return { map: call.receiver, isInline: true, isWhole: true }
  switch (inner.type) {
    case 'AwaitExpression': {
      const load = maps.call(inner.argument, 'getOrLoad')
      return load && { map: load.receiver, isInline: true, isWhole: true }
    }
    case 'MemberExpression': {
      const entry = entryBehind(maps, inner.object)
      if (entry !== undefined) return memberName(inner) === 'value' ? { ...entry, isWhole: true } : undefined
      const origin = originOf(maps, inner.object)
      return origin && { ...origin, isWhole: false }
    }
    case 'LogicalExpression':
      return inner.operator === '&&' ? undefined : originOf(maps, inner.left)
    case 'Identifier': {
      const value = maps.scopes.initial(inner)
      const origin = value === undefined ? originOfPart(maps, inner) : originOf(maps, value)
      return origin && { ...origin, isInline: false }
    }
    default:
      return undefined
  }
}

function entryBehind(maps: Maps, node: Node): Origin | undefined {
  const inner = unwrap(node)
  const call = maps.call(inner, 'getEntry', 'peekEntry')
  if (call !== undefined) return { map: call.receiver, isInline: true, isWhole: false }
  if (inner.type !== 'Identifier') return undefined
  const value = maps.scopes.initial(inner)
  const entry = value && entryBehind(maps, value)
  return entry && { ...entry, isInline: false }
}

/** What a pattern, a loop or a parameter takes out of a map. */
function originOfPart(maps: Maps, node: TSESTree.Identifier): Origin | undefined {
  const variable = maps.scopes.variable(node)
  const definition = variable?.defs[0]
  if (variable?.defs.length !== 1 || definition === undefined) return undefined
  if (variable.references.some((reference) => reference.isWrite() && reference.init !== true)) return undefined
  const { name } = definition
  if (definition.type === 'Parameter') return originOfParameter(maps, definition.node, name)
  if (definition.type !== 'Variable') return undefined
  const { id, init, parent } = definition.node
  const loop = parent.parent
  if (loop.type === 'ForOfStatement' && loop.left === parent) return originInLoop(maps, loop.right, id, name)
  if (init === null || id.type !== 'ObjectPattern' || isRest(name) || !isAfter(node, init)) return undefined
  const entry = entryBehind(maps, init)
  if (entry === undefined) {
    const origin = originOf(maps, init)
    return origin && { ...origin, isWhole: false }
  }
  const held = id.properties.find(
    (each) => each.type === 'Property' && each.range[0] <= name.range[0] && name.range[1] <= each.range[1],
  )
  if (held?.type !== 'Property' || held.key.type !== 'Identifier' || held.key.name !== 'value') return undefined
  return { ...entry, isWhole: held.value === name }
}

/** The object that a rest element makes is a new one. */
function isRest(name: Node): boolean {
  return name.parent?.type === 'RestElement'
}

function originInLoop(maps: Maps, over: Node, id: Node, name: Node): Origin | undefined {
  const iterated = unwrap(over)
  const call = maps.call(iterated, 'entries', 'values')
  const map = call?.receiver ?? (maps.isMap(iterated) ? iterated : undefined)
  if (map === undefined || isRest(name)) return undefined
  const value = call?.method === 'values' ? id : id.type === 'ArrayPattern' ? id.elements[1] : undefined
  if (value == null || name.range[0] < value.range[0] || name.range[1] > value.range[1]) return undefined
  return { map, isInline: false, isWhole: value === name }
}

function originOfParameter(maps: Maps, called: Node, name: Node): Origin | undefined {
  if (!isFunction(called) || isRest(name)) return undefined
  const first = called.params.at(0)
  const value = first?.type === 'AssignmentPattern' ? first.left : first
  if (value === undefined || name.range[0] < value.range[0] || name.range[1] > value.range[1]) return undefined
  const call =
    called.parent.type === 'CallExpression' ? maps.call(called.parent, 'update', 'deleteWhere', 'forEach') : undefined
  if (call === undefined || functionGiven(call) !== called) return undefined
  // What a default value made is new, but what the map has is not.
  return { map: call.receiver, isInline: false, isWhole: value === name }
}
