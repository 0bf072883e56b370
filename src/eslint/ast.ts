import type { TSESLint, TSESTree } from '@typescript-eslint/utils'

/** A node of the tree, as ESLint's own parser or that of typescript-eslint makes it. */
export type Node = TSESTree.Node

/** What a function is written as. */
export type FunctionNode = TSESTree.ArrowFunctionExpression | TSESTree.FunctionDeclaration | TSESTree.FunctionExpression

const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionDeclaration', 'FunctionExpression'])
const WRAPPERS = new Set([
  'ChainExpression',
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
])

/** Returns whether `node` is a function of any form. */
export function isFunction(node: Node | null | undefined): node is FunctionNode {
  return node != null && FUNCTIONS.has(node.type)
}

/** Returns the expression inside type assertions, `!` of TypeScript, and optional chains. */
export function unwrap(node: Node): Node {
  let inner = node
  while (WRAPPERS.has(inner.type)) inner = (inner as TSESTree.TSAsExpression).expression
  return inner
}

/** Returns the outermost expression that {@link unwrap} would take back to `node`. */
export function wrapped(node: Node): Node {
  let outer = node
  while (outer.parent != null && WRAPPERS.has(outer.parent.type)) outer = outer.parent
  return outer
}

/** Returns the function that `node` is in; undefined at the top of a module and in a static block. */
export function functionOf(node: Node): FunctionNode | undefined {
  for (let at = node.parent; at != null; at = at.parent) if (isFunction(at)) return at
  return undefined
}

/** Returns the class whose `this` is meant at `node`. */
export function classAround(node: Node): TSESTree.ClassDeclaration | TSESTree.ClassExpression | undefined {
  for (let at = node.parent, from: Node = node; at != null; from = at, at = at.parent) {
    if (at.type === 'ClassDeclaration' || at.type === 'ClassExpression') return at
    // A function other than an arrow has a `this` of its own, unless it is a method.
    if ((at.type === 'FunctionExpression' || at.type === 'FunctionDeclaration') && from !== at) {
      if (at.parent.type !== 'MethodDefinition') return undefined
    }
  }
  return undefined
}

/** Returns whether `inner` lies in `outer`, or is it. */
export function contains(outer: Node, inner: Node): boolean {
  return outer.range[0] <= inner.range[0] && inner.range[1] <= outer.range[1]
}

/** Yields `node` and all below it, functions included unless `within` says that they are left out. */
export function* nodesIn(
  node: Node,
  keys: TSESLint.SourceCode.VisitorKeys,
  within?: 'function',
): Generator<Node, undefined, undefined> {
  yield node
  if (within === 'function' && isFunction(node)) return
  for (const key of keys[node.type] ?? []) {
    const child = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key]
    for (const each of Array.isArray(child) ? child : [child]) if (each != null) yield* nodesIn(each, keys, within)
  }
}

/** Returns the name of a member that is not computed, or computed from a string; private names with their `#`. */
export function memberName(node: TSESTree.MemberExpression): string | undefined {
  const { property } = node
  if (!node.computed)
    return property.type === 'PrivateIdentifier' ? `#${property.name}` : (property as TSESTree.Identifier).name
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}

/** Returns the name of a key of an object literal, a pattern or a class. */
export function keyName(node: { readonly key: Node; readonly computed: boolean }): string | undefined {
  const { key, computed } = node
  if (key.type === 'PrivateIdentifier') return `#${key.name}`
  if (key.type === 'Identifier' && !computed) return key.name
  return key.type === 'Literal' ? String(key.value) : undefined
}

/** Returns whether a statement never lets the next one run. */
export function exits(node: Node | null | undefined): boolean {
  switch (node?.type) {
    case 'ReturnStatement':
    case 'ThrowStatement':
    case 'ContinueStatement':
    case 'BreakStatement':
      return true
    case 'BlockStatement':
      return exits(node.body.at(-1))
    case 'IfStatement':
      return exits(node.consequent) && exits(node.alternate)
    default:
      return false
  }
}

/** Returns whether an expression does nothing but have a value, so that it may as well be evaluated more often. */
export function isPure(node: Node): boolean {
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
    case 'ThisExpression':
      return true
    case 'TemplateLiteral':
      return node.expressions.every(isPure)
    case 'UnaryExpression':
      return node.operator !== 'delete' && isPure(node.argument)
    case 'BinaryExpression':
    case 'LogicalExpression':
      return isPure(node.left) && isPure(node.right)
    case 'ConditionalExpression':
      return isPure(node.test) && isPure(node.consequent) && isPure(node.alternate)
    case 'MemberExpression':
      return isPure(node.object) && (!node.computed || isPure(node.property))
    case 'ArrayExpression':
      return node.elements.every((each) => each === null || isPure(each))
    case 'ObjectExpression':
      return node.properties.every((each) =>
        each.type === 'SpreadElement'
          ? isPure(each.argument)
          : (!each.computed || isPure(each.key)) && isPure(each.value),
      )
    default:
      return WRAPPERS.has(node.type) && isPure(unwrap(node))
  }
}

/** Returns whether the function around `node` would wait, or give up control, inside it. */
export function isPaused(node: Node, keys: TSESLint.SourceCode.VisitorKeys): boolean {
  for (const each of nodesIn(node, keys, 'function')) {
    if (each.type === 'AwaitExpression' || each.type === 'YieldExpression') return true
  }
  return false
}

/** Returns whether `node` is written `undefined` or `void 0`. */
export function isUndefined(node: Node): boolean {
  return (
    (node.type === 'Identifier' && node.name === 'undefined') ||
    (node.type === 'UnaryExpression' && node.operator === 'void')
  )
}

/** Returns the statement that `node` is, where it is a statement by itself or all of a block. */
export function soleStatement(node: Node): TSESTree.ExpressionStatement | undefined {
  const only = node.type === 'BlockStatement' && node.body.length === 1 ? node.body[0] : node
  return only.type === 'ExpressionStatement' ? only : undefined
}
