import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { contains, functionOf, nodesIn, type Node } from './ast.js'
import type { MapCall, Maps } from './maps.js'

/** Methods that return the value of a key, or wait for it. */
export const READS = ['get', 'getEntry', 'peek', 'peekEntry', 'getOrInsert', 'getOrInsertComputed', 'getOrLoad']

/** Methods that store a value, whatever is there. */
export const BLIND_WRITES = ['set', 'swap', 'replace']

/**
 * Returns the read, on the same key of the same map and in the same function as `write`, of whose result `node` makes
 * use: itself, or by variables that come from it and from nothing else.
 */
export function readUsedIn(
  source: TSESLint.SourceCode,
  maps: Maps,
  node: Node,
  write: MapCall,
  seen = new Set<unknown>(),
): MapCall | undefined {
  for (const each of nodesIn(node, source.visitorKeys)) {
    if (each.type === 'CallExpression') {
      const read = maps.call(each, ...READS)
      if (read !== undefined && isReadFor(maps, read, write)) return read
    } else if (each.type === 'Identifier') {
      const read = readBehindVariable(source, maps, each, write, seen)
      if (read !== undefined) return read
    }
  }
  return undefined
}

function isReadFor(maps: Maps, read: MapCall, write: MapCall): boolean {
  return (
    read.node.range[0] < write.node.range[1] &&
    functionOf(read.node) === functionOf(write.node) &&
    maps.onSameKey(read, write)
  )
}

function readBehindVariable(
  source: TSESLint.SourceCode,
  maps: Maps,
  node: TSESTree.Identifier,
  write: MapCall,
  seen: Set<unknown>,
): MapCall | undefined {
  const variable = maps.scopes.variable(node)
  if (variable?.defs[0].type !== 'Variable' || seen.has(variable)) return undefined
  // A name of a member, or of a property, is no reference.
  if (!variable.references.some(({ identifier }) => identifier === node)) return undefined
  seen.add(variable)
  let found: MapCall | undefined
  for (const reference of variable.references) {
    if (!reference.isWrite()) continue
    const { identifier, writeExpr } = reference
    if (functionOf(identifier) !== functionOf(write.node)) return undefined
    if (writeExpr == null) continue // ++ and --
    if (identifier.parent.type === 'AssignmentExpression' && identifier.parent.operator !== '=') continue
    const read = readUsedIn(source, maps, writeExpr, write, seen)
    if (read !== undefined) found ??= read
    else if (!usesVariable(source, writeExpr, variable) && !isDefault(source, identifier, variable, write))
      return undefined
  }
  return found
}

/** `if (list === undefined) list = []`, before the write: what was read is still there in the other case. */
function isDefault(
  source: TSESLint.SourceCode,
  identifier: Node,
  variable: TSESLint.Scope.Variable,
  write: MapCall,
): boolean {
  for (
    let from = identifier, at = identifier.parent;
    at != null && !contains(at, write.node);
    from = at, at = at.parent
  ) {
    const test =
      at.type === 'IfStatement' && at.alternate === null && from === at.consequent
        ? at.test
        : at.type === 'LogicalExpression' && from === at.right
          ? at.left
          : undefined
    if (test !== undefined && at.range[1] <= write.node.range[0]) return usesVariable(source, test, variable)
  }
  return false
}

function usesVariable(source: TSESLint.SourceCode, node: Node, { references }: TSESLint.Scope.Variable): boolean {
  for (const each of nodesIn(node, source.visitorKeys)) {
    if (references.some(({ identifier }) => identifier === each)) return true
  }
  return false
}
