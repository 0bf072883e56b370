// Runs one of the examples: npm run example workers
import { basename } from 'node:path'
import { files, must, run } from './tools.js'

const names = files('examples').map((file) => basename(file, '.ts'))
const [name] = process.argv.slice(2)

if (names.includes(name)) {
  must(process.execPath, ['scripts/setup.js', '--programs'])
  process.exitCode = run(process.execPath, [`out/programs/examples/${name}.js`])
} else {
  console.error(`usage: npm run example ${names.join(' | ')}`)
  process.exitCode = 1
}
