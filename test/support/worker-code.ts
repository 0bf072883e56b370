import { fileURLToPath } from 'node:url'

const isCompiled = import.meta.url.endsWith('.js')

/**
 * Where a thread or process loads a module of the tests from: out/tests, where vitest has it compiled (compile.ts), or
 * else its source.
 */
export function workerCode(module: URL | string): URL {
  const { href } = new URL(module)
  const script = href.replace(/\.ts$/, '.js')
  if (isCompiled) return new URL(script)
  if (process.env.VITEST === undefined) return new URL(href)
  const root = new URL('../../', import.meta.url).href
  return new URL(script.slice(root.length), new URL('out/tests/', root))
}

/** What starts a process with a module of the tests: its path, and arguments for Node.js. */
export function processCode(module: URL | string): { path: string; execArgv: string[] } {
  const path = fileURLToPath(workerCode(module))
  return { path, execArgv: path.endsWith('.js') ? ['--enable-source-maps'] : ['--import', 'tsx'] }
}
