import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/**
 * Packs the package and unpacks it in the folder `project`, as if it was installed there.
 *
 * @returns where it lies
 */
export function installPacked(project: string): string {
  execFileSync(npm, ['pack', '--silent', '--pack-destination', project], { cwd: root, stdio: 'pipe' })
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz'))!
  const installed = join(project, 'node_modules', 'mapsafe')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(project, tarball), '-C', installed, '--strip-components=1'])
  symlinkSync(join(root, 'node_modules/node-gyp-build'), join(project, 'node_modules/node-gyp-build'), 'junction')
  return installed
}
