import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { functionOf, memberName, nodesIn, unwrap, type Node } from './ast.js'

type Variable = TSESLint.Scope.Variable
type Span = readonly [number, number]

/**
 * Returns whether what `node` names has got its value `init` before, as far as their places tell. Who goes from a name to
 * its value asks this at each step, and so ends, also where names are defined by each other.
 */
export function isAfter(node: Node, init: Node): boolean {
  return functionOf(node) !== functionOf(init) || init.range[1] <= node.range[0]
}

/** What a file's names mean, and whether two expressions mean the same. */
export class Scopes {
  readonly source: TSESLint.SourceCode
  /** Where members are assigned, by name. */
  #assignments: Map<string, Span[]> | undefined

  constructor(source: TSESLint.SourceCode) {
    this.source = source
  }

  /** Returns the variable that an identifier names; undefined for a global. */
  variable(node: TSESTree.Identifier): Variable | undefined {
    for (let scope: TSESLint.Scope.Scope | null = this.source.getScope(node); scope; scope = scope.upper) {
      const found = scope.set.get(node.name)
      if (found !== undefined) return found.defs.length > 0 ? found : undefined
    }
    return undefined
  }

  /**
   * Returns what the variable named by `node` was given, if that is sure at this place: its initial value, and no write
   * after it that could come before this place.
   */
  initial(node: TSESTree.Identifier): TSESTree.Expression | undefined {
    const variable = this.variable(node)
    const definition = variable?.defs[0]
    if (variable?.defs.length !== 1 || definition?.type !== 'Variable') return undefined
    const { id, init } = definition.node
    if (init === null || id.type !== 'Identifier' || !isAfter(node, init)) return undefined
    return this.#changes(variable, [init.range[1], node.range[0]], node) ? undefined : init
  }

  /** Returns whether two expressions have the same value in one run of their function. */
  isSame(a: Node, b: Node): boolean {
    const span: Span = a.range[0] < b.range[0] ? [a.range[1], b.range[0]] : [b.range[1], a.range[0]]
    return this.#equal(unwrap(a), unwrap(b), span)
  }

  #equal(a: Node, b: Node, span: Span): boolean {
    if (a.type !== b.type) return false
    const equal = (x: Node, y: Node): boolean => this.#equal(unwrap(x), unwrap(y), span)
    switch (a.type) {
      case 'Literal':
        return a.raw === (b as TSESTree.Literal).raw && !('regex' in a)
      case 'ThisExpression':
        return true
      case 'Identifier': {
        const variable = this.variable(a)
        if (a.name !== (b as TSESTree.Identifier).name || variable !== this.variable(b as TSESTree.Identifier))
          return false
        return variable === undefined || !this.#changes(variable, span, a)
      }
      case 'MemberExpression': {
        const other = b as TSESTree.MemberExpression
        if (!equal(a.object, other.object)) return false
        const name = memberName(a)
        if (name === undefined) return a.computed && other.computed && equal(a.property, other.property)
        return name === memberName(other) && !this.#isAssigned(name, span)
      }
      case 'TemplateLiteral': {
        const other = b as TSESTree.TemplateLiteral
        return (
          a.quasis.length === other.quasis.length &&
          a.quasis.every(({ value }, i) => value.raw === other.quasis[i].value.raw) &&
          a.expressions.every((each, i) => equal(each, other.expressions[i]))
        )
      }
      case 'BinaryExpression': {
        const other = b as TSESTree.BinaryExpression
        return a.operator === other.operator && equal(a.left, other.left) && equal(a.right, other.right)
      }
      default:
        return false
    }
  }

  /** Returns whether a variable may get another value in the span, as its function runs. */
  #changes({ references }: Variable, [start, end]: Span, at: Node): boolean {
    const around = functionOf(at)
    return references.some((reference) => {
      if (!reference.isWrite() || reference.init === true) return false
      const { identifier } = reference
      if (functionOf(identifier) !== around) return true
      return start <= identifier.range[0] && identifier.range[0] <= end
    })
  }

  #isAssigned(name: string, [start, end]: Span): boolean {
    if (this.#assignments === undefined) {
      this.#assignments = new Map()
      for (const node of nodesIn(this.source.ast, this.source.visitorKeys)) {
        const target =
          node.type === 'AssignmentExpression'
            ? node.left
            : node.type === 'UpdateExpression'
              ? node.argument
              : undefined
        if (target?.type !== 'MemberExpression') continue
        const assigned = memberName(target)
        if (assigned === undefined) continue
        const spans = this.#assignments.get(assigned)
        if (spans === undefined) this.#assignments.set(assigned, [target.range])
        else spans.push(target.range)
      }
    }
    return this.#assignments.get(name)?.some(([from]) => start <= from && from <= end) === true
  }
}
