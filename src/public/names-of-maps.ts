/** The names by which map objects were opened, to be printed. */
const names = new WeakMap<object, string>()

/** Notes by which name a map object was opened. */
export function noteName(map: object, name: string): void {
  names.set(map, name)
}

/** Returns the name by which a map object was opened; undefined if it was not opened by a name. */
export function nameOfMap(map: object): string | undefined {
  return names.get(map)
}
