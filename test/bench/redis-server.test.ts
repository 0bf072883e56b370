import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

const server = new URL('../../bench/harness/redis-server.ts', import.meta.url)

test('where Redis is not installed, nothing is killed', async () => {
  // A process group of its own, so that a stray signal ends this program alone.
  const program = `const { RedisServer } = await import(${JSON.stringify(server.href)})
    process.exitCode = (await RedisServer.start('.')) === undefined ? 7 : 8
    setTimeout(() => {}, 200) // for a signal on its way`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    detached: true,
    env: { ...process.env, PATH: '/nowhere' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  expect(await once(child, 'exit')).toEqual([7, null])
})
