// Looks at a binary without running it: format, architecture, what it needs and what it exports. By LLVM's tools, which
// read the formats of all systems (Debian: llvm).
//
//   node scripts/platforms/inspect.js                  inspects all binaries that are there
//   node scripts/platforms/inspect.js PLATFORM FILE    inspects a file as that of a platform
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../tools.js'
import { nodeApi } from './compiler.js'
import { targets } from './targets.js'

const LARGEST = 2 * 1024 * 1024

/** What Node.js calls. */
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

/** Libraries that every Windows of the last ten years has. */
const WINDOWS = /^(kernel32|ntdll|advapi32|ws2_32|api-ms-win-crt-[\w-]+|ucrtbase|msvcrt)\.dll$/i

/** Symbols of C++, of V8 and of libuv: a Node.js of another version need not have them. */
const FOREIGN = /^_?(_Z|uv_|v8)/

/**
 * @param {import('./targets.js').Target} target
 * @param {string} path
 * @returns {{ summary: string, problems: string[] }}
 */
export function inspect(target, path) {
  const problems = []
  const expect = (holds, problem) => {
    if (!holds) problems.push(problem)
  }
  const header = read('llvm-readobj', '--file-headers', path)
  const arch = /Arch: (\S+)/.exec(header)?.[1]
  const format = /Format: (elf|mach-?o|coff)/i.exec(header)?.[1].toLowerCase().replace('-', '')
  expect(format === target.format, `the format is ${format}, not ${target.format}`)
  expect(arch === target.machine, `the architecture is ${arch}, not ${target.machine}`)
  const { size } = statSync(path)
  expect(size <= LARGEST, `${size} bytes are more than ${LARGEST}`)

  const { needed, exported, more } = target.format === 'coff' ? lookAtCoff(path) : lookAtSymbols(target, path)
  const api = new Set(nodeApi())
  const ofNode = needed.filter((name) => /^(napi_|node_api_)/.test(name))
  const unknown = ofNode.filter((name) => !api.has(name))
  expect(unknown.length === 0, `it needs ${unknown.join(', ')}, which are not in this version of Node-API`)
  const foreign = needed.filter((name) => FOREIGN.test(name))
  expect(foreign.length === 0, `it needs ${foreign.slice(0, 5).join(', ')}`)
  expect(exported.includes(EXPORTS[0]), `it does not export ${EXPORTS[0]}`)
  // Elsewhere the linker exports the compiler's own libraries, too, and names of one library mean nothing to another.
  const others = target.format === 'elf' ? exported.filter((name) => !EXPORTS.includes(name)) : []
  expect(others.length === 0, `it exports ${others.slice(0, 5).join(', ')}`)
  problems.push(...more.problems)
  const functions = target.format === 'coff' ? '' : `, ${ofNode.length} functions of Node-API`
  return { summary: `${target.format} ${arch}, ${size} bytes${functions}${more.summary}`, problems }
}

/** ELF and Mach-O. */
function lookAtSymbols(target, path) {
  // In Mach-O each name of C begins with an underscore.
  const plain = (name) => (target.format === 'macho' ? name.replace(/^_/, '') : name).replace(/@.*/, '')
  const dynamic = target.format === 'elf' ? ['-D'] : []
  const list = (...which) =>
    read('llvm-nm', ...dynamic, ...which, '--just-symbol-name', path)
      .split('\n')
      .filter((name) => name !== '')
  const undefinedNames = list('--undefined-only')
  const exported = list('--defined-only', '--extern-only').map(plain)
  return {
    needed: undefinedNames.map(plain),
    exported,
    more: target.format === 'elf' ? lookAtElf(target, path) : lookAtMacho(path),
  }
}

function lookAtElf(target, path) {
  const text = read('llvm-readobj', '--version-info', '--needed-libs', path)
  const libraries = /NeededLibraries \[([^\]]*)\]/.exec(text)[1].match(/\S+/g) ?? []
  const versions = [...text.matchAll(/Name: GLIBC_([\d.]+)/g)].map(([, version]) => version).sort(byVersion)
  const newest = versions.at(-1)
  const problems = []
  if (target.glibc === undefined && newest !== undefined) problems.push(`it needs glibc ${newest}`)
  if (target.glibc !== undefined && newest !== undefined && byVersion(newest, target.glibc) > 0) {
    problems.push(`it needs glibc ${newest}, and ${target.glibc} was promised`)
  }
  const strange = libraries.filter((name) => !/^(lib(c|m|pthread|dl|rt)\.so|ld-)/.test(name))
  if (strange.length > 0) problems.push(`it needs ${strange.join(', ')}`)
  return { summary: newest === undefined ? ', any musl' : `, glibc ${newest}`, problems }
}

function lookAtMacho(path) {
  const text = read('llvm-objdump', '--macho', '--private-headers', path)
  const oldest = /minos ([\d.]+)/.exec(text)?.[1]
  const isSigned = text.includes('LC_CODE_SIGNATURE')
  const isArm = text.includes('ARM64')
  // Without one, the kernel of an Apple silicon machine ends the process.
  const problems = isArm && !isSigned ? ['it has no signature'] : []
  return { summary: `, macOS ${oldest}${isSigned ? ', signed ad hoc' : ''}`, problems }
}

function lookAtCoff(path) {
  const text = read('llvm-readobj', '--coff-imports', '--coff-exports', path)
  const libraries = [...text.matchAll(/Import \{\s+Name: (\S+)/g)].map(([, name]) => name)
  const needed = [...text.matchAll(/Symbol: (\S+)/g)].map(([, name]) => name)
  const exported = [...text.matchAll(/Export \{[^}]*?Name: (\S+)/g)].map(([, name]) => name)
  const strange = libraries.filter((name) => !WINDOWS.test(name))
  const problems = strange.length > 0 ? [`it needs ${strange.join(', ')}`] : []
  return { needed, exported, more: { summary: `, ${libraries.length} libraries of Windows`, problems } }
}

function byVersion(a, b) {
  return a.localeCompare(b, 'en', { numeric: true })
}

function read(command, ...args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (error) throw new Error(`${command} cannot be run (Debian has it in the package llvm): ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

function main() {
  const [chosen, file] = process.argv.slice(2)
  let failed = 0
  for (const target of targets) {
    if (chosen !== undefined && target.name !== chosen) continue
    const path = file ?? join(root, 'prebuilds', target.file)
    if (!existsSync(path)) {
      console.log(`${target.name}: not built here`)
      continue
    }
    const { summary, problems } = inspect(target, path)
    console.log(`${target.name}: ${summary}`)
    for (const problem of problems) console.error(`wrong: ${target.name}: ${problem}`)
    failed += problems.length
  }
  if (failed > 0) process.exitCode = 1
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main()
