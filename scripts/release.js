// Makes a release: the version in package.json and its lock, the heading in CHANGELOG.md, a commit and a tag. The
// workflow "release" publishes what is tagged.
//
//   node scripts/release.js 1.2.0           makes it
//   node scripts/release.js --check v1.2.0  checks that the version, the tag and the change log agree
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { must, root } from './tools.js'

const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/
const log = join(root, 'CHANGELOG.md')

const { values: options, positionals } = parseArgs({ options: { check: { type: 'string' } }, allowPositionals: true })
if (options.check !== undefined) check(options.check)
else release(positionals[0])

function release(version = '') {
  if (!VERSION.test(version)) fail(`a version is needed, such as 1.2.0, not "${version}"`)
  if (git('status', '--porcelain') !== '') fail('there are changes that are not committed')
  if (git('tag', '--list', `v${version}`) !== '') fail(`v${version} is there already`)
  const text = readFileSync(log, 'utf8')
  const changes = /## Unreleased\n+([^]*?)(?=\n## |$)/.exec(text)?.[1].trim()
  if (!changes) fail('CHANGELOG.md has nothing under "Unreleased"')
  const today = new Date().toISOString().slice(0, 10)
  writeFileSync(log, text.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (${today})\n`))
  must('npm', ['version', version, '--no-git-tag-version', '--silent'])
  git('commit', '--all', '--message', `Release ${version}`)
  git('tag', '--annotate', `v${version}`, '--message', changes)
  console.log(`v${version} is tagged; "git push --follow-tags" publishes it`)
}

function check(tag) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (tag !== `v${version}`) fail(`the tag is ${tag}, and package.json says ${version}`)
  if (!readFileSync(log, 'utf8').includes(`\n## ${version} (`)) fail(`CHANGELOG.md says nothing of ${version}`)
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
}

/** @returns {never} */
function fail(problem) {
  console.error(problem)
  process.exit(1)
}
