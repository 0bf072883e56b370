import type { TSESLint } from '@typescript-eslint/utils'
import { isFunction, memberName, nodesIn, unwrap, type FunctionNode, type Node } from './ast.js'
import type { MapCall } from './maps.js'
import type { Scopes } from './scopes.js'

/** Which argument of a method is a function that the method calls. */
const FUNCTION_ARGUMENT: Readonly<Record<string, number>> = {
  update: 1,
  getOrInsertComputed: 1,
  getOrLoad: 1,
  deleteWhere: 0,
  forEach: 0,
}

/** Methods of arrays that call a function before they return. */
const CALLS_AT_ONCE = new Set(
  'every filter find findIndex findLast findLastIndex flatMap forEach map reduce reduceRight some sort toSorted'.split(
    ' ',
  ),
)
/** Methods of promises that call a function before the promise is settled that they return. */
const CALLS_IN_TURN = new Set(['then', 'catch', 'finally'])

/** Returns the function that a method of a map is given, as it is written in the call. */
export function functionGiven({ method, args }: MapCall): Node | undefined {
  return args[FUNCTION_ARGUMENT[method] ?? args.length]
}

/** Returns the function that an expression names, or is. */
export function functionBehind(scopes: Scopes, node: Node | undefined): FunctionNode | undefined {
  if (node === undefined) return undefined
  const inner = unwrap(node)
  if (isFunction(inner)) return inner
  if (inner.type !== 'Identifier') return undefined
  const definition = scopes.variable(inner)?.defs[0]
  if (definition?.type === 'FunctionName') return isFunction(definition.node) ? definition.node : undefined
  const value = scopes.initial(inner)
  const behind = value && unwrap(value)
  return isFunction(behind) ? behind : undefined
}

/**
 * Yields what runs before a function returns: its nodes, and those of functions that it calls where they stand. With
 * `settled`, what runs before the promise is settled that it returns.
 */
export function* nodesRunBy(
  called: FunctionNode,
  keys: TSESLint.SourceCode.VisitorKeys,
  settled?: 'settled',
): Generator<Node, undefined, undefined> {
  for (const part of [...called.params, called.body]) {
    for (const node of nodesIn(part, keys, 'function')) {
      yield node
      if (isFunction(node) && isCalledBy(node, settled)) yield* nodesRunBy(node, keys, settled)
    }
  }
}

function isCalledBy(node: FunctionNode, settled: 'settled' | undefined): boolean {
  const { parent } = node
  if (parent.type !== 'CallExpression') return false
  if (parent.callee === node) return true
  const callee = unwrap(parent.callee)
  const name = callee.type === 'MemberExpression' ? memberName(callee) : undefined
  return name !== undefined && (CALLS_AT_ONCE.has(name) || (settled !== undefined && CALLS_IN_TURN.has(name)))
}

/** Yields what a function returns. */
export function* resultsOf(
  called: FunctionNode,
  keys: TSESLint.SourceCode.VisitorKeys,
): Generator<Node, undefined, undefined> {
  if (called.body.type !== 'BlockStatement') {
    yield called.body
    return
  }
  for (const node of nodesIn(called.body, keys, 'function')) {
    if (node.type === 'ReturnStatement' && node.argument !== null) yield node.argument
  }
}
