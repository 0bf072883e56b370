import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { functionOf, unwrap, type Node } from './ast.js'
import type { MapCall, Maps } from './maps.js'

/** A write that adds a whole number to the number that its key has. */
export interface Count {
  /** What is added, as `increment` takes it; undefined for 1. */
  readonly by: string | undefined
}

/** Returns what `map.set(key, ...)` adds to the value of `key`; undefined if it does anything else. */
export function countOf(source: TSESLint.SourceCode, maps: Maps, write: MapCall): Count | undefined {
  const value = unwrap(write.args[1])
  const isRead = (node: Node): boolean => isReadOf(maps, node, write)
  if (value.type === 'Identifier') return countedVariable(source, maps, value, isRead)
  return sumOf(source, value, isReadOrVariable(maps, isRead))
}

/** Returns what an expression adds to what `isCount` recognizes. */
export function sumOf(source: TSESLint.SourceCode, node: Node, isCount: (node: Node) => boolean): Count | undefined {
  const sum = unwrap(node)
  if (sum.type !== 'BinaryExpression' || (sum.operator !== '+' && sum.operator !== '-')) return undefined
  const { left, right, operator } = sum
  if (isCountOrNone(left, isCount)) return amount(source, right, operator)
  return operator === '+' && isCountOrNone(right, isCount) ? amount(source, left, '+') : undefined
}

/** `count`, or `count ?? 0`, or `count || 0`. */
function isCountOrNone(node: Node, isCount: (node: Node) => boolean): boolean {
  const inner = unwrap(node)
  if (inner.type === 'LogicalExpression' && inner.operator !== '&&') {
    return isLiteral(inner.right, 0) && isCountOrNone(inner.left, isCount)
  }
  return isCount(inner)
}

function isLiteral(node: Node, value: number): boolean {
  return node.type === 'Literal' && node.value === value
}

/** A whole number: a literal, or a length. Anything else may be a fraction, which `increment` refuses. */
function amount(source: TSESLint.SourceCode, node: Node, operator: '+' | '-'): Count | undefined {
  const by = unwrap(node)
  const isNegative = by.type === 'UnaryExpression' && by.operator === '-'
  const digits = isNegative ? by.argument : by
  if (digits.type === 'Literal' && Number.isSafeInteger(digits.value)) {
    const number = (digits.value as number) * (isNegative ? -1 : 1) * (operator === '-' ? -1 : 1)
    return { by: number === 1 ? undefined : `${number}` }
  }
  if (by.type !== 'MemberExpression' || by.computed || by.property.type !== 'Identifier') return undefined
  if (!['length', 'size', 'byteLength'].includes(by.property.name)) return undefined
  return { by: `${operator === '-' ? '-' : ''}${source.getText(by)}` }
}

function isReadOf(maps: Maps, node: Node, write: MapCall): boolean {
  const read = maps.call(node, 'get', 'peek')
  if (read === undefined || !maps.onSameKey(read, write) || read.node.range[0] > write.node.range[1]) return false
  return functionOf(read.node) === functionOf(write.node) && maps.types?.kinds(node)?.has('string') !== true
}

/** `const n = map.get(key) ?? 0` and `n + 1`, or `let n = ...` and `n++`, stored afterwards. */
function countedVariable(
  source: TSESLint.SourceCode,
  maps: Maps,
  node: TSESTree.Identifier,
  isRead: (node: Node) => boolean,
): Count | undefined {
  const variable = maps.scopes.variable(node)
  const definition = variable?.defs[0]
  if (definition?.type !== 'Variable' || definition.node.init === null || definition.node.id.type !== 'Identifier') {
    return undefined
  }
  const { init } = definition.node
  const writes = variable!.references.filter((reference) => reference.isWrite() && reference.init !== true)
  if (writes.length === 0) return sumOf(source, init, isReadOrVariable(maps, isRead))
  if (writes.length > 1 || !isCountOrNone(init, isRead)) return undefined
  const change = writes[0].identifier.parent
  if (functionOf(change) !== functionOf(node) || change.range[0] > node.range[0]) return undefined
  if (change.parent?.type !== 'ExpressionStatement' || change.parent.parent !== definition.node.parent.parent)
    return undefined
  if (change.type === 'UpdateExpression') return { by: change.operator === '++' ? undefined : '-1' }
  if (change.type !== 'AssignmentExpression' || !/^[+-]=$/.test(change.operator)) return undefined
  return amount(source, change.right, change.operator[0] as '+' | '-')
}

/** A read, or a variable that has its result and 0 for none. */
export function isReadOrVariable(maps: Maps, isRead: (node: Node) => boolean): (node: Node) => boolean {
  return (node) => {
    if (node.type !== 'Identifier') return isRead(node)
    const value = maps.scopes.initial(node)
    return value !== undefined && isCountOrNone(value, isRead)
  }
}
