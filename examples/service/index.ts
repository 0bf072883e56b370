// Starts the service, sends it some requests at once, prints what came of them, and stops it. With --serve it serves
// until SIGINT or SIGTERM instead.
import { startService } from './service.js'

const serve = process.argv.includes('--serve')
const service = await startService(Number(process.env.PORT ?? 0))

if (serve) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void service.stop())
  console.log(`${service.url} serves until it gets SIGINT or SIGTERM`)
} else {
  const ids = Array.from({ length: 30 }, (_, i) => ['book', 'lamp', 'pen'][i % 3])
  const headers = { 'x-client': 'ada' }
  const responses = await Promise.all(ids.map((id) => fetch(`${service.url}/products/${id}`, { headers })))
  const count = (status: number): number => responses.filter((response) => response.status === status).length
  const { loads } = (await (await fetch(`${service.url}/stats`)).json()) as { loads: number }
  console.log(`${count(200)} answered, ${count(429)} refused, ${loads} loads`) // 25 answered, 5 refused, 3 loads
  await service.stop()
}
