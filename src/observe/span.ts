/**
 * The active span of OpenTelemetry, found without importing it: the API keeps itself in a property of the global object,
 * so it is there if the program has loaded it, whichever copy of it that was.
 */

// These names are those of @opentelemetry/api 1.x, which keeps them so that its copies work together.
const API = Symbol.for('opentelemetry.js.api.1')
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')

interface Span {
  setAttribute?(name: string, value: string): unknown
}

interface Api {
  readonly context?: { active?(): { getValue?(key: symbol): Span | undefined } | undefined } | undefined
}

/** Sets an attribute of the active span, if there is one. */
export function markActiveSpan(name: string, value: string): void {
  const api = (globalThis as { readonly [API]?: Api })[API]
  try {
    api?.context?.active?.()?.getValue?.(SPAN)?.setAttribute?.(name, value)
  } catch {
    // A write must not fail because it is traced.
  }
}
