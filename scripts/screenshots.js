// Takes the pictures of the dashboard in docs/pictures, with Chromium, from the example service under its load. `--seconds N` is how long it
// runs before (default 90), `--to FOLDER` where they go.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import puppeteer from 'puppeteer-core'
import { must, root } from './tools.js'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, to: { type: 'string' } } })
const folder = values.to ?? join(root, 'docs', 'pictures')
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (executablePath === undefined) throw new Error('there is no Chromium: install chromium')

must(process.execPath, ['scripts/setup.js', '--programs'])
mkdirSync(folder, { recursive: true })

const service = spawn(process.execPath, ['out/programs/examples/service/index.js', '--serve', '--load'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const browser = await puppeteer.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
try {
  const url = await pageOf(service)
  const shots = [
    { name: 'dashboard-light', scheme: 'light', width: 1200, height: 824 },
    { name: 'dashboard-dark', scheme: 'dark', width: 1200, height: 662, from: '#panel-memory' },
    { name: 'dashboard-narrow', scheme: 'light', width: 400, height: 900 },
  ]
  const pages = []
  for (const shot of shots) {
    const page = await browser.newPage()
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: shot.scheme }])
    await page.setViewport({ width: shot.width, height: shot.height })
    page.on('console', (message) => console.error(`${shot.name}: ${message.text()}`))
    await page.goto(url)
    pages.push([page, shot])
  }
  await setTimeout(1000 * Number(values.seconds ?? 90))
  for (const [page, { name, width, height, from }] of pages) {
    await page.bringToFront()
    await page.click('#panel-health button')
    await page.waitForSelector('.verdicts li')
    await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)')
    // Panels that were not drawn in the background are by now.
    await setTimeout(2500)
    const y = from === undefined ? 0 : await page.$eval(from, (element) => element.getBoundingClientRect().top - 14)
    const clip = { x: 0, y, width, height }
    await page.screenshot({ path: join(folder, `${name}.png`), clip, captureBeyondViewport: true })
    console.log(`${name}.png`)
  }
} finally {
  await browser.close()
  service.kill('SIGTERM')
  await once(service, 'exit')
}

/** The address of the page, from what the service prints. */
async function pageOf({ stdout }) {
  for await (const line of createInterface(stdout)) if (line.includes('#token=')) return line.split(' ')[0]
  throw new Error('the service did not start')
}
