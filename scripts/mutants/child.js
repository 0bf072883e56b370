// Commands that mutants may make hang: each is ended with all that it started, by a clock that does not count what the
// machine gives to others.
import { spawn } from 'node:child_process'
import { clearInterval, setInterval } from 'node:timers'
import { tsImport } from 'tsx/esm/api'

const READING_MS = 500
const groups = new Set()

const end = (pid) => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    groups.forEach(end)
    process.exit(1)
  })
}

/** @param limit seconds of a fair clock, if any; @returns how the command ended, and all that it printed */
export async function run(command, args, { cwd, env = {}, limit }) {
  const { FairClock } = await tsImport('../../test/support/fair-clock.ts', import.meta.url)
  const child = spawn(command, args, {
    ...{ cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, ...env },
  })
  groups.add(child.pid)
  const [clock, text] = [new FairClock(), []]
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece) => text.push(piece))
  let hung = false
  const watch = setInterval(() => {
    if (limit === undefined || clock.now() < limit * 1000) return
    hung = true
    end(child.pid)
  }, READING_MS)
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  clearInterval(watch)
  end(child.pid) // what it left behind
  groups.delete(child.pid)
  return { ok: status === 0, hung, text: text.join('') }
}
