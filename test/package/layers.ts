/**
 * The floor plan as rules: which room may import from which, where Node.js may be named, and that nothing goes in
 * circles. ARCHITECTURE.md draws it.
 */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'

/** A source by its path from the root of the package. */
export type Sources = ReadonlyMap<string, string>

/** The table itself, which eslint.config.js reads as well. */
interface FloorPlan {
  /** What each room of src/ may import from, besides itself. */
  readonly rooms: Readonly<Record<string, readonly string[]>>
  /** The module that puts the engines together is the one place that knows both. */
  readonly composition: { readonly file: string; readonly mayImport: readonly string[] }
  /** Rooms that may import modules of Node.js, and use these globals of it. */
  readonly nodeRooms: readonly string[]
  readonly nodeGlobals: readonly string[]
  /** What the headers of each room of native/core may include from, besides their own. */
  readonly headerRooms: Readonly<Record<string, readonly string[]>>
  /** Rooms of native/core that may include native/platform and headers of the system. */
  readonly systemRooms: readonly string[]
}

const PLAN = JSON.parse(readFileSync(new URL('floor-plan.json', import.meta.url), 'utf8')) as FloorPlan

const NODE_HEADERS = /#include [<"](node_api|js_native_api|napi|node|uv|v8)(-\w+)?\.h[>"]/

/** Every break of the rules, one line each. */
export function violations(sources: Sources): string[] {
  return [...importViolations(sources), ...includeViolations(sources)].sort()
}

/** Those of C++ itself have no dot in their names. */
const SYSTEM_HEADERS = /^#include (<[\w/]+\.h>|"\.\.\/platform\/[^"]+")/gm

function importViolations(sources: Sources): string[] {
  const problems: string[] = []
  const graph = new Map<string, string[]>()
  for (const [file, text] of sources) {
    if (!/^src\/.*\.ts$/.test(file)) continue
    const imports: string[] = []
    for (const specifier of specifiers(text)) {
      if (isBuiltin(specifier)) {
        if (!PLAN.nodeRooms.includes(roomOf(file))) problems.push(`${file} imports ${specifier}`)
      } else if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts')
        imports.push(target)
        if (!mayImport(file, target)) problems.push(`${file} imports ${target}`)
      }
    }
    graph.set(file, imports)
    if (PLAN.nodeRooms.includes(roomOf(file))) continue
    for (const name of PLAN.nodeGlobals) if (usesGlobal(text, name)) problems.push(`${file} uses the global ${name}`)
  }
  return [...problems, ...circles(graph)]
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to || file === 'src/index.ts') return true
  if (file === PLAN.composition.file && PLAN.composition.mayImport.includes(to)) return true
  return (PLAN.rooms[from] ?? []).includes(to)
}

function roomOf(file: string): string {
  const [, room, inner] = file.split('/')
  // The entry `mapsafe` is what the room has for others.
  if (room === 'index.ts') return 'public'
  return room === 'engine' && inner === 'typescript' ? 'engine/typescript' : room
}

function specifiers(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\b[^'"\n]*?(?:\n[^'"]*?)?['"]([^'"\n]+)['"]/gm)
  const calls = text.matchAll(/\bimport\(\s*['"]([^'"\n]+)['"]/g)
  return [...statements, ...calls].map(([, specifier]) => specifier)
}

/** Whether code, not a comment or a string, names a global that it does not import. */
function usesGlobal(text: string, name: string): boolean {
  if (!text.includes(name) || new RegExp(`^import\\b[^'"]*\\b${name}\\b`, 'm').test(text)) return false
  return new RegExp(`(?<![.\\w$])${name}\\b(?!['":])`).test(codeOf(text))
}

const NOT_CODE = /\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** A source without its comments and strings; of templates, what they evaluate. */
function codeOf(text: string): string {
  return text.replaceAll(NOT_CODE, (found) =>
    found.startsWith('`') ? Array.from(found.matchAll(/\$\{([^}]*)\}/g), ([, code]) => code).join(';') : '',
  )
}

function includeViolations(sources: Sources): string[] {
  const problems: string[] = []
  const graph = new Map<string, string[]>()
  for (const [file, text] of sources) {
    if (!/^native\/(core|platform)\/.*\.(h|cc)$/.test(file)) continue
    if (NODE_HEADERS.test(text)) problems.push(`${file} includes a header of Node.js`)
    if (file.startsWith('native/core/') && !PLAN.systemRooms.includes(headerRoomOf(file))) {
      for (const [, header] of text.matchAll(SYSTEM_HEADERS)) problems.push(`${file} includes ${header}`)
    }
    const included = Array.from(text.matchAll(/^#include "([^"]+)"/gm), ([, path]) =>
      file.startsWith('native/core/') ? posix.join('native/core', path) : posix.join(posix.dirname(file), path),
    )
    for (const target of included) {
      if (file.startsWith('native/platform/') !== target.startsWith('native/platform/')) {
        if (file.startsWith('native/platform/')) problems.push(`${file} includes ${target}`)
      } else if (file.startsWith('native/core/') && file.endsWith('.h') && !mayInclude(file, target)) {
        problems.push(`${file} includes ${target}`)
      }
    }
    if (file.endsWith('.h')) graph.set(file, included)
  }
  return [...problems, ...circles(graph)]
}

function mayInclude(file: string, target: string): boolean {
  const [from, to] = [headerRoomOf(file), headerRoomOf(target)]
  return from === to || (PLAN.headerRooms[from] ?? []).includes(to)
}

function headerRoomOf(file: string): string {
  const parts = file.split('/')
  return parts.length > 3 ? parts[2] : 'core'
}

/** Sets of files of which each leads to every other, by Tarjan's algorithm (SIAM J. Comput. 1, 1972). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const visit = (file: string): number => {
    const index = order.size
    order.set(file, index)
    let low = index
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next) ?? index)
    }
    lowest.set(file, low)
    if (low === index) {
      const members = stack.splice(stack.indexOf(file))
      if (members.length > 1) found.push(`a circle: ${members.sort().join(', ')}`)
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}
