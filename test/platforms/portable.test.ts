import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = fileURLToPath(new URL('portable/main.js', import.meta.url))

test('this runtime passes what every runtime must', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, root])
  expect(stdout.trim().split('\n').at(-1)).toBe('26 passed, 0 failed')
})
