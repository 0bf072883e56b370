// Runs one of the examples, a file, the index of a folder, or a recipe: npm run example workers
import { files, must, run } from './tools.js'

const programs = new Map(
  files('examples').flatMap((file) => {
    const found = /^examples[\\/](?:recipes[\\/](?!index\.)([\w-]+)|([\w-]+)|([\w-]+)[\\/]index)\.ts$/.exec(file)
    return found ? [[found[1] ?? found[2] ?? found[3], `out/programs/${file.replace(/\.ts$/, '.js')}`]] : []
  }),
)
const [name, ...options] = process.argv.slice(2)
const program = programs.get(name)

if (program !== undefined) {
  must(process.execPath, ['scripts/setup.js', '--programs'])
  process.exitCode = run(process.execPath, [program, ...options])
} else {
  console.error(`usage: npm run example ${[...programs.keys()].join(' | ')}`)
  process.exitCode = 1
}
