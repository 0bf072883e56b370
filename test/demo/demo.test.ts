import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'

// As `npm run demo` starts it; scripts/test.js has compiled it.
const program = fileURLToPath(new URL('../../out/programs/demo/index.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mapsafe-demo-'))
afterAll(() => rmSync(folder, { recursive: true }))

const demo = (...parameters: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [program, ...parameters], { encoding: 'utf8' })

/** What each half printed. */
const halves = (output: string): [string, string] => {
  const second = output.indexOf('\n2. ')
  expect(second).toBeGreaterThan(0)
  return [output.slice(0, second), output.slice(second)]
}

/** Both caches' cells in the final table of a half. */
const cells = (half: string, label: string): string[] => {
  const row = half.split('\n').findLast((line) => line.startsWith(` ${label}  `))
  return (
    row
      ?.slice(label.length + 1)
      .trim()
      .split(/ {2,}/) ?? []
  )
}
const figure = (cell: string): number => Number(/^[\d,.]+/.exec(cell)?.[0].replaceAll(',', ''))

describe('a run', () => {
  test('counts stale reads in private caches and none in the shared map', () => {
    const { status, stdout, stderr } = demo('--seconds', '3', '--workers', '2', '--seed', '42')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('seed 42')
    // Output that is not a terminal's has no escape codes.
    expect(stdout).not.toContain('\x1b')
    expect(stdout).toMatch(/^ +\d+\.\d s {2}mapsafe /m)

    const [keeping, loading] = halves(stdout)
    for (const half of [keeping, loading]) {
      const [shared, separate] = cells(half, 'STALE READS')
      expect(shared).toBe('0')
      expect(figure(separate)).toBeGreaterThan(0)
      for (const label of ['worker 1, requests/s', 'worker 2, requests/s', 'latency, p99']) {
        expect(cells(half, label).map((cell) => figure(cell) > 0)).toEqual([true, true])
      }
      // A session that one worker loaded is there for all in the shared map, so that it hits more often ...
      const [sharedHits, separateHits] = cells(half, 'hit ratio').map(figure)
      expect(sharedHits).toBeGreaterThan(separateHits)
      // ... and the database is asked less often for the same reads.
      const [sharedLoads, separateLoads] = cells(half, 'loads from the database').map(figure)
      expect(sharedLoads).toBeGreaterThan(0)
      expect(sharedLoads).toBeLessThan(separateLoads)
      expect(half.trimEnd().split('\n').slice(-2).join('\n')).toMatch(
        /^In the same .* never\.\nmapsafe in comparison: /,
      )
    }
    expect(cells(keeping, 'memory for the cache').map((cell) => figure(cell) > 0)).toEqual([true, true])
  })

  test.each([
    ['plain.txt', (text: string) => text],
    ['packed.txt.gz', (text: string) => gzipSync(text)],
  ])('replays %s', (name, pack) => {
    const file = join(folder, name)
    writeFileSync(file, pack('ada\ngrace\nada\nbarbara\n'))
    const { status, stdout, stderr } = demo('--trace', file, '--seconds', '0.2', '--workers', '2')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain(`${name}, 4 accesses to 3 distinct keys`)
    for (const half of halves(stdout)) expect(cells(half, 'STALE READS')[0]).toBe('0')
  })

  test('with one worker has nothing stale anywhere', () => {
    const { status, stdout } = demo('--seconds', '0.2', '--workers', '1')
    expect(status).toBe(0)
    for (const half of halves(stdout)) expect(cells(half, 'STALE READS')).toEqual(['0', '0'])
  })
})

test('--help lists the options', () => {
  const { status, stdout } = demo('--help')
  expect(status).toBe(0)
  for (const option of ['--workers', '--seconds', '--trace', '--seed']) expect(stdout).toContain(option)
})

test.each([
  [['--trace', 'no such file'], 'no such file'],
  [['--trace', folder], 'EISDIR'],
  [['--trace'], '--trace'],
  [['--workers', '0'], 'expected an integer from 1 to 32'],
  [['--workers', '2.5'], 'expected an integer from 1 to 32'],
  [['--workers='], 'expected an integer from 1 to 32'],
  [['--seconds', 'soon'], 'expected a number from 0.1 to 3600'],
  [['--seconds=-1'], 'expected a number from 0.1 to 3600'],
  [['--seed', '4294967296'], 'expected an integer from 0 to 4294967295'],
  [['--fast'], "Unknown option '--fast'"],
  [['fast'], "Unexpected argument 'fast'"],
])('%j ends with status 1 and one line', (parameters, reason) => {
  const { status, stdout, stderr } = demo(...parameters)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^demo: [^\n]+\n$/)
  expect(stderr).toContain(reason)
})
