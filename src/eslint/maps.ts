import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { classAround, contains, keyName, memberName, nodesIn, unwrap, wrapped, type Node } from './ast.js'
import { isAfter, Scopes } from './scopes.js'
import { readSettings, type Settings } from './settings.js'
import { Types } from './types.js'

/** A call of a method of a map. */
export interface MapCall {
  readonly node: TSESTree.CallExpression
  readonly receiver: TSESTree.Expression
  readonly method: string
  readonly args: readonly TSESTree.CallExpressionArgument[]
}

type ClassName = 'ConcurrentMap' | 'ConcurrentCache'

/** Methods that return their map. */
const FLUENT = ['set', 'setMany']

const files = new WeakMap<TSESLint.SourceCode, Maps>()

/** Returns what is known of the maps of a file, which all rules share. */
export function mapsOf(source: TSESLint.SourceCode, settings: TSESLint.SharedConfigurationSettings): Maps {
  let found = files.get(source)
  if (found === undefined) files.set(source, (found = new Maps(source, readSettings(settings))))
  return found
}

/**
 * Which expressions of a file are maps. A map is what the file makes by a class imported from mapsafe, what an annotation
 * or TypeScript's types call one, and what the settings name. Nothing else is, so that no rule speaks of a `Map`.
 */
export class Maps {
  readonly scopes: Scopes
  readonly types: Types | undefined
  readonly #source: TSESLint.SourceCode
  readonly #settings: Settings
  readonly #known = new Map<Node, boolean>()
  #calls: MapCall[] | undefined

  constructor(source: TSESLint.SourceCode, settings: Settings) {
    this.#source = source
    this.#settings = settings
    this.scopes = new Scopes(source)
    this.types = Types.of(source)
  }

  /** Returns the call of one of `methods` on a map that `node` is; of any method if none is named. */
  call(node: Node, ...methods: readonly string[]): MapCall | undefined {
    const inner = unwrap(node)
    if (inner.type !== 'CallExpression') return undefined
    const callee = unwrap(inner.callee)
    if (callee.type !== 'MemberExpression') return undefined
    const method = memberName(callee)
    if (method === undefined || (methods.length > 0 && !methods.includes(method))) return undefined
    if (inner.arguments.some(({ type }) => type === 'SpreadElement') || !this.isMap(callee.object)) return undefined
    return { node: inner, receiver: callee.object, method, args: inner.arguments }
  }

  /** All calls of maps' methods in the file. */
  get calls(): readonly MapCall[] {
    if (this.#calls === undefined) {
      this.#calls = []
      for (const node of nodesIn(this.#source.ast, this.#source.visitorKeys)) {
        const call = node.type === 'CallExpression' ? this.call(node) : undefined
        if (call !== undefined) this.#calls.push(call)
      }
    }
    return this.#calls
  }

  /** Returns whether two calls are on the same map. */
  onSameMap(a: MapCall, b: MapCall): boolean {
    return this.scopes.isSame(a.receiver, b.receiver)
  }

  /** Returns whether two calls are on the same key of the same map. */
  onSameKey(a: MapCall, b: MapCall): boolean {
    return a.args.length > 0 && b.args.length > 0 && this.onSameMap(a, b) && this.scopes.isSame(a.args[0], b.args[0])
  }

  /** Returns whether an expression is a map or cache. */
  isMap(node: Node): boolean {
    const inner = unwrap(node)
    let known = this.#known.get(inner)
    if (known === undefined) {
      // What is defined by itself is unknown.
      this.#known.set(inner, false)
      known = this.#sources(inner) !== undefined || this.#isNamed(inner) || this.types?.isMap(inner) === true
      this.#known.set(inner, known)
    }
    return known
  }

  /** Returns whether a map is seen to be a cache. */
  isCache(node: Node): boolean {
    const inner = unwrap(node)
    const sources = this.#sources(inner)
    if (sources !== undefined && sources.length > 0) return sources.every(({ name }) => name === 'ConcurrentCache')
    return this.types?.isCache(inner) === true
  }

  /** Returns whether the values of a map are sure to come back frozen: the file shows how it was opened. */
  isFrozen(node: Node): boolean {
    const sources = this.#sources(unwrap(node))
    return sources?.every(isFrozen) === true
  }

  /** Returns what types a map is annotated to have for key and value. */
  typeArguments(node: Node): readonly TSESTree.TypeNode[] | undefined {
    return (this.#sources(unwrap(node)) ?? []).find(({ types }) => types !== undefined)?.types
  }

  #isNamed(node: Node): boolean {
    if (node.type !== 'Identifier' && node.type !== 'MemberExpression') return false
    return this.#settings.isMap(this.#source.getText(node).replaceAll(/\s+|!|\?(?=\.)/g, ''))
  }

  /** Returns the places that made what `node` is; undefined unless all of them are seen to make maps. */
  #sources(node: Node, seen: ReadonlySet<unknown> = new Set()): Source[] | undefined {
    switch (node.type) {
      case 'NewExpression':
        return this.#made(node.callee, node.arguments[0], node.typeArguments)
      case 'CallExpression':
        return this.#called(node, seen)
      case 'AssignmentExpression':
        return this.#sources(unwrap(node.right), seen)
      case 'ConditionalExpression':
        return this.#all([node.consequent, node.alternate], seen)
      case 'LogicalExpression':
        return node.operator === '&&' ? undefined : this.#all([node.left, node.right], seen)
      case 'ThisExpression': {
        const base = classAround(node)?.superClass
        const name = base == null ? undefined : this.#classOf(unwrap(base))
        return name && [{ name }]
      }
      case 'Identifier':
        return this.#ofVariable(node, seen)
      case 'MemberExpression':
        return this.#ofMember(node, seen)
      default:
        return undefined
    }
  }

  #all(nodes: readonly Node[], seen: ReadonlySet<unknown>): Source[] | undefined {
    const found: Source[] = []
    for (const node of nodes) {
      if (isNothing(node)) continue
      const sources = this.#sources(unwrap(node), seen)
      if (sources === undefined) return undefined
      found.push(...sources)
    }
    return found.length > 0 ? found : undefined
  }

  #made(
    callee: Node,
    options: Node | undefined,
    types: TSESTree.TSTypeParameterInstantiation | undefined,
  ): Source[] | undefined {
    const name = this.#classOf(unwrap(callee))
    return name === undefined
      ? undefined
      : [{ name, options: options === undefined ? null : unwrap(options), types: types?.params }]
  }

  #called(node: TSESTree.CallExpression, seen: ReadonlySet<unknown>): Source[] | undefined {
    const callee = unwrap(node.callee)
    if (callee.type !== 'MemberExpression') return undefined
    const method = memberName(callee)
    if (method === 'attach') return this.#made(callee.object, node.arguments[1], node.typeArguments)
    return method !== undefined && FLUENT.includes(method) ? this.#sources(unwrap(callee.object), seen) : undefined
  }

  #ofVariable(node: TSESTree.Identifier, seen: ReadonlySet<unknown>): Source[] | undefined {
    const variable = this.scopes.variable(node)
    if (variable?.defs.length !== 1 || seen.has(variable)) return undefined
    const [definition] = variable.defs
    if (definition.type !== 'Variable' && definition.type !== 'Parameter') return undefined
    if (definition.name.type !== 'Identifier') return undefined
    const annotated = this.#annotated(definition.name.typeAnnotation)
    const writes = variable.references.filter((reference) => reference.isWrite())
    if (definition.type === 'Parameter' || writes.length === 0) return annotated && [annotated]
    if (definition.node.id.type !== 'Identifier') return undefined
    const values = writes.map(({ writeExpr, identifier }) => {
      // Of a loop, the expression is what is iterated, and of a pattern, what is taken apart.
      const { parent } = identifier
      const isWhole =
        (parent.type === 'VariableDeclarator' && parent.init === writeExpr) ||
        (parent.type === 'AssignmentExpression' && parent.left === identifier)
      return isWhole && writeExpr ? writeExpr : undefined
    })
    const within = new Set([...seen, variable])
    const made = values.includes(undefined) ? undefined : this.#all(values as Node[], within)
    if (made === undefined) return annotated && [annotated]
    return annotated?.types === undefined
      ? made
      : made.map((source) => ({ ...source, types: source.types ?? annotated.types }))
  }

  #ofMember(node: TSESTree.MemberExpression, seen: ReadonlySet<unknown>): Source[] | undefined {
    const name = memberName(node)
    if (name === undefined) return undefined
    const object = unwrap(node.object)
    if (object.type === 'ThisExpression') return this.#ofField(classAround(object), name, seen)
    if (object.type !== 'Identifier') return undefined
    const definition = this.scopes.variable(object)?.defs[0]
    if (definition?.type === 'ClassName') return this.#ofField(definition.node, name, seen, object.name)
    const literal = this.scopes.initial(object)
    if (literal?.type !== 'ObjectExpression' || seen.has(literal)) return undefined
    for (const each of literal.properties) {
      if (each.type === 'Property' && keyName(each) === name) {
        return this.#sources(unwrap(each.value), new Set([...seen, literal]))
      }
    }
    return undefined
  }

  /**
   * A field of a class: what declares it, and all that is assigned to it in the class. With `staticOf`, the name of the
   * class, a static field: also what is assigned to it by that name.
   */
  #ofField(
    owner: ReturnType<typeof classAround>,
    name: string,
    seen: ReadonlySet<unknown>,
    staticOf?: string,
  ): Source[] | undefined {
    if (owner === undefined) return undefined
    const field = `${owner.range.join()} ${name}`
    if (seen.has(field)) return undefined
    const values: Node[] = []
    let annotated: Source | undefined
    for (const node of nodesIn(staticOf === undefined ? owner.body : this.#source.ast, this.#source.visitorKeys)) {
      if (isField(node) && node.parent.parent === owner && keyName(node) === name) {
        if (staticOf !== undefined && !node.static) return undefined
        annotated = this.#annotated(node.typeAnnotation)
        if (node.value !== null) values.push(node.value)
      } else if (node.type === 'TSParameterProperty' && classAround(node) === owner) {
        const { parameter: given } = node
        const parameter: Node = given.type === 'AssignmentPattern' ? given.left : given
        if (parameter.type === 'Identifier' && parameter.name === name)
          annotated = this.#annotated(parameter.typeAnnotation)
      } else if (
        node.type === 'AssignmentExpression' &&
        node.left.type === 'MemberExpression' &&
        (isThisOf(owner, node.left.object) || isNamed(node.left.object, staticOf)) &&
        memberName(node.left) === name
      ) {
        values.push(node.right)
      }
    }
    return this.#all(values, new Set([...seen, field])) ?? (annotated && [annotated])
  }

  #annotated(annotation: TSESTree.TSTypeAnnotation | undefined): Source | undefined {
    let type = annotation?.typeAnnotation
    if (type?.type === 'TSUnionType') {
      const rest: TSESTree.TypeNode[] = type.types.filter(
        (each) => each.type !== 'TSUndefinedKeyword' && each.type !== 'TSNullKeyword',
      )
      type = rest.length === 1 ? rest[0] : undefined
    }
    if (type?.type !== 'TSTypeReference') return undefined
    const { typeName, typeArguments } = type
    const name =
      typeName.type === 'Identifier'
        ? this.#classOf(typeName)
        : typeName.type === 'TSQualifiedName' && this.#isModule(typeName.left)
          ? asClass(typeName.right.name)
          : undefined
    return name && { name, types: typeArguments?.params }
  }

  /** Returns which class of mapsafe `node` is, or extends. */
  #classOf(node: Node, seen: ReadonlySet<Node> = new Set()): ClassName | undefined {
    if (node.type === 'MemberExpression')
      return this.#isModule(unwrap(node.object)) ? asClass(memberName(node)) : undefined
    if (node.type !== 'Identifier') return undefined
    const definition = this.scopes.variable(node)?.defs[0]
    if (definition?.type === 'ImportBinding') {
      const { node: specifier, parent } = definition
      if (specifier.type !== 'ImportSpecifier' || parent.type !== 'ImportDeclaration') return undefined
      if (!this.#settings.isModule(parent.source.value)) return undefined
      return asClass(specifier.imported.type === 'Identifier' ? specifier.imported.name : specifier.imported.value)
    }
    if (definition?.type === 'ClassName') {
      const { node: itself } = definition
      const base = itself.superClass
      return base === null || seen.has(itself) ? undefined : this.#classOf(unwrap(base), new Set([...seen, itself]))
    }
    if (definition?.type !== 'Variable') return undefined
    const { id, init } = definition.node
    if (init === null) return undefined
    if (id.type === 'Identifier') return init.type === 'MemberExpression' ? this.#classOf(init) : undefined
    if (id.type !== 'ObjectPattern' || !this.#isModule(unwrap(init))) return undefined
    for (const each of id.properties) {
      if (each.type === 'Property' && each.value === definition.name) return asClass(keyName(each))
    }
    return undefined
  }

  /** Returns whether `node` is all that mapsafe exports. */
  #isModule(node: Node): boolean {
    if (node.type === 'AwaitExpression') return this.#isModule(node.argument)
    const isOurs = (from: Node | undefined): boolean =>
      from?.type === 'Literal' && typeof from.value === 'string' && this.#settings.isModule(from.value)
    if (node.type === 'ImportExpression') return isOurs(node.source)
    if (node.type === 'CallExpression') {
      return node.callee.type === 'Identifier' && node.callee.name === 'require' && isOurs(node.arguments[0])
    }
    if (node.type !== 'Identifier') return false
    const definition = this.scopes.variable(node)?.defs[0]
    if (definition?.type === 'ImportBinding') {
      const { node: specifier, parent } = definition
      if (specifier.type === 'TSImportEqualsDeclaration') {
        const { moduleReference: from } = specifier
        return from.type === 'TSExternalModuleReference' && isOurs(from.expression)
      }
      return specifier.type === 'ImportNamespaceSpecifier' && isOurs((parent as TSESTree.ImportDeclaration).source)
    }
    return (
      definition?.type === 'Variable' &&
      definition.node.id.type === 'Identifier' &&
      definition.node.init !== null &&
      isAfter(node, definition.node.init) &&
      this.#isModule(unwrap(definition.node.init))
    )
  }
}

function isField(node: Node): node is TSESTree.PropertyDefinition | TSESTree.AccessorProperty {
  return node.type === 'PropertyDefinition' || node.type === 'AccessorProperty'
}

function isThisOf(owner: Node, node: Node): boolean {
  return node.type === 'ThisExpression' && contains(owner, node)
}

function isNamed(node: Node, name: string | undefined): boolean {
  return node.type === 'Identifier' && node.name === name
}

/** One place that makes a map. */
interface Source {
  readonly name: ClassName
  /** What options it is made with; null if with none, undefined if that is not to be seen. */
  readonly options?: Node | null
  readonly types?: readonly TSESTree.TypeNode[] | undefined
}

function asClass(name: string | undefined): ClassName | undefined {
  return name === 'ConcurrentMap' || name === 'ConcurrentCache' ? name : undefined
}

function isFrozen({ options }: Source): boolean {
  if (options === undefined) return false
  if (options === null || isNothing(options)) return true
  if (options.type !== 'ObjectExpression') return false
  return options.properties.every(
    (each) =>
      each.type === 'Property' &&
      (keyName(each) !== 'freeze' || (each.value.type === 'Literal' && each.value.value === true)),
  )
}

function isNothing(node: Node): boolean {
  return (node.type === 'Identifier' && node.name === 'undefined') || (node.type === 'Literal' && node.value === null)
}

/** Returns whether the value of an expression is dropped. */
export function isDropped(node: Node): boolean {
  const outer = wrapped(node)
  const { parent } = outer
  switch (parent?.type) {
    case 'ExpressionStatement':
      return true
    case 'LogicalExpression':
      return parent.right === outer && isDropped(parent)
    case 'ConditionalExpression':
      return parent.test !== outer && isDropped(parent)
    case 'SequenceExpression':
      return parent.expressions.at(-1) !== outer || isDropped(parent)
    default:
      return false
  }
}
