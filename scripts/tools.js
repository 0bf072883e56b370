// Code that the scripts of this folder share: running commands, and checking whether an output is older than its inputs.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Path of a development dependency's command. */
export const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name)

/** Runs a command in the package's folder with its output shown; returns its exit status. */
export const run = (command, args, env = {}) => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  })
  if (error) throw error
  return status ?? 1
}

/** As {@link run}, but ends this process if the command fails. */
export const must = (command, args, env) => {
  const status = run(command, args, env)
  if (status !== 0) {
    console.error(`${command} ${args.join(' ')} failed with status ${status}`)
    process.exit(status)
  }
}

/** Whether `command` can be run at all. */
export const exists = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

/** All files below the given files and folders, relative to the package's folder. */
export const files = (...paths) =>
  paths.flatMap((path) => {
    const full = join(root, path)
    if (!existsSync(full)) return []
    if (!statSync(full).isDirectory()) return [path]
    return readdirSync(full).flatMap((name) => files(join(path, name)))
  })

/** Whether `output` is absent or older than one of the files below `inputs`. */
export const isStale = (output, ...inputs) => {
  const full = join(root, output)
  if (!existsSync(full)) return true
  const built = statSync(full).mtimeMs
  return files(...inputs).some((input) => statSync(join(root, input)).mtimeMs > built)
}
