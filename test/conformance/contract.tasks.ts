import type { Shift } from '../support/crew.js'
import { calls, codeOf } from './contract-calls.js'

/** Calls some methods while another thread holds 'key'. @returns the code with which each ends */
export async function callHeld(
  { map, worker, workers }: Shift,
  names: readonly string[],
  key: string,
): Promise<[string, string][]> {
  const ends: [string, string][] = []
  for (let i = worker; i < names.length; i += workers) {
    ends.push([names[i], await codeOf(() => calls[names[i]](map as never, key, 'new'))])
  }
  return ends
}
