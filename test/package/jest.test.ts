import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fetched } from '../support/fetched.js'
import { installPacked } from './packed.js'

// Jest gives each test file modules and globals of its own, all in one thread: the package is loaded many times there,
// and what Node.js hands out (errors, above all) is of other classes than those that the package sees.

const JEST = 'jest@30.5.2'
const project = mkdtempSync(join(tmpdir(), 'mapsafe-jest-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

const twoCopies = `
  const codeOf = (run) => {
    try { run() } catch (error) { return error.code }
  }
  function check(first, again) {
    const file = process.env.MAP_FOLDER + '/' + Math.random()
    const a = new first.ConcurrentCache({ ttl: 60_000 })
    const b = again.ConcurrentCache.attach(a.handle)
    a.set('key', 1)
    expect(b.get('key')).toBe(1)
    expect(a.stats().threads.map(({ engine }) => engine)).toEqual(['native', 'native'])
    expect(codeOf(() => a.update('key', () => b.set('key', 2)))).toBe('ERR_MAPSAFE_REENTRANT')
    const maps = [first, again].map(({ ConcurrentMap }) => new ConcurrentMap({ file, maxBytes: 2 ** 20 }))
    maps[0].set('key', 2)
    expect(maps[1].get('key')).toBe(2)
    if (process.platform === 'linux') {
      const { readFileSync, statSync } = require('node:fs')
      const mapped = readFileSync('/proc/self/maps', 'utf8').split('\\n')
      const { ino } = statSync(file)
      expect(mapped.filter((line) => line.split(/ +/)[4] === String(ino))).toHaveLength(1)
    }
    for (const map of maps) map.close()
    const { kind } = maps[0].handle
    expect(codeOf(() => first.ConcurrentMap.attach({ kind, file: file + '-none' }))).toBe('ERR_MAPSAFE_FILE')
    expect(codeOf(() => new first.ConcurrentMap({ file: file + '/in-a-file' }))).toBe('ERR_MAPSAFE_FILE')
    expect(codeOf(() => new first.ConcurrentMap({ file: process.env.MAP_FOLDER }))).toBe('ERR_MAPSAFE_FILE')
  }
`

const values = `
  function checkValues({ ConcurrentMap }) {
    const { types } = require('node:util')
    for (const engine of ['native', 'typescript']) {
      const map = new ConcurrentMap({ engine, nearCache: false })
      const value = {
        list: [1, 'x', null], plain: { a: { b: 1 } }, date: new Date(5), map: new Map([['a', { b: 1 }]]),
        set: new Set([1]), pattern: /a/g, bytes: new Uint8Array([1, 2]), buffer: Buffer.from('x'),
        error: new TypeError('mine'), big: 2n ** 70n, floats: new Float64Array([0.5]), memory: new ArrayBuffer(3),
      }
      map.set('value', value).set(new Uint8Array([7]), 'by bytes').set(Buffer.from('key'), 'by buffer')
      const read = map.get('value')
      const tagOf = (one) => Object.prototype.toString.call(one)
      expect(Object.values(read).map(tagOf)).toEqual(Object.values(value).map(tagOf))
      expect([types.isDate(read.date), read.date.getTime(), read.map.get('a'), [...read.set]]).toEqual([true, 5, { b: 1 }, [1]])
      expect([read.pattern.source, read.error.name, read.error.message, read.big]).toEqual(['a', 'TypeError', 'mine', 2n ** 70n])
      expect([[...read.bytes], [...read.floats], read.list, read.plain]).toEqual([[1, 2], [0.5], [1, 'x', null], { a: { b: 1 } }])
      expect([[...read.buffer], read.memory.byteLength]).toEqual([[120], 3])
      expect([map.get(new Uint8Array([7])), map.get(Buffer.from('key'))]).toEqual(['by bytes', 'by buffer'])
      map.forEach((_, key) => expect(typeof key === 'string' || types.isUint8Array(key)).toBe(true))
      expect(map.compareAndSwap('value', { ...value }, 1)).toBe(true)
      for (const refused of [new WeakRef({}), new FinalizationRegistry(() => 0), Promise.resolve(), new WeakMap()]) {
        expect(() => map.set('refused', refused)).toThrow('which a map cannot hold')
      }
      map.close()
    }
  }
`

const loads = `
  async function checkLoads({ ConcurrentCache }) {
    const cache = new ConcurrentCache()
    const failing = cache.getOrLoad('key', () => { throw new RangeError('mine') })
    await expect(failing).rejects.toMatchObject({ name: 'RangeError', message: 'mine' })
    expect(await cache.getOrLoad('key', async () => new Date(7))).toEqual(new Date(7))
    const controller = new AbortController()
    const aborted = cache.getOrLoad('other', () => new Promise(() => {}), { signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  }
`

const tests = {
  'modules-reset.test.cjs': `
    ${twoCopies}
    test('again after jest.resetModules()', () => {
      const first = require('mapsafe')
      jest.resetModules()
      const again = require('mapsafe')
      expect(again.ConcurrentCache).not.toBe(first.ConcurrentCache)
      check(first, again)
    })
    ${values}
    test('values', () => checkValues(require('mapsafe')))
    ${loads}
    test('loads', () => checkLoads(require('mapsafe')))`,
  'both-kinds.test.cjs': `
    ${twoCopies}
    ${values}
    test('as a CommonJS and an ES module', async () => {
      const again = await import('mapsafe')
      check(require('mapsafe'), again)
      checkValues(again)
    })
    test('again, isolated', () => {
      const first = require('mapsafe')
      jest.isolateModules(() => check(first, require('mapsafe')))
    })`,
  'module.test.mjs': `
    import { createRequire } from 'node:module'
    import * as first from 'mapsafe'
    const require = createRequire(import.meta.url)
    ${twoCopies}
    ${values}
    ${loads}
    test('in an ES module', async () => {
      check(first, require('mapsafe'))
      checkValues(first)
      await checkLoads(first)
    })`,
}

test('Jest runs files that make caches, one after the other in one thread, and ends well', async ({ skip }) => {
  const fetchedTo = fetched(JEST)
  if (fetchedTo === undefined) return skip(`${JEST} could not be installed: no registry can be reached`)
  const jest = join(fetchedTo, 'node_modules/jest/bin/jest.js')
  await installPacked(project)
  // Below the packages, so that Jest lists no more than the tests.
  const folder = join(project, 'tests')
  mkdirSync(folder)
  for (const [name, text] of Object.entries(tests)) writeFileSync(join(folder, name), text)
  const config = { testEnvironment: 'node', testMatch: ['**/*.test.[cm]js'], transform: {} }
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config))
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--no-warnings', jest],
      ...['--runInBand', '--watchman=false', '--no-cache', '--config', 'jest.config.json'],
    ],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, MAP_FOLDER: project } },
  )
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null })
  expect(stderr).toContain('Tests:       6 passed, 6 total')
  expect(stderr).not.toContain('MapsafeWarning')
})
