// A process that may open few files, started by boot.test.ts: asks which start of the system this is while it can open
// none, and again when it can. Prints both answers.
import { closeSync, openSync } from 'node:fs'
import { loadNative } from '../../src/platform/addon.js'
import { bootNumber } from '../../src/platform/system-clock.js'

loadNative()
const descriptors: number[] = []
try {
  for (;;) descriptors.push(openSync('/dev/null', 'r'))
} catch {
  // Now none is left.
}
const without = bootNumber()
descriptors.forEach(closeSync)
console.log(String(without), String(bootNumber()))
