// What every platform and runtime that the package promises to work on must pass, with each engine that is there:
//
//   RUNTIME main.js PACKAGE [ENGINE...]
//
// PACKAGE is the folder of an installed package, ENGINE the engines that must be there (default: both). Real worker
// threads, real processes, real files. The last line counts the checks.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setTimeout } from 'node:timers'
import { Worker } from 'node:worker_threads'
import { assert, check, runChecks } from './check.js'

const [folder, ...asked] = process.argv.slice(2)
const packageUrl = pathToFileURL(join(resolve(folder), 'dist/index.js')).href
const engines = asked.length > 0 ? asked : ['native', 'typescript']
const { advanceClock, ConcurrentCache, ConcurrentMap } = await import(packageUrl)
const temporary = mkdtempSync(join(tmpdir(), 'mapsafe-portable-'))

/** An emulator takes a process's place: its command line goes before that of each process started here. */
const launcher = (process.env.MAPSAFE_LAUNCHER ?? '').split(' ').filter((word) => word !== '')

const VALUES = [
  undefined,
  null,
  true,
  0,
  -0,
  NaN,
  2 ** 40,
  -1.5,
  12n,
  -(2n ** 70n),
  '',
  'plain',
  'größer ☃ 🙂',
  '\ud800',
  [],
  [1, [2, 'three']],
  { a: 1, b: { c: [null, undefined] } },
  new Date(86_400_000),
  new Map([['key', new Set([1, 2])]]),
  new Uint8Array([1, 2, 3]),
  'x'.repeat(100_000),
]

/** Values that are written by V8's serializer, which Bun lacks. */
const OF_V8 = [new Float64Array([0.5, Infinity]), /pattern/g, new RangeError('message')]

function together(handle, engine, task, workers, count) {
  return Promise.all(
    Array.from(
      { length: workers },
      (_, name) =>
        new Promise((done, failed) => {
          const workerData = { packageUrl, handle, engine, task, count, name }
          const worker = new Worker(new URL('worker.js', import.meta.url), { workerData })
          let result
          worker.on('message', (message) => {
            if (message === 'ready') done(worker)
            else result = message.result
          })
          worker.on('error', failed)
          worker.on('exit', (code) => (code === 0 ? done(result) : failed(new Error(`ended with ${code}`))))
        }),
    ),
  )
}

function startProcess(file, engine, count) {
  const program = fileURLToPath(new URL('process.js', import.meta.url))
  const [command, ...args] = [...launcher, process.execPath, program, packageUrl, file, engine, String(count)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = new Promise((done, failed) => {
    child.stdout.once('data', () => done())
    child.once('exit', (code) => failed(new Error(`ended with ${code}`)))
  })
  ready.catch(() => {}) // not everybody asks
  const ended = new Promise((done) => child.once('exit', (code) => done(code)))
  return { child, ready, ended }
}

for (const engine of engines) {
  const label = (text) => `${engine}: ${text}`

  check(label('is the engine that serves'), () => {
    const map = new ConcurrentMap({ engine })
    assert.equal(map.stats().threads[0].engine, engine)
    map.close()
  })

  check(label('every kind of value comes back, as a value and as a key'), () => {
    const map = new ConcurrentMap({ engine })
    VALUES.forEach((value, at) => {
      map.set(at, value)
      assert.deepStrictEqual(map.get(at), value)
    })
    const keys = VALUES.filter((value) => !(value instanceof Map || value instanceof Date || Array.isArray(value)))
    const storable = keys.filter((key) => typeof key !== 'object' || key instanceof Uint8Array)
    for (const key of storable.filter((key) => key !== undefined && key !== null && typeof key !== 'boolean')) {
      map.set(key, 'here')
      assert.equal(map.get(key), 'here')
      assert.equal(map.delete(key), true)
      assert.equal(map.has(key), false)
    }
    map.close()
  })

  check(label('what only V8 writes comes back, or is refused with the reason'), () => {
    const map = new ConcurrentMap({ engine })
    for (const value of OF_V8) {
      if (process.versions.bun === undefined) {
        map.set('key', value)
        assert.deepStrictEqual(map.get('key'), value)
      } else {
        assert.throws(() => map.set('key', value), { code: 'ERR_MAPSAFE_VALUE_TYPE', message: /this runtime has none/ })
      }
    }
    map.close()
  })

  check(label('a map grows, iterates and shrinks as a Map does'), () => {
    const map = new ConcurrentMap({ engine, maxBytes: 2 ** 24 })
    const model = new Map()
    let seed = 7
    const random = (below) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below
    for (let i = 0; i < 20_000; i++) {
      const key = `key ${random(3000)}`
      if (random(4) === 0) assert.equal(map.delete(key), model.delete(key))
      else {
        map.set(key, i)
        model.set(key, i)
      }
    }
    assert.equal(map.size, model.size)
    assert.deepStrictEqual(new Map([...map].sort()), new Map([...model].sort()))
    map.clear()
    assert.equal(map.size, 0)
    assert.deepStrictEqual(map.verify().problems, [])
    map.close()
  })

  check(label('a cache evicts, and its entries expire'), () => {
    const cache = new ConcurrentCache({ engine, maxEntries: 100 })
    for (let i = 0; i < 1000; i++) cache.set(i, `value ${i}`)
    assert.ok(cache.size <= 100 && cache.size > 50, `size ${cache.size}`)
    cache.set('short', 1, { ttl: 60_000 })
    assert.equal(cache.get('short'), 1)
    advanceClock(cache, 60_001)
    assert.equal(cache.get('short'), undefined)
    cache.close()
  })

  check(label('errors have codes'), () => {
    const map = new ConcurrentMap({ engine })
    assert.throws(() => map.set('key', () => 1), { code: 'ERR_MAPSAFE_VALUE_TYPE' })
    assert.throws(() => map.set({}, 1), { code: 'ERR_MAPSAFE_KEY_TYPE' })
    assert.throws(() => new ConcurrentMap({ maxBytes: -1 }), { code: 'ERR_MAPSAFE_OPTIONS' })
    map.close()
    assert.throws(() => map.get('key'), { code: 'ERR_MAPSAFE_CLOSED' })
  })

  check(label('no increment of four workers is lost'), async () => {
    const map = new ConcurrentMap({ engine })
    await together(map.handle, engine, 'increment', 4, 5000)
    assert.equal(map.get('counter'), 20_000)
    map.close()
  })

  check(label('no swap of three workers is lost, and each keeps its order'), async () => {
    const map = new ConcurrentMap({ engine })
    map.set('list', [])
    await together(map.handle, engine, 'swap', 3, 60)
    const list = map.get('list')
    assert.equal(list.length, 180)
    for (let name = 0; name < 3; name++) {
      const own = list.filter((item) => item.startsWith(`${name}:`))
      assert.deepStrictEqual(
        own,
        Array.from({ length: 60 }, (_, done) => `${name}:${done}`),
      )
    }
    map.close()
  })

  check(label('readers see whole values while three workers write and delete'), async () => {
    const map = new ConcurrentMap({ engine })
    await together(map.handle, engine, 'churn', 3, 3000)
    assert.deepStrictEqual(map.verify().problems, [])
    map.close()
  })

  check(label('of fifteen calls in three workers one loads'), async () => {
    const cache = new ConcurrentCache({ engine })
    const loads = await together(cache.handle, engine, 'load', 3, 0)
    assert.equal(
      loads.reduce((sum, count) => sum + count),
      1,
    )
    cache.close()
  })

  check(label('a worker that is ended in the middle holds nothing up'), async () => {
    const map = new ConcurrentMap({ engine })
    const [worker] = await together(map.handle, engine, 'hold', 1, 0)
    await worker.terminate()
    // Deno says so before the thread has stopped.
    for (let seen = -1; seen !== map.get('held count'); await new Promise((done) => setTimeout(done, 100))) {
      seen = map.get('held count')
    }
    map.set('held', 'after')
    assert.equal(map.get('held'), 'after')
    map.increment('held count')
    map.repair() // what it was doing at its end
    assert.deepStrictEqual(map.verify().problems, [])
    map.close()
  })

  if (process.env.MAPSAFE_NO_FILES === undefined) {
    check(label('processes share a map in a file, and the entries stay'), async () => {
      const file = join(temporary, `${engine}.map`)
      const map = new ConcurrentMap({ file, engine, maxBytes: 2 ** 22 })
      map.set('counter', 0)
      const processes = [startProcess(file, engine, 3000), startProcess(file, engine, 3000)]
      assert.deepStrictEqual(await Promise.all(processes.map(({ ended }) => ended)), [0, 0])
      assert.equal(map.get('counter'), 6000)
      map.close()
      const again = new ConcurrentMap({ file, engine })
      assert.equal(again.get('counter'), 6000)
      again.close()
    })

    check(label('a process that is killed in the middle holds nothing up'), async () => {
      const file = join(temporary, `${engine}-killed.map`)
      const map = new ConcurrentMap({ file, engine, maxBytes: 2 ** 22 })
      map.set('counter', 0)
      const { child, ready, ended } = startProcess(file, engine, 1e9)
      await ready
      await new Promise((done) => setTimeout(done, 100))
      child.kill('SIGKILL')
      await ended
      const counted = map.get('counter')
      assert.ok(counted > 0, `counted ${counted}`)
      // What it was doing at its end may be finished now.
      const steps = map.increment('counter') - counted
      assert.ok(steps === 1 || steps === 2, `steps ${steps}`)
      map.repair()
      assert.deepStrictEqual(map.verify().problems, [])
      assert.equal(map.stats().threads.filter(({ pid }) => pid === process.pid).length, 1)
      map.close()
    })
  }
}

process.on('exit', () => {
  try {
    rmSync(temporary, { recursive: true, force: true })
  } catch (error) {
    // Windows keeps a file for as long as it is mapped, and that is until the process has ended.
    if (process.platform !== 'win32') throw error
  }
})
await runChecks()
