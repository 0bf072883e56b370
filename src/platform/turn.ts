// As it was when the package was loaded: fake timers do not hold up what goes on in slices.
const { setImmediate } = globalThis

/** Lets the event loop of this thread have a turn: what waited for it, timers and input, comes first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
