// Builds a service with the real Next.js whose caches are those of mapsafe/next, and starts two processes of it on one
// file. Then, so many times: the data changes, one process revalidates their tag, and the next request to the other one
// must be fresh. At the end one process is killed, and the other one goes on.
//
//   node scripts/next.js [--rounds 1000] [--next 16] [--keep]
//
// Next.js is no dependency: it is installed in a temporary folder.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { must } from './tools.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    next: { type: 'string', default: '16' },
    keep: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const folder = mkdtempSync(join(tmpdir(), 'mapsafe-next-'))
const handler = (name) => `import { ${name} } from 'mapsafe/next'
export default ${name}({ file: process.env.CACHE, maxBytes: 2 ** 26 })
`
const sources = {
  'package.json': '{ "private": true, "type": "module" }',
  'components.mjs': handler('cacheComponentsHandler'),
  'pages.mjs': handler('cacheHandler'),
  'next.config.mjs': `import { join } from 'node:path'
const here = (name) => join(import.meta.dirname ?? process.cwd(), name)
export default {
  cacheComponents: true,
  cacheHandlers: { default: here('components.mjs') },
  cacheHandler: here('pages.mjs'),
  cacheMaxMemorySize: 0,
  serverExternalPackages: ['mapsafe'],
}
`,
  'app/data.js': `import { readFileSync } from 'node:fs'
import { cacheTag } from 'next/cache'
export async function data() {
  'use cache'
  cacheTag('data')
  return readFileSync(process.env.DATA, 'utf8')
}
`,
  'app/layout.js': `export default function Layout({ children }) {
  return <html><body>{children}</body></html>
}
`,
  // Made ahead, and kept by the class.
  'app/page.js': `import { data } from './data.js'
export default async function Page() {
  return <p>{'data=' + (await data()) + ';'}</p>
}
`,
  // Made for each request, of a part that is kept by the other handler.
  'app/dynamic/page.js': `import { Suspense } from 'react'
import { connection } from 'next/server'
import { data } from '../data.js'
async function Part() {
  await connection()
  return <p>{'data=' + (await data()) + ';'}</p>
}
export default function Page() {
  return <Suspense><Part /></Suspense>
}
`,
  'app/revalidate/route.js': `import { revalidateTag } from 'next/cache'
export async function POST() {
  revalidateTag('data', { expire: 0 })
  return new Response('done')
}
`,
}

const env = {
  ...process.env,
  CACHE: join(folder, 'next.map'),
  DATA: join(folder, 'data'),
  NEXT_TELEMETRY_DISABLED: '1',
}
const setData = (text) => writeFileSync(env.DATA, String(text))

function inFolder(command, args) {
  const { status } = spawnSync(command, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with status ${status}`)
}

async function start() {
  const child = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '-p', '0'], { cwd: folder, env })
  let text = ''
  child.stderr.pipe(process.stderr)
  for await (const chunk of child.stdout) {
    text += chunk
    const url = /http:\/\/localhost:\d+/.exec(text)?.[0]
    if (url === undefined || !text.includes('Ready')) continue
    child.stdout.resume()
    return { child, url }
  }
  throw new Error(`next start ended: ${text}`)
}

/** Which data a page of a process shows. */
async function shown({ url }, path) {
  const html = await (await fetch(url + path)).text()
  return /data=(\d+);/.exec(html)?.[1]
}

async function hunt() {
  const processes = await Promise.all([start(), start()])
  const stale = { '/': 0, '/dynamic': 0 }
  let kept = 0
  for (let round = 1; round <= rounds; round++) {
    const [a, b] = round % 2 === 0 ? processes : processes.toReversed()
    setData(round)
    await fetch(`${a.url}/revalidate`, { method: 'POST' })
    for (const path of Object.keys(stale)) if ((await shown(b, path)) !== String(round)) stale[path]++
    setData(-1) // what is kept is not read again
    if ((await shown(a, '/dynamic')) === String(round)) kept++
  }
  console.log(
    `${rounds} rounds: stale pages ${stale['/']}, stale parts ${stale['/dynamic']}, kept for the other ${kept}`,
  )
  const [victim, survivor] = processes
  victim.child.kill('SIGKILL')
  await once(victim.child, 'exit')
  setData(rounds + 1)
  await fetch(`${survivor.url}/revalidate`, { method: 'POST' })
  const after = await shown(survivor, '/')
  console.log(`after kill -9 of the one, the other shows ${after === String(rounds + 1) ? 'what is new' : after}`)
  survivor.child.kill()
  return stale['/'] + stale['/dynamic'] + (rounds - kept) === 0 && after === String(rounds + 1)
}

try {
  must(process.execPath, ['scripts/setup.js'])
  for (const [name, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  setData(0)
  must('npm', ['pack', '--silent', '--pack-destination', folder])
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  const quietly = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']
  inFolder('npm', ['install', ...quietly, `./${tarball}`, `next@${values.next}`, 'react@19', 'react-dom@19'])
  inFolder(process.execPath, ['node_modules/next/dist/bin/next', 'build'])
  process.exitCode = (await hunt()) ? 0 : 1
} finally {
  if (values.keep) console.log(`kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}
