/**
 * The dates in a value that is kept, and the times that they had. Freezing a date leaves its time open, so a value with
 * dates may be kept only if each hit compares them. One that was changed in place is dropped, and decoded anew.
 */
export interface KeptDates {
  readonly dates: readonly Date[]
  readonly times: readonly number[]
}

/** Notes the times of dates that were decoded a moment ago. O(number of dates). */
export function keepDates(dates: readonly Date[] | undefined): KeptDates | undefined {
  return dates === undefined ? undefined : { dates, times: dates.map((date) => date.getTime()) }
}

/** Returns whether a date has another time than the one it came with. O(number of dates). */
export function wereChanged({ dates, times }: KeptDates): boolean {
  for (let i = 0; i < dates.length; i++) {
    // An invalid date has the time NaN, which is unequal to itself.
    const time = dates[i].getTime()
    if (time !== times[i] && (time === time || times[i] === times[i])) return true
  }
  return false
}
