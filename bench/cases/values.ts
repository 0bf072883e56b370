import type { ContenderName } from '../contenders/index.js'
import { kindOf } from '../contenders/index.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { compareEach, medianOf, roundsOf, type Entrant, type Rounds } from '../harness/comparison.js'
import { VALUE_NAMES, type ValueKind } from '../harness/data.js'
import type { Operation } from '../harness/stage.js'
import { ratio } from '../harness/statistics.js'
import { atLeast, atMost, type Verdict } from '../harness/targets.js'
import { count, duration, times } from '../report/format.js'

type Name = `${ContenderName} ${ValueKind}`

const SIZE = 4096

const LINE_UPS: readonly [value: ValueKind, names: readonly ContenderName[]][] = [
  ['string', ['map', 'mapsafeNative', 'mapsafeTypescript']],
  ['flat', ['map', 'lruCache', 'mapsafeNear', 'mapsafeNative', 'mapsafeTypescript', 'mapsafeMsgpack', 'lmdbMsgpack']],
  ['row', ['map', 'lruCache', 'mapsafeNear', 'mapsafeNative', 'mapsafeV8', 'lmdbMsgpack']],
  ['page', ['map', 'mapsafeNative', 'mapsafeTypescript', 'lmdbString']],
]

/** What an object costs beside a string. */
export const values: Case = {
  name: 'values',
  title: 'Objects beside strings',
  method: `One thread reads and overwrites values under ${count(SIZE)} keys of 20 characters, drawn by Zipf's law; all contenders with all values take turns in
the same rounds. The flat object has a name, three tags and three numbers, the row two dates. *mapsafe of bytes* holds what another encoding made, and decodes and freezes
it at every read: what objects cost before values had a format of their own.`,
  async run(run: Run): Promise<Findings> {
    const entrants = LINE_UPS.flatMap(([value, names]) =>
      names.map((name): Entrant<Name> => ({ as: `${name} ${value}`, name, setup: { size: SIZE, value } })),
    )
    const rounds = await compareEach(run, entrants, ['hit', 'set'])
    return {
      tables: LINE_UPS.map(([value, names]) => table(rounds, value, names)),
      charts: [],
      verdicts: verdicts(rounds),
      omissions: [],
    }
  },
}

function table(rounds: Rounds<Name>, value: ValueKind, names: readonly ContenderName[]): Table {
  const cells = (operation: Operation, name: ContenderName): string[] => {
    const own = roundsOf(rounds, operation, `${name} ${value}`)
    const string = roundsOf(rounds, operation, 'mapsafeNative string')
    return [duration(medianOf(rounds, operation, `${name} ${value}`)), times(ratio(own, string))]
  }
  return {
    title: `${VALUE_NAMES[value]}, ${count(SIZE)} keys`,
    columns: ['', 'get', '/ native, 100-byte string', 'set', '/ native, 100-byte string'],
    rows: names.map((name) => [kindOf(name).label, ...cells('hit', name), ...cells('set', name)]),
  }
}

function verdicts(rounds: Rounds<Name>): Verdict[] {
  const over = (operation: Operation, one: Name, other: Name): number =>
    ratio(roundsOf(rounds, operation, one), roundsOf(rounds, operation, other))
  return [
    atMost(
      'V1',
      'native read, flat object / 100-byte string',
      over('hit', 'mapsafeNative flat', 'mapsafeNative string'),
      2,
      times,
    ),
    atLeast(
      'V1',
      'lmdb get, msgpack / native read, flat object',
      over('hit', 'lmdbMsgpack flat', 'mapsafeNative flat'),
      3.5,
      times,
    ),
    atMost(
      'V2',
      'native set, flat object / 100-byte string',
      over('set', 'mapsafeNative flat', 'mapsafeNative string'),
      1.8,
      times,
    ),
    atMost('V4', 'row with two dates: near hit / Map.get', over('hit', 'mapsafeNear row', 'map row'), 1.35, times),
    atMost(
      'V4',
      "without near-cache / bytes in V8's format, decoded",
      over('hit', 'mapsafeNative row', 'mapsafeV8 row'),
      0.3,
      times,
    ),
    atMost(
      'V7',
      '4 KiB string: native read / TypeScript read',
      over('hit', 'mapsafeNative page', 'mapsafeTypescript page'),
      0.6,
      times,
    ),
    atMost(
      'V7',
      '4 KiB string: native set / TypeScript set',
      over('set', 'mapsafeNative page', 'mapsafeTypescript page'),
      0.6,
      times,
    ),
    atMost(
      'V9',
      'flat object: TypeScript read / native read',
      over('hit', 'mapsafeTypescript flat', 'mapsafeNative flat'),
      1.3,
      times,
    ),
    atMost(
      'V9',
      'flat object: TypeScript set / native set',
      over('set', 'mapsafeTypescript flat', 'mapsafeNative flat'),
      1.3,
      times,
    ),
  ]
}
