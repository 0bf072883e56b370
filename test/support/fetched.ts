import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npm, root } from '../package/packed.js'

/**
 * Installs a package for a test alone, once: one that would be too much for everybody who clones the repository, or that
 * not every supported Node.js may have installed without a warning.
 *
 * @param spec name and exact version
 * @returns the folder that it is installed in; undefined if no registry can be reached
 */
export function fetched(spec: string): string | undefined {
  const cache = join(root, 'node_modules/.cache')
  const folder = join(cache, spec)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, 'fetched-'))
  writeFileSync(join(fresh, 'package.json'), '{ "private": true }')
  const options = ['--no-save', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--silent']
  const patience = ['--fetch-retries=0', '--fetch-timeout=20000']
  const { status } = spawnSync(npm, ['install', spec, ...options, ...patience], { cwd: fresh })
  if (status === 0) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true }) // the name may have a scope
    renameSync(fresh, folder)
    return folder
  }
  rmSync(fresh, { recursive: true, force: true })
  return undefined
}
