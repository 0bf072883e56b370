import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { REGISTRY_THREADS } from '../../src/format/layout.js'
import { CONTAINER } from '../support/container.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { processCode, workerCode } from '../support/worker-code.js'

/** Whether this user may start processes in PID and mount namespaces of their own, as containers do. */
const maySeparate = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status === 0
const separately = maySeparate ? describe : describe.skip
if (!maySeparate) console.info('unshare(1) is not permitted here: deaths in other containers are not tested')

const program = workerCode(new URL('containers.program.ts', import.meta.url)).pathname

interface Container {
  readonly process: ChildProcess
  /** What it said so far: after each round, how many rounds were acknowledged. */
  lines(): string[]
  kill(): Promise<void>
}

let scratch: Scratch
let containers: Container[]
beforeEach(() => {
  scratch = new Scratch()
  containers = []
})
afterEach(async () => {
  await Promise.all(containers.map((container) => container.kill()))
  scratch[Symbol.dispose]()
})

/** A process in PID and mount namespaces of its own, which writes to the map until it is killed. */
async function start(
  file: string,
  engine: string,
  name: string,
  proc: 'proc' | 'no proc' = 'proc',
): Promise<Container> {
  const command = `exec ${process.execPath} --enable-source-maps ${program} ${file} ${engine} ${name}`
  const inside = proc === 'proc' ? command : `mount -t tmpfs none /proc && ${command}`
  const child = spawn('unshare', ['-p', '-f', '--kill-child', '--mount-proc', 'sh', '-c', inside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  let isOver = false
  child.once('close', () => (isOver = true))
  child.stdout.setEncoding('latin1').on('data', (part: string) => (text += part))
  const container: Container = {
    process: child,
    lines: () => text.split('\n').slice(0, -1),
    async kill() {
      if (isOver) return
      // Its output ends with the last process in the namespace, which the end of unshare(1) kills.
      const over = once(child, 'close')
      child.kill('SIGKILL')
      await over
    },
  }
  containers.push(container)
  while (container.lines().length === 0) {
    if (child.exitCode !== null) throw new Error(`the container ended with ${child.exitCode}: ${text}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return container
}

/** What a container was told is stored, by its last line. */
const acknowledged = (container: Container): number => Number(container.lines().at(-1))

separately.each(lineups)('processes in other containers ($name)', (lineup) => {
  test('are killed again and again in the middle of writes: nothing is lost, and nobody alive is taken over', async () => {
    const random = new Random(seed)
    const file = scratch.file()
    using map = new ConcurrentMap<string, number>({ file, maxBytes: 4 * 2 ** 20, engine: lineup.engineOf(0) })
    map.set('mine', 0)
    const survivor = await start(file, lineup.engineOf(1), 'survivor')
    for (let i = 0; i < scaled(10); i++) {
      const name = `victim ${i}`
      const victim = await start(file, lineup.engineOf(i), name)
      for (let writes = 0; writes < 500 + random.below(2000); writes++) map.increment('mine')
      await victim.kill()
      const stored = acknowledged(victim)
      map.set('after', i) // waits for whatever the victim held
      expect(map.get(`count of ${name}`), `MAPSAFE_SEED=${seed}`).toBeGreaterThanOrEqual(stored)
    }
    const before = acknowledged(survivor)
    while (acknowledged(survivor) < before + 100) await new Promise((resolve) => setTimeout(resolve, 2))
    await survivor.kill()
    map.repair()
    expect(map.stats().threads).toHaveLength(1)
    expectSound(map)
  })
})

separately('containers', () => {
  test('that are killed more often than there are thread records leave room for the next', async () => {
    const file = scratch.file()
    new ConcurrentMap({ file, maxBytes: 2 ** 20 }).close()
    for (let i = 0; i < 3; i++) {
      const one = await start(file, 'native', `taker ${i}`, i === 1 ? 'no proc' : 'proc')
      await one.kill()
      using map = new ConcurrentMap<string, number>({ file })
      expect(map.stats().threads).toHaveLength(1)
    }
    // As many as there are records, all dead at once.
    const taker = await start(file, 'native', 'all')
    await taker.kill()
    const maps = Array.from({ length: REGISTRY_THREADS }, () => new ConcurrentMap<string, number>({ file }))
    for (const map of maps) map.close()
  })

  test('in which processes are killed beside others of the same lose nothing', async () => {
    // All of the trial runs inside: who dies, who starts them, and who goes on.
    const { path, execArgv } = processCode(new URL('index.ts', import.meta.url))
    const [command, ...options] = CONTAINER
    const trial = [path, '--faults', 'SIGKILL', '--kills', `${scaled(9)}`]
    const child = spawn(command, [...options, process.execPath, ...execArgv, ...trial], {
      env: { ...process.env, MAPSAFE_SEED: `${seed}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('latin1').on('data', (part: string) => (text += part))
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, text }).toEqual({ code: 0, text: expect.stringMatching(/^SIGKILL +\w/m) as string })
  })

  test.each(['native', 'typescript'])('without /proc live and write beside others: %s', async (engine) => {
    const file = scratch.file()
    using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20 })
    const one = await start(file, engine, 'one', 'no proc')
    const two = await start(file, engine, 'two', 'no proc')
    const goal = 500
    for (let i = 0; acknowledged(one) < goal || acknowledged(two) < goal; i++) {
      // Each opening asks who is dead.
      using another = new ConcurrentMap<string, number>({ file, engine: engine as 'native' })
      another.set('another', i)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(map.stats().threads.filter(({ state }) => state === 'dead')).toEqual([])
    await Promise.all([one.kill(), two.kill()])
    map.repair()
    expectSound(map)
  })
})
