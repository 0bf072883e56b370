// A deploy replaces the process. A cache in its memory begins empty, and every request asks the database. One in a file is
// as warm as it was, also when the old process was killed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConcurrentCache } from 'mapsafe'

const [how, file] = process.argv.slice(2) as [string?, string?]

if (how === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-recipe-'))
  const life = (...args: string[]): string =>
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { encoding: 'utf8' }).stdout
  console.log('memory:', life('memory'), 'loads, then', life('memory')) // memory: 100 loads, then 100
  const name = join(folder, 'products.map')
  console.log('file:', life('file', name), 'loads, then', life('file', name)) // file: 100 loads, then 0
  rmSync(folder, { recursive: true })
} else {
  const products = new ConcurrentCache<string, string>({
    ...(how === 'file' ? { file } : {}),
    maxBytes: 2 ** 20,
    ttl: 3_600_000,
  })
  let loads = 0
  const load = (id: string): string => {
    loads++
    return `product ${id}`
  }
  for (let id = 0; id < 100; id++) await products.getOrLoad(`v1:${id}`, load) // a new form of values is a new prefix
  process.stdout.write(String(loads))
  process.kill(process.pid, 'SIGKILL')
}
