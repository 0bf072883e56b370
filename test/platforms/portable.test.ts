import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = fileURLToPath(new URL('portable/main.js', import.meta.url))

test('this runtime passes what every runtime must', async () => {
  const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [told] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(told).toBe('26 passed, 0 failed\n')
})
