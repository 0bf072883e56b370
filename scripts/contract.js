// Writes the table of docs/concurrency-contract.md from the sources (--write), fails if it is not current (--check), or prints the
// rows as JSON (--json), for the test that compares them with what the methods do. A row is a tag of a docstring:
//
//   @contract ATOMIC | ABSENT | WAITS | NEAR | THROWS | COST
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './tools.js'

const page = join(root, 'docs', 'concurrency-contract.md')
const FIELDS = ['atomic', 'absent', 'waits', 'near', 'throws', 'cost']
/** The classes, and the one whose contract holds where a class says nothing. */
const CLASSES = [
  ['ConcurrentMap', 'src/public/concurrent-map.ts'],
  ['ConcurrentCache', 'src/public/concurrent-cache.ts'],
  ['Snapshot', 'src/public/snapshot.ts'],
]
const problems = []

function rowsOf([className, file]) {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ESNext, true)
  const found = source.statements.find((node) => ts.isClassDeclaration(node) && node.name?.text === className)
  const rows = new Map()
  for (const member of found.members) {
    if (member.name === undefined || !ts.isIdentifier(member.name)) continue // private, or named by a symbol
    const flags = ts.getCombinedModifierFlags(member)
    const isProperty = ts.isPropertyDeclaration(member) && member.name.text !== 'size'
    if ((flags & (ts.ModifierFlags.Static | ts.ModifierFlags.Private)) !== 0 || isProperty) continue
    const name = member.name.text
    const tags = ts.getJSDocTags(member).filter(({ tagName }) => tagName.text === 'contract')
    const isOverload = rows.has(name) || (flags & ts.ModifierFlags.Override) !== 0
    if (tags.length === 0) {
      if (!isOverload) problems.push(`${file}: ${name} has no @contract in its docstring`)
      continue
    }
    const values = String(ts.getTextOfJSDocComment(tags[0].comment))
      .split('|')
      .map((value) => value.trim().replace(/\s+/g, ' '))
    if (values.length !== FIELDS.length)
      problems.push(`${file}: the @contract of ${name} has not the fields ${FIELDS.join(' | ')}`)
    rows.set(name, {
      class: className,
      name,
      ...Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? ''])),
    })
  }
  return [...rows.values()]
}

const rows = CLASSES.flatMap(rowsOf)
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}

const table = CLASSES.map(([className]) =>
  [
    `### ${className}`,
    '',
    '| method | atomic | absent | waits | near-cache | throws | cost |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows
      .filter((row) => row.class === className)
      .map(({ name, atomic, absent, waits, near, throws, cost }) => {
        const codes =
          throws === ''
            ? ''
            : throws
                .split(' ')
                .map((code) => `\`${code}\``)
                .join(' ')
        return `| \`${name}\` | ${[atomic, absent, waits, near, codes, cost].join(' | ')} |`
      }),
  ].join('\n'),
).join('\n\n')

const START = '<!-- by npm run contract, from the sources -->\n'
const END = '<!-- so far -->\n'
const mode = process.argv[2]
if (mode === '--json') console.log(JSON.stringify(rows))
else if (mode !== '--write' && mode !== '--check') throw new Error('usage: contract.js --write | --check | --json')
else {
  const before = readFileSync(page, 'utf8')
  const [head, rest] = before.split(START)
  const after = `${head}${START}\n${table}\n\n${END}${rest.split(END)[1]}`
  if (mode === '--write') writeFileSync(page, after)
  else if (before !== after) {
    console.error('docs/concurrency-contract.md is not current: npm run contract')
    process.exit(1)
  }
}
