/** As many digits as the figure is worth: three. */
const threeDigits = (value: number): string =>
  value.toLocaleString('en-US', { maximumSignificantDigits: 3, useGrouping: true })

/** @param nanoseconds NaN for "not measured" */
export function duration(nanoseconds: number): string {
  if (Number.isNaN(nanoseconds)) return '-'
  if (nanoseconds < 1e3) return `${threeDigits(nanoseconds)} ns`
  if (nanoseconds < 1e6) return `${threeDigits(nanoseconds / 1e3)} µs`
  if (nanoseconds < 1e9) return `${threeDigits(nanoseconds / 1e6)} ms`
  return `${threeDigits(nanoseconds / 1e9)} s`
}

/**
 * A ratio; bounds and figures are shown alike, with two decimals, so that a target missed by little shows as missed.
 */
export const times = (value: number): string =>
  Number.isNaN(value)
    ? '-'
    : `${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}x`

export const bytes = (value: number): string =>
  Number.isNaN(value) ? '-' : `${value.toLocaleString('en-US', { maximumFractionDigits: 1 })} B`

/** Millions of operations a second. */
export const rate = (perSecond: number): string =>
  Number.isNaN(perSecond) ? '-' : `${threeDigits(perSecond / 1e6)} M/s`

export const count = (value: number): string => value.toLocaleString('en-US')
