// Inserts and reads keys of one choice in one map, and reports the cost.
import { workerData } from 'node:worker_threads'
import { lastingKeys } from '../harness/data.js'
import { randomNumbers } from '../harness/draws.js'
import { openHolder } from '../harness/holder.js'
import { answer } from '../harness/thread.js'
import type { ChosenKeysCost, ChosenKeysSetup, KeyChoice } from './chosen-keys.js'

const { holder: name, choice, size, seed } = workerData as ChosenKeysSetup

const KEY_CHARACTERS = 40
const random = randomNumbers(seed)

/** Key number `n`. */
const keyOf: Readonly<Record<KeyChoice, (n: number) => string>> = {
  random: () => Array.from({ length: KEY_CHARACTERS / 4 }, randomWord).join(''),
  numbered: (n) => String(n).padStart(KEY_CHARACTERS, '0'),
  // "Ez" and "FY" lead djb2, state * 33 + character, to the same state: each bit chooses one of them.
  'colliding under djb2': (n) =>
    Array.from({ length: KEY_CHARACTERS / 2 }, (_, bit) => ((n >>> bit) & 1 ? 'Ez' : 'FY')).join(''),
}

function randomWord(): string {
  return Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0')
}

answer((): ChosenKeysCost => {
  const keys = lastingKeys(size, keyOf[choice])
  const holder = openHolder(name, size, KEY_CHARACTERS)
  const start = performance.now()
  for (let i = 0; i < size; i++) holder.set(keys[i], i)
  const inserted = performance.now()
  let wrong = 0
  for (let i = 0; i < size; i++) if (holder.get(keys[i]) !== i) wrong++
  const read = performance.now()
  if (wrong > 0) throw new Error(`${name} lost ${wrong} entries`)
  const bytes = holder.sharedBytes() / size
  holder.close()
  return { insert: ((inserted - start) * 1e6) / size, read: ((read - inserted) * 1e6) / size, bytes }
})
