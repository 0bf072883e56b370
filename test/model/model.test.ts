import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/model.js', import.meta.url))
const isInstalled = (tool: string): boolean => spawnSync(tool, ['-V'], { stdio: 'ignore' }).error === undefined
const missing = ['spin', 'gcc'].filter((tool) => !isInstalled(tool))

test.skipIf(missing.length > 0)(
  `the protocol's model holds and its mutants do not${missing.map((tool) => ` (skipped: ${tool} is not installed: apt-get install spin gcc)`).join('')}`,
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--quick'], { encoding: 'utf8' })
    const counts = /(\d+) of (\d+) as they should be\n$/.exec(stdout)?.slice(1).map(Number) ?? []
    expect({ status, counts, stdout, stderr }).toMatchObject({ status: 0, counts: [79, 79] })
  },
)
