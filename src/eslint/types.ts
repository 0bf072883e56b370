import type { TSESLint, ParserServicesWithTypeInformation } from '@typescript-eslint/utils'
import type { Node } from './ast.js'

/** What is used of a type of TypeScript, whose own guards would leave nothing of what is left. */
interface Type {
  readonly types?: readonly Type[]
  readonly value?: unknown
  /** `any`, `unknown`, `string` and their like have it, objects have none. */
  readonly intrinsicName?: string
  getProperty: (name: string) => unknown
  getSymbol: () => { readonly name: string } | undefined
  getBaseTypes: () => readonly Type[] | undefined
  getCallSignatures: () => readonly { readonly getReturnType: () => Type }[]
  getConstraint: () => Type | undefined
  getNonNullableType: () => Type
  isUnion: () => boolean
  isTypeParameter: () => boolean
  isStringLiteral: () => boolean
  isNumberLiteral: () => boolean
}

/** What no class of another package is likely to have under the same name as well. */
const METHODS = ['setIfVersion', 'compareAndSwap', 'getOrInsertComputed']
const CLASSES = new Set(['ConcurrentMap', 'ConcurrentCache'])

/** What TypeScript knows, where the file was parsed by typescript-eslint with types. */
export class Types {
  readonly #services: ParserServicesWithTypeInformation

  private constructor(services: ParserServicesWithTypeInformation) {
    this.#services = services
  }

  /** Returns undefined where there are no types. */
  static of(source: TSESLint.SourceCode): Types | undefined {
    const services = source.parserServices as Partial<ParserServicesWithTypeInformation> | undefined
    return services?.program == null ? undefined : new Types(services as ParserServicesWithTypeInformation)
  }

  /** Returns whether a value is a map or cache, or undefined or null if it is none. */
  isMap(node: Node): boolean {
    return isMap(this.#typeOf(node).getNonNullableType())
  }

  /** Returns whether a value is a ConcurrentCache. */
  isCache(node: Node): boolean {
    return isMap(this.#typeOf(node).getNonNullableType(), 'ConcurrentCache')
  }

  /** Returns the names of the types of which a value may be one; undefined for a type that says nothing. */
  kinds(node: Node): ReadonlySet<string> | undefined {
    return kindsOf(this.#typeOf(node))
  }

  /** Returns whether a function returns a promise. */
  returnsPromise(node: Node): boolean {
    return this.#typeOf(node)
      .getCallSignatures()
      .some((signature) => membersOf(signature.getReturnType()).some((each) => each.getProperty('then') !== undefined))
  }

  /** Returns whether a value has a member. */
  hasMember(node: Node, name: string): boolean {
    return this.#typeOf(node).getNonNullableType().getProperty(name) !== undefined
  }

  #typeOf(node: Node): Type {
    return this.#services.getTypeAtLocation(node)
  }
}

function membersOf(type: Type): readonly Type[] {
  return type.isUnion() ? type.types! : [type]
}

function isMap(type: Type, name?: string): boolean {
  if (type.isUnion()) return type.types!.every((each) => isMap(each, name))
  if (type.isTypeParameter()) {
    const constraint = type.getConstraint()
    return constraint !== undefined && isMap(constraint, name)
  }
  return METHODS.every((method) => type.getProperty(method) !== undefined) && hasName(type, name)
}

function hasName(type: Type, name: string | undefined): boolean {
  const own = type.getSymbol()?.name
  if (own !== undefined && (name === undefined ? CLASSES.has(own) : own === name)) return true
  return type.getBaseTypes()?.some((base) => hasName(base, name)) === true
}

function kindsOf(type: Type): ReadonlySet<string> | undefined {
  const kinds = new Set<string>()
  for (const each of membersOf(type)) {
    if (each.isTypeParameter()) {
      const constraint = each.getConstraint()
      const inner = constraint && kindsOf(constraint)
      if (inner === undefined) return undefined
      for (const kind of inner) kinds.add(kind)
    } else if (each.isStringLiteral()) kinds.add(each.value === '' ? 'string' : 'truthy')
    else if (each.isNumberLiteral()) kinds.add(each.value === 0 ? 'number' : 'truthy')
    else {
      const { intrinsicName = 'object' } = each
      if (['any', 'unknown', 'error'].includes(intrinsicName)) return undefined
      kinds.add(intrinsicName)
    }
  }
  return kinds
}
