/**
 * Makes one program of all examples of a page, in their order, so that what one example declares the next may use. A block
 * ` ```ts check` is compiled only: for code that needs a file or a network that is not there.
 */

const BLOCK = /^```ts( check)?\n([\s\S]*?)^```$/gm
const IMPORT = /^import (type )?\{([^}]*)\} from '([^']+)'\n/gm

/** @param leaveOut whether a block is tested elsewhere */
export function programOf(page: string, leaveOut: (code: string) => boolean = () => false): string {
  const imports = new Map<string, Set<string>>()
  const bodies: string[] = []
  for (const [, check, code] of page.matchAll(BLOCK) as Iterable<[string, string | undefined, string]>) {
    if (leaveOut(code)) continue
    const body = code.replace(IMPORT, (_, type: string | undefined, names: string, from: string) => {
      const known = imports.get(from) ?? new Set()
      imports.set(from, known)
      for (const name of names.split(',')) if (name.trim() !== '') known.add(`${type ?? ''}${name.trim()}`)
      return ''
    })
    bodies.push(
      check === undefined ? body : `export async function example${bodies.length}(): Promise<void> {\n${body}}`,
    )
  }
  const heads = Array.from(imports, ([from, names]) => `import { ${[...names].join(', ')} } from '${from}'`)
  return `${heads.join('\n')}\n${bodies.join('\n')}\nexport {}\n`
}

/** What the program prints, as the comments behind its calls of `console.log` say. */
export function promisesOf(program: string): string[] {
  return Array.from(program.matchAll(/\bconsole\.log\(.*\) \/\/ (.*)$/gm), ([, promise]) => promise)
}
