import type { TSESTree } from '@typescript-eslint/utils'
import { contains, exits, isFunction, isUndefined, nodesIn, unwrap, type Node } from './ast.js'
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
export function* conditionsOf(maps: Maps, node: Node): Generator<Condition, undefined, undefined> {
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
        yield* guardsBefore(maps, at.body, from)
        break
      case 'SwitchCase':
        yield* guardsBefore(maps, at.consequent, from)
        break
      case 'ClassBody':
        return
      default:
    }
  }
  // A function's body is a block, or all of it an expression.
}

/** Statements of a block that leave it, unless..., and loops that end when... */
function* guardsBefore(maps: Maps, body: readonly Node[], before: Node): Generator<Condition, undefined, undefined> {
  for (const each of body.slice(0, body.indexOf(before)).reverse()) {
    switch (each.type) {
      case 'IfStatement': {
        const { test, consequent, alternate } = each
        if (exits(consequent)) yield { test, holds: false, at: each }
        else if (exits(alternate)) yield { test, holds: true, at: each }
        break
      }
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForStatement':
        if (each.test !== null && !isBroken(maps, each.body)) yield { test: each.test, holds: false, at: each }
        break
      default:
    }
  }
}

/** Returns whether a loop may end by `break`: where it is not sure whose that is, too. */
function isBroken({ scopes: { source } }: Maps, body: Node): boolean {
  for (const node of nodesIn(body, source.visitorKeys, 'function')) {
    if (node.type !== 'BreakStatement') continue
    const ends = node.label === null ? breakableAround(node) : undefined
    if (ends === undefined || !contains(body, ends)) return true
  }
  return false
}

/** Returns what `break` ends at this place. */
function breakableAround(node: Node): Node | undefined {
  for (let at = node.parent; at != null; at = at.parent) {
    if (/^((Do)?While|For(In|Of)?|Switch)Statement$/.test(at.type)) return at
  }
  return undefined
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
    const call = hasBehind(maps, node) ?? readBehind(maps, node)
    if (call !== undefined) yield { call, present: holds, isExact: !['get', 'peek'].includes(call.method), isAlone }
  }
}

/** Returns the `has` whose result `node` is; by a variable only if the key was not written meanwhile. */
function hasBehind(maps: Maps, node: Node): MapCall | undefined {
  const call = maps.call(node, 'has')
  if (call !== undefined || node.type !== 'Identifier') return call
  const value = maps.scopes.initial(node)
  const has = value && maps.call(value, 'has')
  if (has === undefined) return undefined
  const isWritten = maps.calls.some(
    (each) =>
      !LOOKS.includes(each.method) &&
      each.method !== 'has' &&
      has.node.range[1] <= each.node.range[0] &&
      each.node.range[1] <= node.range[0] &&
      maps.onSameMap(has, each),
  )
  return isWritten ? undefined : has
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
