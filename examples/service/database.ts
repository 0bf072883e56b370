// A database that takes its time.
import { setTimeout } from 'node:timers/promises'

export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
  readonly description: string
}

const prices = new Map<string, number>()

export async function findProduct(id: string): Promise<Product> {
  // Mostly 20 milliseconds, now and then five times as long.
  await setTimeout(20 + 80 * Math.random() ** 6)
  return {
    id,
    name: `Product ${id}`,
    price: prices.get(id) ?? id.length * 3,
    description: `What ${id} is for. `.repeat(12),
  }
}

export async function changePrice(id: string, price: number): Promise<void> {
  await setTimeout(5)
  prices.set(id, price)
}
