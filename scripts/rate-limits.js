// How exact a limit of requests is over real processes: a table of hosts and stores. Three cluster workers serve; a client
// sends twice as many requests as all of them together would let through. Then, in a new window, some requests are counted
// and not answered yet when every worker is killed with SIGKILL; other workers take their places, and the client sends on.
//
//   node scripts/rate-limits.js [--pm2]
//
// `--pm2` adds a row with workers of pm2, which is installed in a temporary folder.
import cluster from 'node:cluster'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { must } from './tools.js'

const WORKERS = 3
const LIMIT = 50
const REQUESTS = 2 * WORKERS * LIMIT
const HELD = 9
const windowMs = 3_600_000

/** A worker: counts clients by their header, and never answers what is slow. */
async function serve({ HOST: host, STORE: store, FILE: file, PORT: port = '0' }) {
  const { ConcurrentCache } = await import('../dist/index.js')
  const { fastifyRateLimitStore, RateLimitStore } = await import('../dist/rate-limit.js')
  const cache = store === 'default' ? undefined : new ConcurrentCache({ file, maxBytes: 2 ** 20 })
  if (host === 'express') {
    const { default: express } = await import('express')
    const { rateLimit } = await import('express-rate-limit')
    const app = express()
    const shared = cache === undefined ? {} : { store: new RateLimitStore(cache, { prefix: '' }) }
    app.use(rateLimit({ limit: LIMIT, windowMs, keyGenerator: (request) => request.get('client'), ...shared }))
    app.get('/', (_, response) => response.send('served'))
    app.get('/slow', () => process.send?.('counted'))
    app.listen(Number(port), '127.0.0.1')
  } else {
    const { fastify } = await import('fastify')
    const { default: limit } = await import('@fastify/rate-limit')
    const app = fastify()
    const shared = cache === undefined ? {} : { store: fastifyRateLimitStore(cache, { prefix: '' }) }
    const keyGenerator = (request) => request.headers.client
    await app.register(limit, { max: LIMIT, timeWindow: windowMs, keyGenerator, ...shared })
    app.get('/', () => 'served')
    app.get('/slow', () => {
      process.send?.('counted')
      return new Promise(() => undefined)
    })
    await app.listen({ port: Number(port), host: '127.0.0.1' })
  }
}

/** Asks over a connection of its own, which goes to the next worker. */
async function ask(port, client, path = '/') {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false, headers: { client } }), 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

async function served(port, client) {
  let count = 0
  for (let sent = 0; sent < REQUESTS; sent += 30) {
    const statuses = await Promise.all(Array.from({ length: 30 }, () => ask(port, client)))
    count += statuses.filter((status) => status === 200).length
  }
  return count
}

function hold(port, client) {
  for (let i = 0; i < HELD; i++) ask(port, client, '/slow').catch(() => undefined)
}

function row(host, store, first, second) {
  const lost = HELD + second - first
  console.log(`| ${host} | ${store} | ${first} of ${REQUESTS} | ${WORKERS} | ${second} of ${REQUESTS} | ${lost} |`)
  return store === 'default' || (first === LIMIT && lost === 0)
}

async function underCluster(host, store, file) {
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url) })
  const start = async () => {
    const workers = Array.from({ length: WORKERS }, () => cluster.fork({ HOST: host, STORE: store, FILE: file }))
    const [[address]] = await Promise.all(workers.map((worker) => once(worker, 'listening')))
    return { workers, port: address.port }
  }
  const kill = (workers) =>
    Promise.all(
      workers.map(async (worker) => {
        worker.process.kill('SIGKILL')
        await once(worker, 'exit')
      }),
    )
  let { workers, port } = await start()
  const first = await served(port, 'ada')
  let counted = 0
  const all = new Promise((resolve) => {
    for (const worker of workers) worker.on('message', () => ++counted === HELD && resolve())
  })
  hold(port, 'bob')
  await all
  await kill(workers)
  ;({ workers, port } = await start())
  const second = await served(port, 'bob')
  await kill(workers)
  return row(host, store, first, second)
}

async function underPm2(folder) {
  const { ConcurrentCache } = await import('../dist/index.js')
  const file = join(folder, 'pm2.map')
  const port = 18_000 + (process.pid % 10_000)
  const env = {
    ...process.env,
    PM2_HOME: join(folder, 'pm2'),
    HOST: 'express',
    STORE: 'mapsafe',
    FILE: file,
    PORT: port,
  }
  const quietly = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder]
  if (spawnSync('npm', ['install', ...quietly, 'pm2@6'], { stdio: 'inherit' }).status !== 0) throw new Error('no pm2')
  const pm2 = (...args) =>
    spawnSync(process.execPath, [join(folder, 'node_modules/pm2/bin/pm2'), ...args], { env, encoding: 'utf8' }).stdout
  const pids = () => JSON.parse(pm2('jlist').replace(/^[^[]*/, '')).map(({ pid }) => pid)
  const answers = async () => {
    while ((await ask(port, 'nobody').catch(() => 0)) === 0) await sleep(50)
  }
  const cache = new ConcurrentCache({ file, maxBytes: 2 ** 20 })
  try {
    pm2('start', fileURLToPath(import.meta.url), '-i', String(WORKERS), '--name', 'limits')
    await answers()
    const first = await served(port, 'ada')
    hold(port, 'bob')
    while ((cache.peek('bob') ?? 0) < HELD) await sleep(10)
    for (const pid of pids()) process.kill(pid, 'SIGKILL')
    await sleep(1000)
    await answers()
    return row('express, pm2', 'mapsafe', first, await served(port, 'bob'))
  } finally {
    pm2('kill')
    cache.close()
  }
}

if (process.env.STORE !== undefined) await serve(process.env)
else {
  must(process.execPath, ['scripts/setup.js'])
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-limits-'))
  console.log(`limit ${LIMIT} for a client, ${WORKERS} workers; ${HELD} requests counted when all workers are killed\n`)
  console.log(
    '| host | store | served | workers killed | served after | hits lost |\n| --- | --- | --- | --- | --- | --- |',
  )
  let isExact = true
  for (const host of ['express', 'fastify']) {
    for (const store of ['default', 'mapsafe']) {
      isExact = (await underCluster(host, store, join(folder, `${host}.map`))) && isExact
    }
  }
  if (process.argv.includes('--pm2')) isExact = (await underPm2(folder)) && isExact
  rmSync(folder, { recursive: true, force: true })
  process.exitCode = isExact ? 0 : 1
}
