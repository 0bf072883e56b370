import { describe, expect, test } from 'vitest'
import { engineError } from '../../src/engine/engine-error.js'
import { PUT_ALWAYS, RESULT_ENTRY, RESULT_STATUS, RETURN_PREVIOUS, UNKNOWN_KIND } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import {
  BLOCK_WORDS,
  ENTRY_META,
  MIN_REGION_BYTES,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
  VALUE_NUMBER,
} from '../../src/format/layout.js'
import { isEncodedKind, isKnownKind, isLeaseKind, isValueLength } from '../../src/format/kinds.js'

describe.each(['native', 'typescript'] as const)('a value of a kind that only a later version knows (%s)', (choice) => {
  test.each([0, 14, 31])('kind %i is an error that names kind and format, and never an absent key', (kind) => {
    const region = new SharedArrayBuffer(MIN_REGION_BYTES)
    formatRegion(region)
    const engine = openEngine(region, choice)
    engine.put('key', VALUE_NUMBER, 1, PUT_ALWAYS)
    const meta = engine.result[RESULT_ENTRY] * BLOCK_WORDS + ENTRY_META
    engine.words[meta] = (engine.words[meta] & ~(VALUE_KIND_MASK << VALUE_KIND_SHIFT)) | (kind << VALUE_KIND_SHIFT)
    for (const read of [
      () => engine.get('key'),
      () => engine.getPassing('key'),
      () => engine.getForLoad('key'),
      () => engine.put('key', VALUE_NUMBER, 2, PUT_ALWAYS | RETURN_PREVIOUS),
      () => engine.remove('key', PUT_ALWAYS | RETURN_PREVIOUS),
    ]) {
      read()
      expect(engine.result[RESULT_STATUS]).toBe(UNKNOWN_KIND)
      expect(engineError(engine, 'key')).toMatchObject({
        code: 'ERR_MAPSAFE_FORMAT',
        message: expect.stringMatching(new RegExp(`"key" is of kind ${kind}, which format version \\d`)) as string,
      })
    }
    // What overwrites it need not read it.
    engine.put('key', VALUE_NUMBER, 2, PUT_ALWAYS)
    expect(engine.get('key')).toBe(2)
    engine.close()
  })
})

test('a kind that is not known has no flag and no length', () => {
  for (let kind = 0; kind <= VALUE_KIND_MASK; kind++) {
    if (isKnownKind(kind)) continue
    expect([isEncodedKind(kind), isLeaseKind(kind), isValueLength(kind, 0), isValueLength(kind, 8)]).toEqual(
      Array<boolean>(4).fill(false),
    )
  }
})
