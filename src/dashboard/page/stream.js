/**
 * Server-sent events, read by fetch: EventSource sends no header, and a token in an address would get into logs. The token comes behind
 * the `#` of the page's own address, which no browser sends.
 */

const STORED = `mapsafe ${location.pathname}`

/** Takes the token out of the address, so that it is not copied or bookmarked with it. */
export function takeToken() {
  const found = /(?:^#|&)token=([\w-]+)/.exec(location.hash)?.[1]
  if (found !== undefined) {
    keepToken(found)
    history.replaceState(null, '', location.pathname + location.search)
  }
  return found ?? sessionStorage.getItem(STORED) ?? undefined
}

export function keepToken(token) {
  sessionStorage.setItem(STORED, token)
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** Frames that may fail to come before the connection is taken for dead. */
const PATIENCE_FRAMES = 5
const LEAST_PATIENCE_MS = 5000

/** Asks for a path of the page with the token. */
export const ask = (path, token, signal) =>
  fetch(path, { headers: { authorization: `Bearer ${token}` }, cache: 'no-store', credentials: 'omit', signal })

/**
 * Watches until the token is refused.
 *
 * @param on `event(name, data)` for what comes, `lost(reason)` when nothing comes any more
 */
export async function watch(token, on) {
  let pause = FIRST_PAUSE_MS
  for (;;) {
    let reason = 'the program ended or was stopped'
    try {
      const stopped = new AbortController()
      const response = await ask('events', token, stopped.signal)
      if (response.status === 401) return
      if (response.ok) {
        await readEvents(response.body, stopped, (name, data) => {
          pause = FIRST_PAUSE_MS
          on.event(name, data)
        })
      } else reason = (await response.text()).trim()
    } catch {
      // Nobody answers, or nothing came for too long.
    }
    on.lost(reason)
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)))
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
  }
}

async function readEvents(body, stopped, tell) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let [rest, patience] = ['', LEAST_PATIENCE_MS]
  let timer
  try {
    for (;;) {
      clearTimeout(timer)
      timer = setTimeout(() => stopped.abort(), patience)
      const { value, done } = await reader.read()
      if (done) return
      const events = (rest + value).split('\n\n')
      rest = events.pop()
      for (const event of events) {
        const [, name, data] = /^event: (\w+)\n(?:id: \d+\n)?data: (.*)$/.exec(event)
        const told = JSON.parse(data)
        if (name === 'introduction') patience = Math.max(LEAST_PATIENCE_MS, PATIENCE_FRAMES * told.interval)
        tell(name, told)
      }
    }
  } finally {
    clearTimeout(timer)
    stopped.abort()
  }
}
