// A database that takes its time.
import { setTimeout } from 'node:timers/promises'

export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
}

export async function findProduct(id: string): Promise<Product> {
  await setTimeout(50)
  return { id, name: `Product ${id}`, price: id.length * 3 }
}
