// Writes the index of docs/decisions into its README (--write), or fails if it is not current (--check). A decision is a
// page DATE-NAME.md whose first line is its title and whose third says its date and status:
//
//   2026-11-28. Status: in force.
//   2026-11-20. Status: superseded by [title](page.md). | superseded in part by [title](page.md): which part.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.js'

const folder = join(root, 'docs', 'decisions')
const index = join(folder, 'README.md')

const rows = readdirSync(folder)
  .filter((name) => name !== 'README.md')
  .sort()
  .map((name) => {
    const [date] = /^\d{4}-\d\d-\d\d(?=-[\w-]+\.md$)/.exec(name) ?? []
    const [title, empty, state] = readFileSync(join(folder, name), 'utf8').split('\n')
    const status =
      /^(\d{4}-\d\d-\d\d)\. Status: (in force|superseded(?: in part)? by \[[^\]]+\]\([^)]+\)(?:: [^.]+)?)\./.exec(state)
    if (date === undefined || !title.startsWith('# ') || empty !== '' || status?.[1] !== date) {
      console.error(
        `docs/decisions/${name}: expected the name DATE-NAME.md, the title in line 1, and in line 3 "DATE. Status: in force." or ` +
          `"DATE. Status: superseded by [title](page.md)."; found ${JSON.stringify([title, empty, state])}.`,
      )
      process.exit(1)
    }
    return `| ${date} | [${title.slice(2)}](${name}) | ${status[2]} |`
  })

const before = readFileSync(index, 'utf8')
const after = `${before.slice(0, before.indexOf('\n| date |') + 1)}| date | decision | status |\n| --- | --- | --- |\n${rows.join('\n')}\n`

if (process.argv[2] === '--write') writeFileSync(index, after)
else if (process.argv[2] !== '--check') throw new Error('usage: decisions.js --write | --check')
else if (before !== after) {
  console.error('docs/decisions/README.md is not current: npm run decisions')
  process.exit(1)
}
