// A process that dies while it looks at a copy of a map file, started by copies.test.ts: as soon as it has a thread
// record, or while it holds a bucket as well.
import { writeSync } from 'node:fs'
import { ConcurrentMap } from '../../src/index.js'
import type { Engine } from '../../src/engine/engine.js'
import { fileFunctions } from '../../src/storage/mapping.js'

const [file, when] = process.argv.slice(2)
const binding = fileFunctions()
const { createEngine } = binding
binding.createEngine = (...args) => {
  const engine = createEngine(...args) as Engine | null
  if (when === 'holding') engine?.hold('key 1')
  process.kill(process.pid, 'SIGKILL')
  // Process 1 of a container cannot kill itself: the one outside does, once it reads this.
  writeSync(1, 'ready\n')
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
new ConcurrentMap({ file })
