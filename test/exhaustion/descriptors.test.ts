import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { HEADER_DEATHS } from '../../src/format/layout.js'
import { findPlace } from '../../src/public/handle.js'
import { FairClock } from '../support/fair-clock.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { processCode } from '../support/worker-code.js'

/** Enough for Node.js itself, which opens all the modules at once that one imports, and a map or two. */
const DESCRIPTORS = 256
const { path, execArgv } = processCode(new URL('descriptors.program.ts', import.meta.url))

let scratch: Scratch
let processes: ChildProcess[]
beforeEach(() => {
  scratch = new Scratch()
  processes = []
})
afterEach(async () => {
  await Promise.all(processes.map((child) => kill(child)))
  scratch[Symbol.dispose]()
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** A process with the map open that may have few files open. */
function start(file: string, engine: string): ChildProcess {
  const child = fork(path, [file, engine], {
    execPath: '/bin/sh',
    execArgv: ['-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh', process.execPath, ...execArgv],
  })
  processes.push(child)
  return child
}

async function tell(child: ChildProcess, command: string): Promise<unknown> {
  const end = new AbortController()
  const { signal } = end
  child.send(command)
  try {
    const answered = once(child, 'message', { signal })
    const ended = once(child, 'exit', { signal }).then((how) => expect.fail(`the process ended: ${how.join(', ')}`))
    const [message] = (await Promise.race([answered, ended])) as [{ answer: unknown }]
    return message.answer
  } finally {
    end.abort()
  }
}

describe.skipIf(process.platform === 'win32').each(lineups)('a process out of file descriptors ($name)', (lineup) => {
  async function exhausted(file: string, index = 0): Promise<ChildProcess> {
    const child = start(file, lineup.engineOf(index))
    expect(await tell(child, 'exhaust')).toMatchObject({ code: 'EMFILE' })
    return child
  }

  test('opens no file, and says why; what it has open goes on', async () => {
    const file = scratch.file()
    using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20, engine: lineup.engineOf(1) })
    new ConcurrentMap({ file: `${file}.another`, maxBytes: 2 ** 20 }).close()
    const child = await exhausted(file)
    for (const command of ['openAnother', 'make', 'attach']) {
      expect(await tell(child, command), command).toEqual({
        code: 'ERR_MAPSAFE_FILE',
        message: expect.stringMatching(/EMFILE.*too many open files/) as string,
      })
    }
    expect(await tell(child, 'attachToMemory')).toEqual([2, [false, false]])
    expect(await tell(child, 'makeInMemory')).toBe(3)
    expect(await tell(child, 'write')).toBe(true)
    expect(map.get('key')).toBe(child.pid)
    expectSound(map)
  })

  test('takes over from nobody who lives, nor is it taken over', async () => {
    const file = scratch.file()
    using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20, engine: lineup.engineOf(1) })
    map.set('key', 0)
    const holder = start(file, lineup.engineOf(1))
    holder.send('hold')
    expect((await once(holder, 'message'))[0]).toBe('held')
    const child = await exhausted(file)
    // It waits for one that lives: in vain, and no longer than the bound.
    const clock = new FairClock()
    expect(await tell(child, 'write')).toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    expect(clock.now()).toBeLessThan(4000)
    // Whoever attaches asks who is dead.
    ConcurrentMap.attach(map.handle).close()
    expect(new Int32Array(findPlace(map.handle).region)[HEADER_DEATHS]).toBe(0)
    expect(map.stats().threads.map(({ state }) => state)).toEqual(['running', expect.anything(), 'running'])
    // What it cannot look at is unknown to it, never dead.
    expect(await tell(child, 'states')).toEqual(['unknown', 'unknown', 'unknown'])
    // That one's end, which a lock tells, it sees all the same.
    await kill(holder)
    expect(await tell(child, 'write')).toBe(true)
    expect(map.get('key')).toBe(child.pid)
    expect(map.stats().threads).toHaveLength(2)
    expectSound(map)
  })
})
