/** What a latency contains of reading the clock: the median of 1,001 empty measurements, in nanoseconds. */
export function clockOverhead(): number {
  const empty = Float64Array.from({ length: 1001 }, () => {
    const began = performance.now()
    return (performance.now() - began) * 1e6
  })
  return Math.round(empty.sort()[500])
}
