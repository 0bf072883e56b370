// A client sends its payment again, because no answer came in time; the second request meets another process. "Look,
// then pay, then note it" pays twice. A load runs once for all processes, and its answer is kept for a day.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ConcurrentCache } from 'mapsafe'

const DAY_MS = 86_400_000
const given = process.argv[2] as string | undefined
const file = given ?? join(mkdtempSync(join(tmpdir(), 'mapsafe-recipe-')), 'payments.map')
const answers = new ConcurrentCache<string, string>({ file, maxBytes: 2 ** 20 })
const ledger = new ConcurrentCache<string, number>({ file: `${file}.ledger`, maxBytes: 2 ** 20 })

/** What must happen once. */
async function pay(how: string): Promise<string> {
  await turn()
  return `payment ${ledger.increment(how)}`
}

const handlers: Record<string, (key: string) => Promise<string>> = {
  async 'look first'(key) {
    const known = answers.get(`first:${key}`)
    if (known !== undefined) return known
    // Between the look and the note the other process looks, too.
    ledger.increment('looks')
    while (ledger.get('looks')! < 2) await turn()
    const answer = await pay('look first')
    // eslint-disable-next-line mapsafe/prefer-set-if-absent -- the wrong way
    answers.set(`first:${key}`, answer, { ttl: DAY_MS })
    return answer
  },
  'load once': (key) => answers.getOrLoad(`once:${key}`, () => pay('load once'), { ttl: DAY_MS }),
}

if (given === undefined) {
  const servers = [1, 2].map(() => fork(fileURLToPath(import.meta.url), [file]))
  await Promise.all(servers.map((server) => once(server, 'message')))
  for (const how of Object.keys(handlers)) {
    const told = await Promise.all(
      servers.map(async (server) => {
        const answer = once(server, 'message') as Promise<[string]>
        server.send(how)
        return (await answer)[0]
      }),
    )
    const same = told[0] === told[1] ? 'the same answer' : 'different answers'
    console.log(`${how}: ${ledger.get(how)!} paid, ${same}`)
  }
  // look first: 2 paid, different answers
  // load once: 1 paid, the same answer
  for (const server of servers) server.kill()
  answers.close()
  ledger.close()
  rmSync(join(file, '..'), { recursive: true })
} else {
  process.on('message', (how: string) => void handlers[how]('order-7').then((answer) => process.send!(answer)))
  process.send!('ready')
}
