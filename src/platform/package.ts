import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The file of a CommonJS module; not defined in an ES module. */
declare const __filename: string | undefined

/**
 * Reads a file of the package, as text.
 *
 * @param path from the root of the package
 * @throws an error of the system, or one that says that a bundler took away where the package is
 */
export function readPackageFile(path: string): string {
  // A bundler that makes CommonJS from this module removes `import.meta.url`.
  const here = (import.meta.url as string | undefined) ?? (typeof __filename === 'string' ? __filename : undefined)
  if (here === undefined) throw new Error('a bundler took away where this file is')
  // The package's own name leads to its root, both from the sources and from either bundle.
  const root = dirname(createRequire(here).resolve('mapsafe/package.json'))
  return readFileSync(join(root, path), 'utf8')
}
