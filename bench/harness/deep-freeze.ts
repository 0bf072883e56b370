/** Freezes a value at every depth, as a map does with what it returns. Its objects are plain ones and arrays; others stay open. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const name in value) deepFreeze(value[name])
  return Object.freeze(value)
}
