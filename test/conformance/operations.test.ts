import { describe, expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

describeEachLineup((subject) => {
  test('an empty map has nothing', () => {
    expect(subject().map.size).toBe(0)
    expect(subject().map.get('key')).toBeUndefined()
    expect(subject().map.has('key')).toBe(false)
    expect(subject().map.getEntry('key')).toBeUndefined()
    expect(subject().map.delete('key')).toBe(false)
    expect(subject().map.take('key')).toBeUndefined()
    expect([...subject().map]).toEqual([])
  })

  test('set returns the map and overwrites', () => {
    const { map } = subject()
    expect(map.set('key', 1)).toBe(map)
    subject().map.set('key', 2)
    expect(subject().map.get('key')).toBe(2)
    expect(subject().map.size).toBe(1)
  })

  test('setIfAbsent stores only the first', () => {
    expect(subject().map.setIfAbsent('key', 1)).toBe(true)
    expect(subject().map.setIfAbsent('key', 2)).toBe(false)
    expect(subject().map.get('key')).toBe(1)
    subject().map.delete('key')
    expect(subject().map.setIfAbsent('key', 3)).toBe(true)
    expect(subject().map.get('key')).toBe(3)
  })

  test('swap returns what it replaced', () => {
    expect(subject().map.swap('key', { a: 1 })).toBeUndefined()
    expect(subject().map.swap('key', 2)).toEqual({ a: 1 })
    expect(subject().map.swap('key', 'x')).toBe(2)
    expect(subject().map.get('key')).toBe('x')
  })

  test('take deletes what it returns', () => {
    subject().map.set('key', [1, 2])
    expect(subject().map.take('key')).toEqual([1, 2])
    expect(subject().map.take('key')).toBeUndefined()
    expect(subject().map.has('key')).toBe(false)
    expect(subject().map.size).toBe(0)
  })

  test('getOrInsert returns what is there, else what a reader will get', () => {
    const value = { n: 1 }
    const inserted = subject().map.getOrInsert('key', value)
    expect(inserted).toEqual({ n: 1 })
    expect(inserted).not.toBe(value)
    expect(Object.isFrozen(inserted)).toBe(true)
    expect(subject().map.getOrInsert('key', { n: 2 })).toEqual({ n: 1 })
    expect(subject().map.getOrInsert('text', 'a')).toBe('a')
    expect(subject().map.getOrInsert('text', 'b')).toBe('a')
  })

  test('swap, take and getOrInsert return values larger than the scratch buffer', () => {
    const large = new Uint8Array(400_000).fill(3)
    subject().map.set('key', large)
    expect(Buffer.compare(subject().map.getOrInsert('key', 0) as Uint8Array, large)).toBe(0)
    for (const map of subject().maps) {
      map.set('swapped', large).set('taken', large)
    }
    expect(Buffer.compare(subject().map.swap('swapped', { small: true }) as Uint8Array, large)).toBe(0)
    expect(subject().map.get('swapped')).toEqual({ small: true })
    expect(Buffer.compare(subject().map.take('taken') as Uint8Array, large)).toBe(0)
    expect(subject().map.has('taken')).toBe(false)
  })

  test('clear deletes everything, and the map goes on', () => {
    for (let i = 0; i < 3000; i++) subject().map.set(i, i)
    subject().map.clear()
    expect(subject().map.size).toBe(0)
    expect([...subject().map.keys()]).toEqual([])
    expect(subject().map.get(7)).toBeUndefined()
    for (let i = 0; i < 3000; i++) subject().map.set(i, -i)
    expect(subject().map.size).toBe(3000)
    expect(subject().map.get(7)).toBe(-7)
  })

  test('many entries survive growth, overwriting and deletion', () => {
    const count = 12_000
    for (let i = 0; i < count; i++) subject().map.set(`key-${i}`, i)
    for (let i = 0; i < count; i += 3) subject().map.set(`key-${i}`, `new ${i}`)
    for (let i = 1; i < count; i += 3) expect(subject().map.delete(`key-${i}`)).toBe(true)
    for (let i = 0; i < count; i++) {
      expect(subject().map.get(`key-${i}`)).toBe([`new ${i}`, undefined, i][i % 3])
    }
    expect(subject().map.size).toBe((count / 3) * 2)
    for (let i = 1; i < count; i += 3) subject().map.set(`key-${i}`, 'back')
    expect(subject().map.size).toBe(count)
  })

  test('space is reused: a hundred times the budget can be written in turn', () => {
    const value = 'v'.repeat(20_000)
    for (let i = 0; i < 20_000; i++) {
      subject().map.set(i, value)
      if (i >= 50) subject().map.delete(i - 50)
    }
    expect(subject().map.size).toBe(50)
  })

  describe('versions', () => {
    test('grow with every write of the key, deletion and insertion included', () => {
      const seen: number[] = []
      const note = (): void => {
        const version = subject().map.getEntry('key')!.version
        expect(Number.isSafeInteger(version)).toBe(true)
        expect(version).toBeGreaterThan(seen.at(-1) ?? 0)
        seen.push(version)
      }
      for (let round = 0; round < 5; round++) {
        subject().map.set('key', round)
        note()
        subject().map.set('key', round)
        note()
        subject().map.swap('key', { round })
        note()
        subject().map.delete('key')
        // Enough keys to split the segment while the key is gone.
        for (let i = 0; i < 1000; i++) subject().map.set(`${round}-${i}`, i)
        subject().map.increment('key')
        note()
        subject().map.increment('key')
        note()
        subject().map.take('key')
      }
    })

    test('setIfVersion stores only over that version', () => {
      subject().map.set('key', 'old')
      const { version } = subject().map.getEntry('key')!
      expect(subject().map.setIfVersion('key', 'new', version)).toBe(true)
      expect(subject().map.setIfVersion('key', 'late', version)).toBe(false)
      expect(subject().map.get('key')).toBe('new')
      expect(subject().map.setIfVersion('absent', 'value', version)).toBe(false)
      expect(subject().map.has('absent')).toBe(false)
    })

    test('setIfVersion with 0 stores only if there is no entry', () => {
      expect(subject().map.setIfVersion('key', 'first', 0)).toBe(true)
      expect(subject().map.setIfVersion('key', 'second', 0)).toBe(false)
      expect(subject().map.get('key')).toBe('first')
    })

    test('deleteIfVersion deletes only that version', () => {
      subject().map.set('key', 1)
      const { version } = subject().map.getEntry('key')!
      subject().map.set('key', 2)
      expect(subject().map.deleteIfVersion('key', version)).toBe(false)
      expect(subject().map.deleteIfVersion('key', 0)).toBe(false)
      expect(subject().map.get('key')).toBe(2)
      expect(subject().map.deleteIfVersion('key', subject().map.getEntry('key')!.version)).toBe(true)
      expect(subject().map.has('key')).toBe(false)
      expect(subject().map.deleteIfVersion('key', version)).toBe(false)
    })

    test('an entry tells no expiry', () => {
      subject().map.set('key', 1)
      expect(subject().map.getEntry('key')!.expiresAt).toBeUndefined()
    })
  })

  describe('increment', () => {
    test('counts from 0, by 1, by any safe integer, down as well', () => {
      expect(subject().map.increment('n')).toBe(1)
      expect(subject().map.increment('n')).toBe(2)
      expect(subject().map.increment('n', 40)).toBe(42)
      expect(subject().map.increment('n', -50)).toBe(-8)
      expect(subject().map.increment('n', 0)).toBe(-8)
      expect(subject().map.get('n')).toBe(-8)
    })

    test('reaches the ends of the safe integers', () => {
      expect(subject().map.increment('up', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
      expect(subject().map.increment('down', -Number.MAX_SAFE_INTEGER)).toBe(-Number.MAX_SAFE_INTEGER)
      expect(subject().map.increment('up', -Number.MAX_SAFE_INTEGER)).toBe(0)
    })

    test('goes on from a number that was set', () => {
      subject().map.set('n', 10)
      expect(subject().map.increment('n', 5)).toBe(15)
      subject().map.set('zero', -0)
      expect(Object.is(subject().map.increment('zero', 0), 0)).toBe(true)
    })
  })

  test('a getter in a value may use the map that the value is being stored in', () => {
    const { map } = subject()
    const value = {
      before: 'b'.repeat(300),
      get count(): number {
        map.set('inner', { other: 'x'.repeat(5000) })
        return map.increment('reads')
      },
      get previous(): unknown {
        return map.swap('inner', 'swapped')
      },
      after: 'a'.repeat(300),
    }
    map.set('key', value)
    const expected = { before: value.before, count: 1, previous: { other: 'x'.repeat(5000) }, after: value.after }
    expect(subject().map.get('key')).toEqual(expected)
    expect(subject().map.get('inner')).toBe('swapped')
  })
})
