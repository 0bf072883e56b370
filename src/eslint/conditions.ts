import type { TSESTree } from '@typescript-eslint/utils'
import { exits, isFunction, isUndefined, unwrap, type Node } from './ast.js'
import type { MapCall, Maps } from './maps.js'

/** Methods that return what is there, or undefined. */
export const LOOKS = ['get', 'getEntry', 'peek', 'peekEntry']

/** A condition under which a node is reached: `test` was true, or it was false or, for `??`, nullish. */
export interface Condition {
  readonly test: Node
  readonly holds: boolean
  /** What branches. */
  readonly at: Node
}

/** Yields the conditions under which `node` is reached within its function, from the inside out. */
export function* conditionsOf(node: Node): Generator<Condition, undefined, undefined> {
  for (let from = node, at = node.parent; at != null && !isFunction(at); from = at, at = at.parent) {
    switch (at.type) {
      case 'IfStatement':
      case 'ConditionalExpression':
        if (from !== at.test) yield { test: at.test, holds: from === at.consequent, at }
        break
      case 'LogicalExpression':
        if (from === at.right) yield { test: at.left, holds: at.operator === '&&', at }
        break
      case 'BlockStatement':
      case 'Program':
        yield* guardsBefore(at.body, from)
        break
      case 'SwitchCase':
        yield* guardsBefore(at.consequent, from)
        break
      case 'ClassBody':
        return
      default:
    }
  }
  // A function's body is a block, or all of it an expression.
}

/** Statements of a block that leave it, unless... */
function* guardsBefore(body: readonly Node[], before: Node): Generator<Condition, undefined, undefined> {
  for (const each of body.slice(0, body.indexOf(before)).reverse()) {
    if (each.type !== 'IfStatement') continue
    const { test, consequent, alternate } = each
    if (exits(consequent)) yield { test, holds: false, at: each }
    else if (exits(alternate)) yield { test, holds: true, at: each }
  }
}

/** What a condition tells about an entry. */
export interface Presence {
  readonly call: MapCall
  readonly present: boolean
  /** Whether a value like 0 cannot be taken for an absent one. */
  readonly isExact: boolean
  /** Whether only this decides. */
  readonly isAlone: boolean
}

/** Yields what is known of entries where `test` is true, or false. */
export function* presences(
  maps: Maps,
  test: Node,
  holds: boolean,
  isAlone = true,
): Generator<Presence, undefined, undefined> {
  const node = unwrap(test)
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    yield* presences(maps, node.argument, !holds, isAlone)
  } else if (node.type === 'LogicalExpression' && node.operator === (holds ? '&&' : '||')) {
    yield* presences(maps, node.left, holds, false)
    yield* presences(maps, node.right, holds, false)
  } else if (node.type === 'BinaryExpression') {
    const call = comparedWithUndefined(maps, node)
    if (call !== undefined) yield { call, present: node.operator.startsWith('=') !== holds, isExact: true, isAlone }
  } else {
    const has = maps.call(node, 'has')
    const call = has ?? readBehind(maps, node)
    if (call !== undefined) yield { call, present: holds, isExact: !['get', 'peek'].includes(call.method), isAlone }
  }
}

function comparedWithUndefined(maps: Maps, { operator, left, right }: TSESTree.BinaryExpression): MapCall | undefined {
  if (!/^[!=]==?$/.test(operator)) return undefined
  for (const [value, other] of [
    [left, right],
    [right, left],
  ] as [Node, Node][]) {
    const isAbsent =
      isUndefined(other) ||
      (operator.length === 2 && other.type === 'Literal' && other.value === null && other.raw === 'null')
    if (isAbsent) return readBehind(maps, value)
    const isName = other.type === 'Literal' && other.value === 'undefined'
    if (isName && value.type === 'UnaryExpression' && value.operator === 'typeof')
      return readBehind(maps, value.argument)
  }
  return undefined
}

/** Returns the read whose result `node` is, by itself or by a variable that has not changed since. */
export function readBehind(maps: Maps, node: Node): MapCall | undefined {
  const inner = unwrap(node)
  if (inner.type === 'Identifier') {
    const value = maps.scopes.initial(inner)
    return value && maps.call(value, ...LOOKS)
  }
  if (inner.type === 'AssignmentExpression' && inner.operator === '=') return maps.call(inner.right, ...LOOKS)
  return maps.call(inner, ...LOOKS)
}
