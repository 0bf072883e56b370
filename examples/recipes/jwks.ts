// Signed tokens (JWT) whose keys come from another server (JWKS). Workers that each keep what they have asked for ask it
// once each, and check a signature once each. One cache: the keys are asked for once, and a token is checked once.
import { createHash, createPublicKey, generateKeyPairSync, sign, verify, type JsonWebKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

interface Order {
  readonly handle: CacheHandle
  readonly url: string
  readonly token: string
}
interface Claims {
  readonly sub: string
  readonly exp: number
}
type Cached = Readonly<Record<string, unknown>>

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString())

if (isMainThread) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  let asked = 0
  const issuer = createServer((_, response) => {
    asked++
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }))
  })
  await once(issuer.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`
  const body = `${encode({ alg: 'EdDSA', kid: 'k1' })}.${encode({ sub: 'ada', exp: Date.now() / 1000 + 60 })}`
  const token = `${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`

  const run = async (shared: boolean): Promise<string> => {
    asked = 0
    const caches = [1, 2, 3].map(() => new ConcurrentCache<string, Cached>({ maxBytes: 2 ** 20 }))
    const workers = caches.map(({ handle }) => {
      const workerData: Order = { handle: shared ? caches[0].handle : handle, url, token }
      return new Worker(new URL(import.meta.url), { workerData })
    })
    const checked = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][]
    return `${asked} asked for keys, ${checked.flat().reduce((sum, each) => sum + each)} signatures checked`
  }
  console.log('each its own:', await run(false)) // each its own: 3 asked for keys, 3 signatures checked
  console.log('one cache:', await run(true)) // one cache: 1 asked for keys, 1 signatures checked
  issuer.close()
  issuer.closeAllConnections()
} else {
  const { handle, url, token } = workerData as Order
  const cache = ConcurrentCache.attach<string, Cached>(handle)
  let checked = 0

  const keyOf = (kid: string): Promise<Cached> =>
    cache.getOrLoad(
      `jwks:${kid}`,
      async () => {
        const { keys } = (await (await fetch(url)).json()) as { keys: (JsonWebKey & { kid: string })[] }
        return keys.find((key) => key.kid === kid) as Cached // a rejection reaches the caller, and is not kept
      },
      { ttl: 600_000 },
    )
  const claimsOf = async (text: string): Promise<Claims> => {
    const [head, claims, signature] = text.split('.')
    const { kid } = decode(head) as { kid: string }
    const { exp } = decode(claims) as Claims
    // The key is a digest, so that no token can be read from the map. It lives no longer than the token.
    const digest = createHash('sha256').update(text).digest('base64url')
    const load = async (): Promise<Cached> => {
      checked++
      const key = createPublicKey({ key: (await keyOf(kid)) as JsonWebKey, format: 'jwk' })
      const isRight = verify(null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))
      if (!isRight) throw new Error('wrong signature')
      return decode(claims) as Cached
    }
    return (await cache.getOrLoad(`jwt:${digest}`, load, {
      ttl: Math.max(exp * 1000 - Date.now(), 1),
    })) as unknown as Claims
  }
  for (let request = 0; request < 20; request++) await claimsOf(token)
  parentPort!.postMessage(checked)
  cache.close()
}
