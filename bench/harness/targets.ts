/** Targets of the project. A missed target stays in the report, with its number. */
export const targets = {
  P1: 'A near hit costs what a private map does',
  P2: 'A native read of a 100-byte string without near-cache',
  P3: 'A native read of a small object without near-cache',
  P4: 'A native write of a 100-byte string',
  P5: 'The TypeScript engine is a usable fallback',
  P6: 'The C++ core, two threads',
  P7: 'Two workers do the work of two',
  P8: 'No operation is slow because the map grows',
  P9: 'Entries held cost the host no garbage collection',
  P10: 'Memory beyond key and value',
  P11: 'A near-cached object is decoded once for each write',
  P12: 'A bounded cache keeps what is asked for again',
  V1: 'A native read of a flat object without near-cache',
  V2: 'A native write of a flat object',
  V3: 'Decoding and freezing of a session',
  V4: 'Dates do not forbid the near hit',
  V5: 'Memory of sessions',
  V6: 'The first half of the demo',
  V7: 'Long strings in the native engine',
  V8: 'More objects than the near-cache holds',
  V9: 'Objects in the TypeScript engine',
  V10: 'Many reads by one call',
} as const

export type TargetName = keyof typeof targets

/** One figure held against its bound. */
export interface Verdict {
  readonly target: TargetName
  readonly what: string
  /** The figure and its bound, as shown. */
  readonly figure: string
  readonly bound: string
  /** Undefined if it was not measured. */
  readonly met: boolean | undefined
}

/** The figures without judgement: those of a quick run are mostly noise. */
export function withoutJudgement(verdicts: readonly Verdict[]): Verdict[] {
  return verdicts.map((verdict) => ({ ...verdict, met: undefined }))
}

/** Compares a figure, NaN if it was not measured, with its bound; `show` formats both. */
type Judge = (
  target: TargetName,
  what: string,
  figure: number,
  bound: number,
  show: (figure: number) => string,
) => Verdict

export const atMost = judge('≤', (figure, bound) => figure <= bound)
export const atLeast = judge('≥', (figure, bound) => figure >= bound)
export const above = judge('>', (figure, bound) => figure > bound)
export const exactly = judge('=', (figure, bound) => figure === bound)

function judge(sign: string, holds: (figure: number, bound: number) => boolean): Judge {
  return (target, what, figure, bound, show) => {
    const isMeasured = !Number.isNaN(figure)
    return {
      target,
      what,
      figure: isMeasured ? show(figure) : 'not measured',
      bound: `${sign} ${show(bound)}`,
      met: isMeasured ? holds(figure, bound) : undefined,
    }
  }
}
