import { testRule } from '../cases.js'

testRule('no-map-in-message', {
  valid: [
    // Functions and classes of the file's own by these names.,
    'function postMessage(m) { m.set(1, 2) } postMessage(map)',
    'const structuredClone = (m) => m.size; structuredClone(map)',
    'class Worker { constructor(file, options) { this.options = options } } new Worker("a", { workerData: map })',
    'worker.postMessage(map.handle)',
    'worker.postMessage({ map: map.handle })',
    'const { handle } = map; worker.postMessage({ handle })',
    'worker.postMessage([...map])',
    'worker.postMessage(map.get("a"))',
    'worker.postMessage({ size: map.size })',
    'worker.postMessage(new Map())',
    'worker.postMessage()',
    'const plain = new Map(); worker.postMessage({ plain })',
    'new Worker("./worker.js", { workerData: map.handle })',
    'new Worker("./worker.js", { workerData: { map: map.handle }, name: "a" })',
    'new Worker("./worker.js", options)',
    'new Worker("./worker.js")',
    'new Other("./worker.js", { workerData: map })',
    'process.send(map.handle)',
    'emitter.send(map)',
    'queue.push(map)',
    'report(map)',
    'worker.postMessage((() => map)())',
    'worker.postMessage({ call: () => map })',
    'serialize(map)',
    'setEnvironmentData("map", map.handle)',
  ],
  invalid: [
    { code: 'worker.postMessage(map)', errors: [['map', { handle: 'worker.postMessage(map.handle)' }]] },
    { code: 'worker?.postMessage(cache)', errors: [['map', { handle: 'worker?.postMessage(cache.handle)' }]] },
    { code: 'postMessage(map)', errors: [['map', { handle: 'postMessage(map.handle)' }]] },
    {
      code: 'parentPort.postMessage({ map })',
      errors: [['map', { handle: 'parentPort.postMessage({ map: map.handle })' }]],
    },
    {
      code: 'port.postMessage({ sessions: map, n: 1 }, [other])',
      errors: [['map', { handle: 'port.postMessage({ sessions: map.handle, n: 1 }, [other])' }]],
    },
    { code: 'port.postMessage([1, [map]])', errors: [['map', { handle: 'port.postMessage([1, [map.handle]])' }]] },
    {
      code: 'port.postMessage({ maps: { map, cache } })',
      errors: [
        ['map', { handle: 'port.postMessage({ maps: { map: map.handle, cache } })' }],
        ['map', { handle: 'port.postMessage({ maps: { map, cache: cache.handle } })' }],
      ],
    },
    {
      code: 'port.postMessage(on ? map : null)',
      errors: [['map', { handle: 'port.postMessage(on ? map.handle : null)' }]],
    },
    {
      code: 'new Worker("./worker.js", { workerData: map })',
      errors: [['map', { handle: 'new Worker("./worker.js", { workerData: map.handle })' }]],
    },
    {
      code: 'new Worker("./worker.js", { workerData: { map } })',
      errors: [['map', { handle: 'new Worker("./worker.js", { workerData: { map: map.handle } })' }]],
    },
    {
      code: 'new threads.Worker("./worker.js", { name: "a", workerData: [map] })',
      errors: [['map', { handle: 'new threads.Worker("./worker.js", { name: "a", workerData: [map.handle] })' }]],
    },
    { code: 'process.send(map)', errors: [['map', { handle: 'process.send(map.handle)' }]] },
    { code: 'process.send?.({ map })', errors: [['map', { handle: 'process.send?.({ map: map.handle })' }]] },
    {
      code: 'const child = fork("./a.js"); child.send(map)',
      errors: [['map', { handle: 'const child = fork("./a.js"); child.send(map.handle)' }]],
    },
    {
      code: 'const child = cluster.fork(); child.send({ map })',
      errors: [['map', { handle: 'const child = cluster.fork(); child.send({ map: map.handle })' }]],
    },
    { code: 'cluster.fork().send(map)', errors: [['map', { handle: 'cluster.fork().send(map.handle)' }]] },
    { code: 'structuredClone(map)', errors: [['map', { handle: 'structuredClone(map.handle)' }]] },
    {
      code: 'structuredClone({ a: { map } })',
      errors: [['map', { handle: 'structuredClone({ a: { map: map.handle } })' }]],
    },
    { code: 'v8.serialize(map)', errors: [['map', { handle: 'v8.serialize(map.handle)' }]] },
    { code: 'setEnvironmentData("map", map)', errors: [['map', { handle: 'setEnvironmentData("map", map.handle)' }]] },
    {
      code: 'class S { m = new ConcurrentMap(); f(port) { port.postMessage(this.m) } }',
      errors: [['map', { handle: 'class S { m = new ConcurrentMap(); f(port) { port.postMessage(this.m.handle) } }' }]],
    },
    {
      code: 'port.postMessage(new ConcurrentMap())',
      errors: [['map', { handle: 'port.postMessage(new ConcurrentMap().handle)' }]],
    },
  ],
  typed: {
    valid: [],
    invalid: [
      {
        code: "import type { ConcurrentMap } from 'mapsafe'; interface App { m: ConcurrentMap<string, number> } export const f = (app: App) => { process.send!(app.m) }",
        errors: [
          [
            'map',
            {
              handle:
                "import type { ConcurrentMap } from 'mapsafe'; interface App { m: ConcurrentMap<string, number> } export const f = (app: App) => { process.send!(app.m.handle) }",
            },
          ],
        ],
      },
    ],
  },
})
