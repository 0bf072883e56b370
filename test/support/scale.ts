const scale = Number(process.env.MAPSAFE_SCALE ?? 1)

/** An amount of work, times MAPSAFE_SCALE (default 1). */
export function scaled(amount: number): number {
  return Math.max(1, Math.round(amount * scale))
}
