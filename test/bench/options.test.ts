import { describe, expect, test } from 'vitest'
import { BenchError } from '../../bench/harness/bench-error.js'
import { parseOptions, REPORT, usage } from '../../bench/harness/options.js'

const cases = ['reads', 'writes']
const parse = (...parameters: string[]): ReturnType<typeof parseOptions> => parseOptions(parameters, cases)

test('a full run writes the report, a partial one does not unless asked', () => {
  expect(parse()).toEqual({
    help: false,
    quick: false,
    only: [],
    seed: 1,
    traces: undefined,
    report: REPORT,
    json: undefined,
  })
  expect(parse('--quick').report).toBeUndefined()
  expect(parse('--only', 'reads').report).toBeUndefined()
  expect(parse('--quick', '--report', 'out/quick.md').report).toBe('out/quick.md')
})

test('--only may be given several times', () => {
  expect(parse('--only', 'writes', '--only', 'reads').only).toEqual(['writes', 'reads'])
})

describe('refused with a line that says what is expected:', () => {
  test.each([
    [['--only', 'deletes'], "--only is 'deletes'; expected one of reads, writes"],
    [['--only'], '--only'],
    [['--seed', '-1'], '--seed'],
    [['--seed', 'x'], "--seed is 'x'; expected an integer from 0 to 4294967295"],
    [['--seed', '4294967296'], 'expected an integer from 0 to 4294967295'],
    [['--report', 'report.txt'], "--report is 'report.txt'; expected a file name that ends in .md"],
    [['--report', '.md'], 'ends in .md'],
    [['--fast'], "Unknown option '--fast'"],
    [['reads'], "Unexpected argument 'reads'"],
  ])('%j', (parameters, reason) => {
    expect(() => parse(...parameters)).toThrow(BenchError)
    expect(() => parse(...parameters)).toThrow(reason)
    expect(() => parse(...parameters)).not.toThrow('\n')
  })
})

test('the usage names every option and case', () => {
  for (const word of ['--quick', '--only', '--report', '--seed', '--help', ...cases]) {
    expect(usage(cases)).toContain(word)
  }
})
