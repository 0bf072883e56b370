/**
 * Finds loads that wait for themselves: a loader that awaits `getOrLoad` of the key that it loads, or of another key whose
 * loader awaits this one. Without that, each would wait until its time is up.
 *
 * A loader runs under its load (`Carried`), so that a call knows which load made it. The loads of a thread, each with the
 * calls that its loader awaits, are a graph, and a call that would close a circle in it is rejected. A call that the loader
 * starts without awaiting it closes none: loader-call.ts tells the two apart.
 *
 * *Bounds.* Loads of other threads are not known here. A circle through another thread, or through two map objects that
 * each opened one file, ends by the time limits.
 *
 * Thread safety: one thread, whose loads all copies of the package share.
 */
import { describe } from '../base/describe.js'
import { MapsafeError } from '../base/errors.js'
import type { Key } from '../format/key.js'
import { threadState } from '../platform/addon.js'
import { Carried } from '../platform/context.js'
import type { LoadName } from './lease.js'

/** A load that this thread runs. */
export interface RunningLoad extends LoadName {
  readonly key: Key
  /** The memory of its cache. */
  readonly memory: ArrayBufferLike
  /** The calls that its loader awaits; undefined until there is one. */
  awaits: Set<Wait> | undefined
}

/** What a call waits for. */
interface Awaited {
  /** The load that runs for it now, if this thread runs it. */
  readonly running: RunningLoad | undefined
}

interface State {
  readonly carried: Carried<RunningLoad>
  readonly running: Set<RunningLoad>
}

let state: State | undefined

/** Is made with the first load, since an import alone loads no addon. */
function theState(): State {
  return (state ??= threadState('running loads', () => ({ carried: new Carried(), running: new Set() })))
}

/** Notes a load that begins. */
export function beginLoad({ owner, number }: LoadName, key: Key, memory: ArrayBufferLike): RunningLoad {
  const load = { owner, number, key, memory, awaits: undefined }
  theState().running.add(load)
  return load
}

/** Runs the load's loader. */
export function runLoader<T>(load: RunningLoad, loader: () => T): T {
  return theState().carried.run(load, loader)
}

/** Notes that a load is over, or was given up. */
export function endLoad(load: RunningLoad): void {
  const { carried, running } = theState()
  running.delete(load)
  if (running.size === 0) carried.clear()
}

/** Returns the load whose loader makes this call. */
export function loadOfCall(): RunningLoad | undefined {
  const { carried, running } = theState()
  if (running.size === 0) return undefined
  const load = carried.get()
  return load !== undefined && running.has(load) ? load : undefined
}

/** Returns the load of that name, if this thread runs it. */
export function findLoad({ owner, number }: LoadName, memory: ArrayBufferLike): RunningLoad | undefined {
  for (const load of theState().running) {
    if (load.owner === owner && load.number === number && load.memory === memory) return load
  }
  return undefined
}

/** Looks for circles again, after a waiting call learned that it waits for another load than before. */
export function lookAgain(): void {
  for (const { awaits } of theState().running) for (const wait of awaits ?? []) wait.look()
}

/** A call of a loader that waits for a load. */
export class Wait {
  /**
   * @param by the load whose loader made the call
   * @param reject rejects the call
   */
  constructor(
    private readonly by: RunningLoad,
    private readonly forWhat: Awaited,
    private readonly reject: (reason: MapsafeError) => void,
  ) {}

  /** Notes that the call is awaited. */
  begin(): void {
    ;(this.by.awaits ??= new Set()).add(this)
    this.look()
  }

  /** Notes that the call is settled. */
  end(): void {
    this.by.awaits?.delete(this)
  }

  /** Rejects the call if it is a part of a circle. */
  look(): void {
    const circle = this.#wayTo(this.by, new Set())
    if (circle === undefined || !theState().running.has(this.by)) return
    this.end()
    this.reject(waitsForItself([this.by, ...circle]))
  }

  /** Returns the loads on the way from what the call waits for to `load`, that one included. */
  #wayTo(load: RunningLoad, met: Set<RunningLoad>): RunningLoad[] | undefined {
    const { running } = this.forWhat
    if (running === load) return [load]
    if (running === undefined || met.has(running)) return undefined
    met.add(running)
    for (const wait of running.awaits ?? []) {
      const way = wait.#wayTo(load, met)
      if (way !== undefined) return [running, ...way]
    }
    return undefined
  }
}

/** @param circle loads that each await the next one; the last is the first */
function waitsForItself(circle: readonly RunningLoad[]): MapsafeError {
  const names = circle.map(({ key }) => describe(key))
  const steps = names.slice(1).map((name, i) => `${names[i]} awaits ${name}`)
  return new MapsafeError(
    'ERR_MAPSAFE_REENTRANT',
    `The loader of key ${names[0]} waits for itself: ${steps.join(', ')}. A loader must not await getOrLoad of its own key, ` +
      'neither by itself nor through loaders of other keys. Load what they share under a key of its own.',
  )
}
