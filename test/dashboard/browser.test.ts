// The page in a real Chromium.
import { existsSync } from 'node:fs'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dashboard, type Dashboard } from '../../src/dashboard/index.js'
import { ConcurrentCache } from '../../src/index.js'
import { metricsOf } from '../../src/observe/metrics/handler.js'
import { until } from '../support/patience.js'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (executablePath === undefined) console.warn('skips the page in a browser: install chromium')

describe.skipIf(executablePath === undefined)('in Chromium', () => {
  let browser: Browser
  let tab: Page
  let cache: ConcurrentCache<string, number>
  let other: ConcurrentCache<string, number>
  let page: Dashboard
  let url: string
  let complaints: string[]

  beforeAll(async () => {
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await puppeteer.launch({ executablePath: executablePath!, args })
  })

  afterAll(async () => {
    await browser.close()
  })

  beforeEach(async () => {
    cache = new ConcurrentCache({ maxBytes: 2 ** 20, nearCache: false })
    other = new ConcurrentCache({ maxBytes: 2 ** 20, nearCache: false })
    page = dashboard({ sessions: cache, 'other <b>"maps"</b>': other }, { interval: 100 })
    url = await page.listen()
    // No storage is shared with other tests.
    tab = await (await browser.createBrowserContext()).newPage()
    complaints = []
    tab.on('console', (message) => {
      if (message.type() !== 'log') complaints.push(message.text())
    })
    tab.on('pageerror', (error) => complaints.push(String(error)))
    tab.on('requestfailed', (request) => complaints.push(`${request.url()} failed`))
    await tab.evaluateOnNewDocument(() => {
      const here = globalThis as unknown as {
        addEventListener(type: string, listener: (event: { violatedDirective: string }) => void): void
      }
      here.addEventListener('securitypolicyviolation', (event) => console.error(`violates ${event.violatedDirective}`))
    })
  })

  afterEach(async () => {
    await tab.browserContext().close()
    await page.close()
    cache.close()
    other.close()
  })

  /** Text of the first element that a selector finds; empty if there is none that is seen. */
  const read = (selector: string): Promise<string> =>
    tab.evaluate((text) => {
      interface Seen {
        readonly innerText: string
        checkVisibility(): boolean
      }
      const { document } = globalThis as unknown as { document: { querySelector(text: string): Seen | null } }
      const found = document.querySelector(text)
      return found?.checkVisibility() === true ? found.innerText : ''
    }, selector)

  /** Waits until the page shows a text that fits. */
  async function shows(selector: string, pattern: RegExp | string): Promise<string> {
    let [text, looks, isLooking] = ['', 0, false]
    const look = async (): Promise<void> => {
      isLooking = true
      text = await read(selector).catch(() => '')
      looks++
      isLooking = false
    }
    await until(`${selector} shows ${pattern}; it shows ${text}`, () => {
      if (!isLooking) void look()
      return looks > 0 && (typeof pattern === 'string' ? text === pattern : pattern.test(text))
    })
    return text
  }

  /** The rows of the table of all metrics: name, value of the label, number. */
  const metricsShown = (): Promise<string[][]> =>
    tab.evaluate(() => {
      interface Row {
        readonly dataset: Readonly<Record<'metric' | 'part', string>>
        querySelector(text: string): { readonly textContent: string }
      }
      const { document } = globalThis as unknown as { document: { querySelectorAll(text: string): Iterable<Row> } }
      return Array.from(document.querySelectorAll('tr[data-metric]'), (row) => [
        row.dataset.metric,
        row.dataset.part,
        row.querySelector('.number').textContent,
      ])
    })

  test('it shows the figures of stats(), as they change, without any complaint of the browser', async () => {
    for (let i = 0; i < 1500; i++) cache.set(`key ${i}`, i)
    for (let i = 0; i < 1600; i++) cache.get(`key ${i}`)
    await tab.goto(url)
    await shows('#status-text', 'live')
    await shows('#tile-entries b', '1,500')
    await shows('#tile-hitRatio small', /^93\.8 % since the start/)
    await shows('.board h2', 'sessions')
    await shows('#panel-threads .note', /^1 thread has the map open, none waits for another/)
    await shows('#panel-threads tbody', new RegExp(`^${process.pid} main\\s+● running`))

    // Live.
    for (let i = 0; i < 10; i++) cache.delete(`key ${i}`)
    await shows('#tile-entries b', '1,490')
    await tab.click('#panel-all summary')
    await shows('#panel-all', /mapsafe_removed_total/)

    // Every figure of the table.
    const told = metricsOf(cache)
    const expected = Object.entries(told).flatMap(([name, value]): (readonly [string, string, unknown])[] => {
      if (typeof value === 'number') return [[name, '', value]]
      if (name === 'mapsafe_load_seconds')
        return [
          [name, 'count', 0],
          [name, 'sum', 0],
        ]
      return Object.entries(value).map(([part, each]) => [name, part, each as unknown])
    })
    const shown = await metricsShown()
    expect(shown).toEqual(
      expected.flatMap(([name, part, value]) =>
        typeof value === 'number' ? [[name, part, value.toLocaleString('en')]] : [],
      ),
    )

    // Graphs are drawn, and have a text beside them.
    const drawn = await tab.evaluate(() => {
      interface Canvas {
        readonly width: number
        readonly height: number
        getContext(kind: string): {
          getImageData(x: number, y: number, width: number, height: number): { data: Uint8Array }
        }
      }
      const { document } = globalThis as unknown as { document: { querySelectorAll(text: string): Iterable<Canvas> } }
      return Array.from(document.querySelectorAll('.plot canvas'), (canvas) =>
        canvas
          .getContext('2d')
          .getImageData(0, 0, canvas.width, canvas.height)
          .data.some((byte) => byte !== 0),
      )
    })
    expect(drawn).toEqual([true, true, true])
    expect(complaints).toEqual([])
  })

  test('it shows how long loads take, and who waits for whom', async () => {
    const since = Date.now() - 1500
    const waits = { for: 'keys', thread: { pid: 7, threadId: 2 }, since } as const
    const watched = {
      stats: () => ({ ...cache.stats(), threads: cache.stats().threads.map((thread) => ({ ...thread, waits })) }),
      healthAsync: () => cache.healthAsync(),
    }
    await using another = dashboard({ watched }, { interval: 100 })
    await tab.goto(await another.listen())
    await shows('#panel-threads .note', '1 thread has the map open, 1 waits')
    await shows('#panel-threads tbody', /keys of 7 worker 2, for [\d.]+ s$/)
    expect(await tab.content()).toMatch('How long loads take')
    await cache.getOrLoad('a', () => 1)
    await shows('.graph:nth-child(4) h3', 'How long loads take')
    await shows('.graph:nth-child(4) .legend li', /^half of them within\s*[\d.]+ (µs|ms)$/)
    expect(complaints).toEqual([])
  })

  test('the token is gone from the address, and is known after a reload', async () => {
    await tab.goto(url)
    await shows('#status-text', 'live')
    expect(tab.url()).toBe(`${new URL(url).origin}/`)
    await tab.reload()
    await shows('#status-text', 'live')
    expect(complaints).toEqual([])
  })

  test('without the token it asks for it, and shows nothing', async () => {
    await tab.goto(url.replace(/#.*/, ''))
    await shows('#status-text', 'token needed')
    expect(await read('#board')).toBe('')
    await tab.type('#token', 'another-token-of-some-length')
    await tab.keyboard.press('Enter')
    await shows('#ask-reason', /does not know this token/)
    // The whole address will do.
    await tab.type('#token', url)
    await tab.keyboard.press('Enter')
    await shows('#status-text', 'live')
    // Chromium itself tells of the answer 401.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  test('several maps are on one page, by names that are text', async () => {
    other.set('a', 1)
    await tab.goto(url)
    await shows('.map:nth-child(2) .name', 'other <b>"maps"</b>')
    await tab.click('.map:nth-child(2)')
    await shows('.board h2', 'other <b>"maps"</b>')
    await shows('#tile-entries b', '1')
    await shows('#tile-hitRatio small', 'no reads yet')
    other.close()
    await shows('.board .notice', /has closed the map/)
    await shows('.map:nth-child(2) b', 'closed')
    await tab.click('.map:nth-child(1)')
    await shows('#tile-entries b', '0')
    expect(complaints).toEqual([])
  })

  test('health is judged when asked for, in words', async () => {
    await tab.goto(url)
    await shows('#panel-health .note', /^Not checked yet/)
    await tab.click('#panel-health button')
    await shows('#panel-health .note', /^All well at/)
    const verdicts = cache.health().verdicts.length
    expect((await read('.verdicts')).match(/\bwell\b|too little to judge/g)).toHaveLength(verdicts)
    expect(complaints).toEqual([])
  })

  test('names of keys are hidden, shares are not', async () => {
    for (let i = 0; i < 5000; i++) cache.set('the secret key', i)
    await tab.goto(url)
    await shows('#panel-hot', /The names are hidden[^]*key 1\s+100 %/)
    expect(await tab.content()).not.toContain('secret')
  })

  test('it tells when there is no data, and goes on by itself when there is', async () => {
    const port = Number(new URL(url).port)
    cache.set('a', 1)
    await tab.goto(url)
    await shows('#tile-entries b', '1')
    await page.close()
    await shows('#status-text', /^no data/)
    await shows('#stale', /^No data since \d\d:\d\d:\d\d: .*What is below is from then/)
    expect(await read('#tile-entries b')).toBe('1')
    // The program is started again, with the same token and port.
    cache.set('b', 1)
    page = dashboard({ sessions: cache }, { interval: 100, token: page.token })
    await page.listen(port)
    await shows('#status-text', 'live')
    await shows('#tile-entries b', '2')
    await shows('#stale', '')
  })

  test.each([
    ['light', 'rgb(255, 255, 255)'],
    ['dark', 'rgb(23, 30, 39)'],
  ])('%s, as the system is; also while it is open', async (scheme, ground) => {
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme === 'light' ? 'dark' : 'light' }])
    await tab.goto(url)
    await shows('#status-text', 'live')
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    const colour = await tab.$eval(
      '.panel',
      (panel) =>
        (globalThis as unknown as { getComputedStyle(element: object): { backgroundColor: string } }).getComputedStyle(
          panel,
        ).backgroundColor,
    )
    expect(colour).toBe(ground)
    expect(complaints).toEqual([])
  })

  test.each([320, 400, 768, 1200, 1920])('fits a screen %i pixels wide', async (width) => {
    for (let i = 0; i < 3000; i++) cache.set('a key whose name is so long that no screen has room for it '.repeat(4), i)
    await tab.setViewport({ width, height: 900 })
    await tab.goto(url)
    await shows('#status-text', 'live')
    const overflow = await tab.evaluate(() => {
      const { document } = globalThis as unknown as {
        document: { documentElement: { scrollWidth: number; clientWidth: number } }
      }
      return document.documentElement.scrollWidth - document.documentElement.clientWidth
    })
    expect(overflow).toBe(0)
    expect(complaints).toEqual([])
  })
})
