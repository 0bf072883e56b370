import { spawn } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { until } from '../support/patience.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

const scratch = new Scratch()
afterAll(() => scratch[Symbol.dispose]())

describe.runIf(process.platform === 'linux').each(lineups)('the threads of a file ($name)', (lineup) => {
  test('are told as running, stopped and dead, and are not taken over', async () => {
    const file = scratch.file()
    new ConcurrentMap({ file, maxBytes: 2 ** 20 }).close()
    using seen = openInspection(file)
    expect(seen.threads()).toEqual([])
    const { path, execArgv } = processCode(new URL('holder.program.ts', import.meta.url))
    const child = spawn(process.execPath, [...execArgv, path, file, lineup.engineOf(1)], { stdio: 'inherit' })
    const state = (): string | undefined => seen.threads()[0]?.state
    await until('the other process has opened the map', () => state() === 'running')
    const [thread] = seen.threads()
    expect(thread).toMatchObject({ pid: child.pid, threadId: 0, engine: lineup.engineOf(1), kernelThreadId: child.pid })
    child.kill('SIGSTOP')
    await until('it is stopped', () => state() === 'stopped')
    child.kill('SIGCONT')
    await until('it goes on', () => state() === 'running')
    child.kill('SIGKILL')
    await until('it is dead', () => state() === 'dead')
    expect(seen.stats().threads).toMatchObject([{ pid: child.pid, state: 'dead' }])
    expect(seen.threads()).toHaveLength(1)
    const copy = scratch.file()
    copyFileSync(file, copy)
    using torn = openInspection(copy)
    expect(torn.threads()).toMatchObject([{ pid: child.pid, state: 'dead' }])
  })
})
