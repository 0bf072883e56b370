import type { TSESLint, TSESTree } from '@typescript-eslint/utils'
import { contains, functionOf, isUndefined, nodesIn, unwrap, wrapped, type Node } from '../ast.js'
import { conditionsOf, LOOKS, presences, type Condition, type Presence } from '../conditions.js'
import type { MapCall, Maps } from '../maps.js'
import { defineRule, type Context } from '../rule.js'

/** A `get` that counts on what `has` said: the entry may have been deleted, evicted or have expired in between. */
export const noHasThenGet = defineRule(
  {
    name: 'no-has-then-get',
    description: 'Forbid `get` that relies on an earlier `has`, since the entry may be gone by then',
    messages: {
      gone: 'The entry may be deleted or expire between `has` and `{{read}}`, which then returns undefined: read once, and compare with undefined.',
      or: 'Read once, and take the other value for an absent one.',
      once: 'Read once, and compare with undefined.',
    },
    isFixable: true,
  },
  (context, maps) => ({
    CallExpression(node) {
      const read = maps.call(node, ...LOOKS)
      if (read === undefined || isAbsenceHandled(maps, read.node)) return
      for (const condition of conditionsOf(maps, node)) {
        for (const presence of presences(maps, condition.test, condition.holds)) {
          const { call } = presence
          if (call.method !== 'has' || !presence.present) continue
          if (functionOf(call.node) !== functionOf(node) || !maps.onSameKey(call, read)) continue
          const data = { read: read.method }
          context.report({ node, messageId: 'gone', data, ...remedy(context, maps, read, condition, presence) })
          return
        }
      }
    },
  }),
)

/** Returns whether undefined is thought of, by the expression itself or where its variable is used. */
function isAbsenceHandled(maps: Maps, node: Node): boolean {
  const outer = wrapped(node)
  const { parent } = outer
  if (isTested(node)) return true
  if (parent?.type !== 'VariableDeclarator' || parent.init !== outer || parent.id.type !== 'Identifier') return false
  const variable = maps.scopes.source.getDeclaredVariables(parent)[0]
  return variable.references.some(({ identifier }) => isTested(identifier))
}

function isTested(node: Node): boolean {
  const at = wrapped(node)
  const { parent } = at
  switch (parent?.type) {
    case 'MemberExpression':
    case 'CallExpression':
      return parent.optional && (parent.type === 'MemberExpression' ? parent.object : parent.callee) === at
    case 'LogicalExpression':
      return parent.left === at
    case 'BinaryExpression':
      return /^[!=]==?$/.test(parent.operator)
    case 'UnaryExpression':
      return parent.operator === '!' || parent.operator === 'typeof'
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
      return parent.test === at
    default:
      return false
  }
}

interface Remedy {
  readonly fix?: TSESLint.ReportFixFunction
  readonly suggest?: TSESLint.SuggestionReportDescriptor<string>[]
}

function remedy(
  { sourceCode }: Context,
  maps: Maps,
  read: MapCall,
  { at, test }: Condition,
  { call, isAlone }: Presence,
): Remedy {
  // What a variable holds is used elsewhere.
  if (!isAlone || !contains(test, call.node) || sourceCode.getCommentsInside(at).length > 0) return {}
  const text = sourceCode.getText(read.node)
  if (at.type === 'ConditionalExpression') {
    const [branch, other] =
      at.consequent.range[0] <= read.node.range[0] && read.node.range[1] <= at.consequent.range[1]
        ? [at.consequent, at.alternate]
        : [at.alternate, at.consequent]
    if (unwrap(branch) !== read.node) return {}
    if (isUndefined(other)) return { fix: (fixer) => fixer.replaceText(at, text) }
    const simple =
      /^(Literal|Identifier|MemberExpression|CallExpression|TemplateLiteral|ArrayExpression|ObjectExpression)$/
    const otherText = sourceCode.getText(other)
    const or = `${text} ?? ${simple.test(other.type) ? otherText : `(${otherText})`}`
    return { suggest: [{ messageId: 'or', fix: (fixer) => fixer.replaceText(at, or) }] }
  }
  if (at.type === 'LogicalExpression') {
    if (unwrap(at.right) !== read.node || at.operator !== '&&' || unwrap(at.left) !== call.node) return {}
    return { suggest: [{ messageId: 'once', fix: (fixer) => fixer.replaceText(at, text) }] }
  }
  return at.type === 'IfStatement' && unwrap(test) === call.node ? readBefore(sourceCode, maps, read, at) : {}
}

/** `const value = map.get(key)` before the `if`, where that is the only read in it. */
function readBefore(
  source: Readonly<TSESLint.SourceCode>,
  maps: Maps,
  read: MapCall,
  at: TSESTree.IfStatement,
): Remedy {
  if (at.parent.type !== 'BlockStatement' && at.parent.type !== 'Program') return {}
  for (const node of nodesIn(at.consequent, source.visitorKeys)) {
    const call = node.type === 'CallExpression' && node !== read.node ? maps.call(node) : undefined
    if (call !== undefined && maps.onSameKey(call, read)) return {}
  }
  const names = new Set(source.ast.tokens.map(({ value }) => value))
  const name = ['value', 'found', 'stored'].find((each) => !names.has(each))
  if (name === undefined) return {}
  const indent = ' '.repeat(at.loc.start.column)
  return {
    suggest: [
      {
        messageId: 'once',
        fix: (fixer) => [
          fixer.insertTextBefore(at, `const ${name} = ${source.getText(read.node)};\n${indent}`),
          fixer.replaceText(at.test, `${name} !== undefined`),
          fixer.replaceText(wrapped(read.node), name),
        ],
      },
    ],
  }
}
