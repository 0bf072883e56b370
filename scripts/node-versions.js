// Runs tests on other Node.js versions with the one binary and the dependencies that are here. Not part of CI, since it
// downloads them: node scripts/node-versions.js [versions, default 22 24 26] [-- vitest arguments, default test/addon
// test/conformance]
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, root, run } from './tools.js'

const split = process.argv.indexOf('--')
const given = process.argv.slice(2, split < 0 ? undefined : split)
const versions = given.length > 0 ? given : ['22', '24', '26']
const tests = split < 0 ? ['test/addon', 'test/conformance'] : process.argv.slice(split + 1)

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const packageOfNode = `node-${process.platform}-${process.arch}`
const folder = mkdtempSync(join(tmpdir(), 'mapsafe-node-'))
const failed = []

must(process.execPath, ['scripts/build-native.js'])
try {
  for (const version of versions) {
    const prefix = join(folder, version)
    must('npm', ['install', '--silent', '--no-save', '--prefix', prefix, `${packageOfNode}@${version}`])
    const node = createRequire(join(prefix, '/')).resolve(`${packageOfNode}/bin/node`)
    must(node, ['--version'])
    if (run(node, [vitest, 'run', ...tests]) !== 0) failed.push(version)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(failed.length > 0 ? `failed on ${failed.join(', ')}` : `passed on ${versions.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)
