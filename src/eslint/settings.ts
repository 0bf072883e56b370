import type { TSESLint } from '@typescript-eslint/utils'

/** `settings.mapsafe` of an ESLint configuration, as it is used. */
export interface Settings {
  /** Returns whether a module exports the classes of mapsafe. */
  readonly isModule: (specifier: string) => boolean
  /** Returns whether an expression, as it is written, is said to be a map. */
  readonly isMap: (text: string) => boolean
}

/**
 * Reads `settings.mapsafe`: `modules` are modules that export the classes again, as they are imported, and `maps` are
 * expressions that are maps, as they are written (`sessions`, `this.sessions`, `app.locals.cache`). What is between
 * slashes is a pattern.
 */
export function readSettings(all: TSESLint.SharedConfigurationSettings): Settings {
  const { modules, maps } = (all.mapsafe ?? {}) as { readonly modules?: unknown; readonly maps?: unknown }
  const isModule = matcher(modules, 'modules')
  return { isModule: (specifier) => specifier === 'mapsafe' || isModule(specifier), isMap: matcher(maps, 'maps') }
}

function matcher(value: unknown, name: string): (text: string) => boolean {
  if (value === undefined) return () => false
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw new TypeError(`settings.mapsafe.${name} of the ESLint configuration must be an array of strings.`)
  }
  const texts = value as readonly string[]
  const exact = new Set(texts)
  const patterns = texts.flatMap((text) => (/^\/.+\/$/.test(text) ? [new RegExp(text.slice(1, -1))] : []))
  return (text) => exact.has(text) || patterns.some((pattern) => pattern.test(text))
}
