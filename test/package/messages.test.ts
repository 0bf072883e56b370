import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'

// Every message that the sources can make, with `…` for what is put in when it is made.

const root = new URL('../../src/', import.meta.url)

interface Message {
  /** File and line. */
  readonly at: string
  /** As it is in the sources: a literal's text, else the expression's. */
  readonly code: string
  readonly text: string
}

/** A call that names an argument or option, for a message that another function makes. */
interface Naming {
  readonly at: string
  readonly callee: string
  readonly name: string
}

/** The texts that an expression may become, one for each way through its conditions. */
function textsOf(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression)
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)]
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const ends = textsOf(node.right)
    return textsOf(node.left).flatMap((text) => ends.map((end) => text + end))
  }
  if (ts.isTemplateExpression(node)) {
    return node.templateSpans.reduce(
      (texts, { expression, literal }) => {
        const parts = textsOf(expression)
        return texts.flatMap((text) => parts.map((part) => text + part + literal.text))
      },
      [node.head.text],
    )
  }
  return ['…']
}

const messages: Message[] = []
const namings: Naming[] = []
for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
  const source = ts.createSourceFile(file, readFileSync(new URL(file, root), 'utf8'), ts.ScriptTarget.ES2023, true)
  const visit = (node: ts.Node): void => {
    const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
    if (ts.isNewExpression(node) && /^Mapsafe(Type|Range)?Error$/.test(node.expression.getText())) {
      const [code, message] = node.arguments!
      for (const text of textsOf(message)) messages.push({ at, code: textsOf(code)[0], text })
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const callee = node.expression.text
      if (/^(wrongInput|check(Integer|Ttl|Function|Milliseconds))$/.test(callee)) {
        for (const name of textsOf(node.arguments[0])) namings.push({ at, callee, name })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}
const whole = messages.filter(({ text }) => text !== '…')

test('the walk finds the messages of every code', () => {
  const codes = readFileSync(new URL('base/errors.ts', root), 'utf8').match(/(?<=\| ')ERR_MAPSAFE_\w+/g)!
  expect(new Set(messages.map(({ code }) => code).filter((code) => code !== '…'))).toEqual(new Set(codes))
  expect(whole.length).toBeGreaterThan(40)
  expect(namings.length).toBeGreaterThan(20)
})

describe.each(whole)('$at: $text', ({ text }) => {
  test('is made of sentences', () => {
    expect(text).toMatch(/^([A-Z…]|[\w.]+\(\))/)
    expect(text).toMatch(/[.…]$/)
    expect(text, 'no gap and no word twice').not.toMatch(/ {2}|\n|\b(\w+) \1\b| [.,;:]|\.\.(?!\.)/)
    expect(text).not.toMatch(/Argument Option|Option Argument|Argument Argument|Option Option|\[object/)
  })
})

test('arguments and options are called so once', () => {
  for (const { at, callee, name } of namings) {
    if (name === '…') continue
    const isWhole = callee !== 'checkFunction' && callee !== 'checkMilliseconds'
    if (isWhole) expect(name, at).toMatch(/^(Argument|Option) [\w.…]+$/)
    else expect(name, at).toMatch(/^\w+$/)
  }
})

test('that every thread record is taken is said in one way', () => {
  expect(messages.filter(({ code }) => code === 'ERR_MAPSAFE_THREADS')).toHaveLength(1)
})

test('a message that names a class names the one it is about', () => {
  const map = new ConcurrentMap({ maxBytes: 2 ** 20 })
  const cache = new ConcurrentCache({ maxBytes: 2 ** 20 })
  map.close()
  cache.close()
  expect(() => map.get(1)).toThrow(/map was closed.*ConcurrentMap\.attach\(map\.handle\)/)
  expect(() => cache.get(1)).toThrow(/cache was closed.*ConcurrentCache\.attach\(cache\.handle\)/)
  expect(() => ConcurrentCache.attach(map.handle as never)).toThrow(/ConcurrentMap; open it with ConcurrentMap\.attach/)
  expect(() => ConcurrentMap.attach(cache.handle)).toThrow(/ConcurrentCache; open it with ConcurrentCache\.attach/)
})
