import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bootNumber } from '../../src/platform/system-clock.js'
import { processCode } from '../support/worker-code.js'

const { path, execArgv } = processCode(new URL('boot.program.ts', import.meta.url))

test.skipIf(process.platform !== 'linux')(
  'who has no descriptor to find out which start this is asks again later',
  () => {
    const program = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, ...execArgv, path]
    const answers = execFileSync(program[0], program.slice(1), { encoding: 'utf8' }).trim()
    expect(answers).toBe(`0 ${bootNumber()}`)
  },
)
