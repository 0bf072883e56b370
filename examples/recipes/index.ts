// Runs the recipes, or those that are named, one after the other: npm run example recipes sessions
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const all = readdirSync(new URL('.', import.meta.url))
  .filter((name) => name.endsWith('.js') && name !== 'index.js')
  .map((name) => name.replace('.js', ''))
const names = process.argv.slice(2)
const wrong = names.filter((name) => !all.includes(name))
if (wrong.length > 0) {
  console.error(`There is no recipe ${wrong.join(', ')}; expected any of ${all.join(', ')}.`)
  process.exit(1)
}
for (const name of names.length > 0 ? names : all) {
  console.log(`# ${name}`)
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  const { status } = spawnSync(process.execPath, [program], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
