// A job that one process of a machine must do. Without a leader all do it. The leader is who has the entry; it renews it
// while it lives. When it is killed, the entry expires, and another one takes its place.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConcurrentCache } from 'mapsafe'

/** For so long there is no leader after its death. Longer than any pause of its event loop. */
const TERM_MS = 500
const file = process.argv[2] as string | undefined

if (file === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-recipe-'))
  const processes = [1, 2, 3].map(() => fork(fileURLToPath(import.meta.url), [join(folder, 'leader.map')]))
  const claims = new Set<ChildProcess>()
  /** Who says that it leads, of those who did not yet. */
  const elected = (): Promise<ChildProcess> =>
    Promise.any(processes.filter((each) => !claims.has(each)).map(async (each) => (await once(each, 'message'), each)))
  await Promise.all(processes.map((each) => once(each, 'message')))
  console.log(`without a leader: ${processes.length} do the job`) // without a leader: 3 do the job

  const first = elected()
  for (const each of processes) each.send('stand')
  claims.add(await first)
  const second = elected()
  ;(await first).kill('SIGKILL')
  claims.add(await second)
  console.log(`with one: 1 does it; killed, ${claims.size - 1} other does it`) // with one: 1 does it; killed, 1 other does it

  for (const each of processes) each.kill()
  rmSync(folder, { recursive: true })
} else {
  const leader = new ConcurrentCache<string, number>({ file, maxBytes: 2 ** 20 })
  let version = 0
  const stand = (): void => {
    // Only who has the entry renews it: whoever was stopped for longer than its term must not go on as if it led.
    const isLeader = version !== 0 && leader.setIfVersion('leader', process.pid, version, { ttl: TERM_MS })
    if (!isLeader) version = 0
    if (isLeader || leader.setIfAbsent('leader', process.pid, { ttl: TERM_MS })) {
      if (!isLeader) process.send!('I lead')
      const entry = leader.getEntry('leader')
      version = entry?.value === process.pid ? entry.version : 0
    }
  }
  process.on('message', () => {
    stand()
    setInterval(stand, TERM_MS / 4)
  })
  process.send!('ready')
}
