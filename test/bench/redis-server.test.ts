import { ChildProcess } from 'node:child_process'
import { afterEach, expect, test, vi } from 'vitest'
import { RedisServer } from '../../bench/harness/redis-server.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('where Redis is not installed, nothing is killed', async () => {
  vi.stubEnv('PATH', '/nowhere')
  const kill = vi.spyOn(ChildProcess.prototype, 'kill').mockReturnValue(false)
  expect(await RedisServer.start('.')).toBeUndefined()
  expect(kill).not.toHaveBeenCalled()
})
