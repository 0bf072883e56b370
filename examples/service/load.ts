// A load generator: clients that ask for products, a few of them for the same ones again and again, and change a price now and then.
import { setTimeout } from 'node:timers/promises'

const CLIENTS = 8
const PRODUCTS = 4000

/** @returns what stops it, and resolves when the last answer has come */
export function startLoad(url: string): () => Promise<void> {
  const state = { isStopped: false }
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!state.isStopped) {
      await ask(url)
      await setTimeout(5 + 20 * Math.random())
    }
  })
  return async () => {
    state.isStopped = true
    await Promise.all(clients)
  }
}

async function ask(url: string): Promise<void> {
  // Every tenth request is for the first product, half of them for the first sixty.
  const id = `p${Math.floor(PRODUCTS ** Math.random())}`
  const headers = { 'x-client': `client-${Math.floor(3000 * Math.random())}` }
  const isChange = Math.random() < 0.03
  const path = isChange ? `/products/${id}?price=${Math.floor(100 * Math.random())}` : `/products/${id}`
  try {
    const response = await fetch(url + path, { method: isChange ? 'PUT' : 'GET', headers })
    await response.arrayBuffer()
  } catch {
    // A process that ends cuts its connections; another one takes its place.
    await setTimeout(100)
  }
}
