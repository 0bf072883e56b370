import { threadId } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

describeEachLineup((subject) => {
  test('after close every method throws, and closing again does nothing', () => {
    const { handle } = subject().map
    const map = subject().attach(handle, { engine: subject().map.stats().threads[0].engine })
    map.set('key', 1)
    const iterator = map.entries()
    map.close()
    map.close()
    const actions: (() => unknown)[] = [
      () => map.get('key'),
      () => map.has('key'),
      () => map.getEntry('key'),
      () => map.set('key', 2),
      () => map.set('key', { a: 2 }),
      () => map.setIfAbsent('key', 2),
      () => map.setIfVersion('key', 2, 0),
      () => map.swap('key', 2),
      () => map.getOrInsert('key', 2),
      () => map.delete('key'),
      () => map.deleteIfVersion('key', 1),
      () => map.take('key'),
      () => map.increment('key'),
      () => map.clear(),
      () => map.size,
      () => [...map],
      () => [...map.keys()],
      () => [...map.values()],
      () => iterator.next(),
      () => map.forEach(() => undefined),
      () => map.stats(),
      () => map.verify(),
    ]
    for (const action of actions) {
      expect(action).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
    }
    expect(subject().map.get('key')).toBe(1)
  })

  test('a getter that closes the map makes the write throw', () => {
    const map = subject().attach(subject().map.handle)
    const value = {
      get closing(): number {
        map.close()
        return 1
      },
    }
    expect(() => map.set('key', value)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
    expect(subject().map.has('key')).toBe(false)
  })

  test('entries outlive the map object that wrote them, and its thread record is free again', () => {
    const before = subject().map.stats().threads.length
    {
      using map = subject().attach(subject().map.handle)
      map.set('key', { kept: true })
      expect(subject().map.stats().threads).toHaveLength(before + 1)
    }
    expect(subject().map.stats().threads).toHaveLength(before)
    expect(subject().map.get('key')).toEqual({ kept: true })
    expect(subject().map.size).toBe(1)
  })

  test('a handle is plain, and is the same through every map object', () => {
    const [{ handle }] = subject().maps
    expect(Object.getPrototypeOf(handle)).toBe(Object.prototype)
    const received = structuredClone(handle)
    using map = subject().attach(received)
    map.set('key', 'through a clone')
    expect(subject().map.get('key')).toBe('through a clone')
    expect(map.handle).toEqual(handle)
  })

  test('stats tell what is in the region and who is there', () => {
    for (let i = 0; i < 5000; i++) subject().map.set(i, 'x'.repeat(100))
    for (let i = 0; i < 100; i++) subject().map.delete(i)
    for (const map of subject().maps) {
      const stats = map.stats()
      expect(stats.entries).toBe(4900)
      expect(stats.tombstones).toBeGreaterThan(0)
      expect(stats.tombstones).toBeLessThanOrEqual(100)
      expect(stats.segments).toBeGreaterThan(4)
      expect(2 ** stats.directoryDepth).toBeGreaterThanOrEqual(stats.segments)
      expect(stats.bytesTotal).toBe(4 * 2 ** 20)
      expect(stats.bytesInUse + stats.bytesFree).toBe(stats.bytesTotal)
      expect(stats.bytesInUse).toBeGreaterThan(4900 * 120)
      expect(stats.pagesInUse).toBeLessThan(stats.pagesTotal)
      expect(stats.threads.map(({ pid }) => pid)).toEqual(stats.threads.map(() => process.pid))
      expect(stats.threads.map((thread) => thread.threadId)).toEqual(stats.threads.map(() => threadId))
    }
    expect(subject().map.stats().threads).toHaveLength(subject().maps.length)
  })

  test('describes itself as Map does', () => {
    expect(Object.prototype.toString.call(subject().map)).toBe(
      `[object ${subject().isCache ? 'ConcurrentCache' : 'ConcurrentMap'}]`,
    )
    // By the first, structured clone refuses it.
    expect(Object.keys(subject().map)).toEqual(['notCloneable', 'handle'])
  })

  test('damage in the region is reported by verify', () => {
    for (let i = 0; i < 100; i++) subject().map.set(i, i)
    const { handle } = subject().map
    const region = new SharedArrayBuffer(handle.region!.byteLength)
    new Uint8Array(region).set(new Uint8Array(handle.region!))
    using map = subject().attach({ ...handle, region }, { engine: subject().map.stats().threads[0].engine })
    expect(map.verify().ok).toBe(true)
    const words = new Int32Array(region)
    const directory = words[32] * 4
    const segment = words[directory + 4] * 4
    words[segment + 64 + 5] = 12345 // the first slot of the first bucket
    const report = map.verify()
    expect(report.ok).toBe(false)
    expect(report.problems.length).toBeGreaterThan(0)
  })
})
