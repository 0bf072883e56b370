/**
 * Decides whether a history is linearizable: whether its calls could have taken effect one at a time, each at some
 * instant between its invocation and its return (Herlihy and Wing, "Linearizability", TOPLAS 1990).
 *
 * The search is Wing and Gong's ("Testing and verifying concurrent objects", JPDC 1993), with Lowe's refinement of
 * remembering which pairs of linearized calls and state were tried ("Testing for linearizability", CCPE 2017).
 * Exponential in the number of calls that overlap, at worst; some microseconds a call for a few threads.
 */

/** One finished call of one thread. Stamps are distinct; their order must agree with real time. */
export interface Operation<Call> {
  readonly worker: number
  readonly invoked: number
  readonly returned: number
  readonly call: Call
}

/** What a correct object does when it is used by one thread. */
export interface Model<State, Call> {
  readonly initial: State
  /** The state after `call`; undefined if in `state` it would not have returned what was recorded. */
  step(state: State, call: Call): State | undefined
  /** Equal for states, and only for states, that cannot be told apart. */
  fingerprint(state: State): string
}

export interface Verdict<Call> {
  readonly isLinearizable: boolean
  /** An order in which the calls can have taken effect; if there is none for all, one for as many as possible. */
  readonly order: readonly Operation<Call>[]
}

/** An invocation or return, in a list of those not yet linearized, by stamp. */
interface Event {
  readonly operation: number
  /** The return that belongs to an invocation; undefined for a return. */
  readonly end: Event | undefined
  previous: Event | undefined
  next: Event | undefined
}

export function checkLinearizable<State, Call>(
  history: readonly Operation<Call>[],
  model: Model<State, Call>,
): Verdict<Call> {
  const head = eventsOf(history)
  const tried = new Set<string>()
  const chosen: { event: Event; before: State }[] = []
  let state = model.initial
  let linearized = 0n
  let longest: readonly Event[] = []

  let event = head.next
  while (head.next !== undefined) {
    if (event?.end !== undefined) {
      const next = model.step(state, history[event.operation].call)
      const withEvent = linearized | (1n << BigInt(event.operation))
      const attempt = next === undefined ? '' : `${withEvent.toString(36)} ${model.fingerprint(next)}`
      if (next === undefined || tried.has(attempt)) {
        event = event.next
        continue
      }
      tried.add(attempt)
      chosen.push({ event, before: state })
      if (chosen.length > longest.length) longest = chosen.map((choice) => choice.event)
      state = next
      linearized = withEvent
      take(event)
      event = head.next
      continue
    }
    // A return whose call is not linearized yet: nothing later may come before it. Undo the last choice, try the next.
    const last = chosen.pop()
    if (last === undefined) break
    state = last.before
    linearized &= ~(1n << BigInt(last.event.operation))
    putBack(last.event)
    event = last.event.next
  }
  return { isLinearizable: head.next === undefined, order: longest.map(({ operation }) => history[operation]) }
}

/** The events of a history behind a head that is none of them. */
function eventsOf<Call>(history: readonly Operation<Call>[]): Event {
  const stamped = history.flatMap(({ invoked, returned }, operation) => {
    const end: Event = { operation, end: undefined, previous: undefined, next: undefined }
    const start: Event = { operation, end, previous: undefined, next: undefined }
    return [
      { stamp: invoked, event: start },
      { stamp: returned, event: end },
    ]
  })
  const head: Event = { operation: -1, end: undefined, previous: undefined, next: undefined }
  let last = head
  for (const { event } of stamped.sort((a, b) => a.stamp - b.stamp)) {
    last.next = event
    event.previous = last
    last = event
  }
  return head
}

/** Takes a call out of the list: its invocation and its return. */
function take(start: Event): void {
  for (const event of [start, start.end!]) {
    event.previous!.next = event.next
    if (event.next !== undefined) event.next.previous = event.previous
  }
}

/** Undoes the last {@link take}: the events still know their places. */
function putBack(start: Event): void {
  for (const event of [start.end!, start]) {
    event.previous!.next = event
    if (event.next !== undefined) event.next.previous = event
  }
}
