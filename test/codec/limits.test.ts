import { expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

/** What is stored can be read: the walk that writes keeps to the bounds that the decoders have. */
describeEachLineup((subject) => {
  const resizable = (): ArrayBuffer => {
    const Buffer = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer
    const buffer = new Buffer(8, { maxByteLength: 16 })
    new Uint8Array(buffer).set([1, 2, 3, 4, 5, 6, 7, 8])
    return buffer
  }
  const bytes = [1, 2, 3, 4, 5, 6, 7, 8]

  test('a resizable buffer is stored with the length that it has', () => {
    subject().map.set('key', { buffer: resizable() })
    const { buffer } = subject().map.get('key') as { buffer: ArrayBuffer }
    expect([...new Uint8Array(buffer)]).toEqual(bytes)
  })

  test('so is what a view of one shows', () => {
    const buffer = resizable()
    subject().map.set('key', {
      all: new Uint8Array(buffer),
      part: new Uint16Array(buffer, 2, 1),
      view: new DataView(buffer),
    })
    const { all, part, view } = subject().map.get('key') as { all: Uint8Array; part: Uint16Array; view: DataView }
    expect([[...all], part[0], view.getUint8(7)]).toEqual([bytes, 0x0403, 8])
  })

  test.each([
    [4096, 'g', true],
    [4097, 'g', false],
    [256, 'v', true],
    [257, 'v', false],
  ])('a pattern of %i units with flag %s: stored, %s', (length, flags, isStored) => {
    const pattern = new RegExp('a'.repeat(length), flags)
    if (isStored) {
      subject().map.set('key', { pattern })
      expect(subject().map.get('key')).toEqual({ pattern })
      return
    }
    const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.set('key', { pattern }))
    expect(error.message).toContain('pattern')
  })
})
