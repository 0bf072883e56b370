import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/**
 * Packs the package once for all test files of a run: packing builds what is stale and copies the binary, and two that
 * do so at once would pack half a file. The first file to ask packs, the others wait for it.
 *
 * @returns the tarball
 */
export async function packed(): Promise<string> {
  const folder = join(inject('sharedFolder'), 'packing')
  const [tarball, failure] = [join(inject('sharedFolder'), 'mapsafe.tgz'), join(inject('sharedFolder'), 'failure')]
  if (mkdirSync(folder, { recursive: true }) !== undefined) {
    try {
      execFileSync(npm, ['pack', '--silent', '--pack-destination', folder], { cwd: root, stdio: 'pipe' })
      renameSync(join(folder, readdirSync(folder)[0]), tarball)
    } catch (error) {
      writeFileSync(failure, String(error))
    }
  }
  while (!existsSync(tarball)) {
    if (existsSync(failure)) throw new Error(readFileSync(failure, 'utf8'))
    await sleep(20)
  }
  return tarball
}

/**
 * Unpacks the package in the folder `project` as `npm install --ignore-scripts` would, but its dependencies are linked.
 *
 * @returns where it lies
 */
export async function installPacked(project: string): Promise<string> {
  const installed = join(project, 'node_modules', 'mapsafe')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', await packed(), '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
  }
  return installed
}
