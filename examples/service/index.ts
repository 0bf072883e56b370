// Starts the service, sends it some requests at once, prints what came of them, and stops it. With --serve it serves
// until SIGINT or SIGTERM instead, with --load it sends itself requests until then, so that there is something to see.
import { startLoad } from './load.js'
import { startService } from './service.js'

const serve = process.argv.includes('--serve')
const service = await startService(Number(process.env.PORT ?? 0))

if (serve) {
  const stopLoad = process.argv.includes('--load') ? startLoad(service.url) : undefined
  const stop = async (): Promise<void> => {
    await stopLoad?.()
    await service.stop()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
  console.log(`${service.url} serves until it gets SIGINT or SIGTERM`)
  console.log(`${service.page} shows what its caches do`)
} else {
  const ids = Array.from({ length: 30 }, (_, i) => ['book', 'lamp', 'pen'][i % 3])
  const headers = { 'x-client': 'ada' }
  const responses = await Promise.all(ids.map((id) => fetch(`${service.url}/products/${id}`, { headers })))
  const count = (status: number): number => responses.filter((response) => response.status === status).length
  const metrics = await (await fetch(`${service.url}/metrics`)).text()
  const loads = /^mapsafe_loads_total\{cache="products"\} (\d+)$/m.exec(metrics)?.[1]
  console.log(`${count(200)} answered, ${count(429)} refused, ${loads} loads`) // 25 answered, 5 refused, 3 loads
  await service.stop()
}
