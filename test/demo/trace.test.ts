import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { DemoError } from '../../demo/demo-error.js'
import { generateTrace, readTrace, type Trace } from '../../demo/trace.js'

const folder = mkdtempSync(join(tmpdir(), 'mapsafe-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
const replayed = ({ keys, accesses }: Trace): string[] => [...accesses].map((index) => keys[index])

test('a trace is one key a line, whatever ends the lines', async () => {
  const trace = await readTrace(write('plain.txt', 'b\na\r\n\nb\n ä \nb'))
  expect(replayed(trace)).toEqual(['b', 'a', 'b', 'ä', 'b'])
  expect(trace.keys).toEqual(['b', 'a', 'ä'])
})

test('a trace of many chunks, packed or not, comes out whole', async () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `schlüssel ${index % 777}`)
  const text = lines.join('\n')
  expect(replayed(await readTrace(write('long.txt', text)))).toEqual(lines)
  expect(replayed(await readTrace(write('long.txt.gz', gzipSync(text))))).toEqual(lines)
})

test.each([
  ['a missing file', () => join(folder, 'missing.txt'), /ENOENT/],
  ['a folder', () => folder, /EISDIR/],
  ['an empty file', () => write('empty.txt', ''), /empty/],
  ['blank lines only', () => write('blank.txt', '\n \n\r\n'), /empty/],
  ['an empty packed file', () => write('empty.gz', gzipSync('')), /empty/],
  ['a packed file that is cut', () => write('cut.gz', gzipSync('a\nb\n').subarray(0, 15)), /unexpected end of file/],
  ['a .gz that is not packed', () => write('text.gz', 'a\nb\n'), /incorrect header/],
  ['bytes that are no text', () => write('binary.txt', Uint8Array.of(97, 0, 10)), /no text/],
  ['a key beyond the limit', () => write('wide.txt', `a\n${'b'.repeat(500_001)}\n`), /key 2 is too long/],
])('%s is refused in one line', async (_, file, reason) => {
  const error: unknown = await readTrace(file()).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(DemoError)
  expect((error as DemoError).message).toMatch(reason)
  expect((error as DemoError).message).not.toContain('\n')
})

test('a generated trace follows its seed and is skewed', () => {
  const trace = generateTrace(7)
  // toEqual takes seconds for a million elements.
  expect(isDeepStrictEqual(generateTrace(7), trace)).toBe(true)
  expect(isDeepStrictEqual(generateTrace(8).accesses, trace.accesses)).toBe(false)
  expect(new Set(trace.keys).size).toBe(trace.keys.length)

  const counts = new Uint32Array(trace.keys.length)
  for (const index of trace.accesses) counts[index]++
  // Under Zipf with exponent 0.99 over 50,000 keys the first key has 1 / 12 of all accesses and 2 ** 0.99 times the
  // second's.
  expect(counts[0] / trace.accesses.length).toBeCloseTo(0.083, 2)
  expect(counts[0] / counts[1]).toBeCloseTo(2 ** 0.99, 1)
})
