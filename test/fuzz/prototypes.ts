import assert from 'node:assert/strict'

const prototypes = [Object, Array, Map, Set, Date, RegExp, Error, Uint8Array].map(
  ({ prototype }) => prototype as object,
)

function ownNames(): string {
  return JSON.stringify(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String)))
}

const sound = ownNames()

/** Throws if anything was added to, or taken from, a built-in prototype. */
export function expectSoundPrototypes(): void {
  assert.equal(ownNames(), sound, 'a prototype was changed')
}
