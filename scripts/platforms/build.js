// Makes the binaries that the package brings along, where node-gyp-build looks for them: prebuilds/PLATFORM-ARCH/.
//
//   node scripts/platforms/build.js             the one for this machine, by node-gyp
//   node scripts/platforms/build.js --all       those of all platforms, by one compiler, and an inspection of each
//   node scripts/platforms/build.js NAME...     some of them: see targets.js
//   ... --twice                                 builds each once more, without a cache, and compares the two
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { must, root } from '../tools.js'
import { compile, prepareCompiler } from './compiler.js'
import { inspect } from './inspect.js'
import { targets } from './targets.js'

const { values: options, positionals: names } = parseArgs({
  options: { all: { type: 'boolean' }, twice: { type: 'boolean' } },
  allowPositionals: true,
})
const unknown = names.filter((name) => !targets.some((target) => target.name === name))
if (unknown.length > 0) {
  console.error(`no platform ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = targets.filter(({ name }) => options.all || names.includes(name))
if (chosen.length === 0) buildHere()
else buildAll()

function buildHere() {
  must(process.execPath, ['scripts/build-native.js'])
  const { glibcVersionRuntime } = process.report.getReport().header
  const libc = process.platform !== 'linux' ? '' : glibcVersionRuntime ? '.glibc' : '.musl'
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(root, 'build/Release/mapsafe.node'), join(folder, `mapsafe${libc}.node`))
}

function buildAll() {
  prepareCompiler()
  const problems = []
  for (const target of chosen) {
    const output = join(root, 'prebuilds', target.file)
    mkdirSync(dirname(output), { recursive: true })
    const folder = mkdtempSync(join(tmpdir(), 'mapsafe-prebuild-'))
    try {
      const built = join(folder, 'mapsafe.node')
      compile(target, built)
      if (options.twice) problems.push(...compareWithAnother(target, built, folder))
      copyFileSync(built, output)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const { summary, problems: found } = inspect(target, output)
    console.log(`${target.name}: ${summary}`)
    problems.push(...found.map((problem) => `${target.name}: ${problem}`))
  }
  for (const problem of problems) console.error(`wrong: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}

function compareWithAnother(target, built, folder) {
  process.env.ZIG_LOCAL_CACHE_DIR = join(folder, 'cache')
  const other = join(folder, 'again', 'mapsafe.node')
  compile(target, other)
  delete process.env.ZIG_LOCAL_CACHE_DIR
  return hash(built) === hash(other) ? [] : [`${target.name}: built twice it differs`]
}

function hash(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
