/** The middle of the values, or the mean of the two in the middle; NaN if there are none. */
export function median(values: ArrayLike<number>): number {
  return percentile(Float64Array.from(values).sort(), 50)
}

/**
 * Linear interpolation between the two nearest ranks.
 *
 * @param sorted ascending
 * @param percent 0 to 100
 * @returns NaN if there are no values
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0) return NaN
  const rank = (percent / 100) * (sorted.length - 1)
  const below = Math.floor(rank)
  const above = Math.ceil(rank)
  return sorted[below] + (sorted[above] - sorted[below]) * (rank - below)
}

/**
 * How many times as large `values` are as `others`: the median of the rounds' quotients. Both were measured in the same
 * rounds, so a moment at which the machine was slow weighs on both sides of its quotient. NaN if either was not
 * measured.
 */
export function ratio(values: readonly number[], others: readonly number[]): number {
  if (values.length !== others.length) return NaN
  return median(values.map((value, round) => value / others[round]))
}

/** How far the middle half of the values lies apart: the distance between the quartiles. NaN if there are none. */
export function spread(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return percentile(sorted, 75) - percentile(sorted, 25)
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export function percentiles(values: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(values).sort()
  return { p50: percentile(sorted, 50), p99: percentile(sorted, 99), p999: percentile(sorted, 99.9) }
}
