import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

/** Where and when the figures were taken. */
export function describeMachine(): string {
  const [processor] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const cores = availableParallelism()
  return `${processor.model.trim()}, ${cores} core${cores === 1 ? '' : 's'}, ${memory} GiB, ${type()} ${release()}, Node.js ${process.version}`
}

/** The other packages' names and versions, as they are installed. */
export function describeVersions(): string {
  return ['lru-cache', 'quick-lru', 'lmdb', 'sharedmap', 'redis', 'tinybench']
    .map((name) => {
      const manifest = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8')) as {
        version: string
      }
      return `${name} ${manifest.version}`
    })
    .join(', ')
}
