import { LIFE_DEAD, LIFE_ELSEWHERE, LIFE_RUNNING, LIFE_STOPPED } from './thread-name.js'
import { markOf, nameOf, threadRecordAt } from './thread-record.js'
import { waitingOf, type Waiting } from './waiting.js'
import {
  CLAIM_ALL,
  ENGINE_NATIVE,
  HEADER_DIRECTORY_MUTEX,
  HEADER_HEAP_MUTEX,
  HEADER_SHAPE_MUTEX,
  REGISTRY_THREADS,
  THREAD_ABANDONED,
  THREAD_ATTACHED,
  THREAD_CLAIM,
  THREAD_ENGINE,
  THREAD_ID,
  THREAD_PID,
  THREAD_STATE,
} from './layout.js'

/**
 * State of a thread. `stopped`: by SIGSTOP or a debugger, perhaps in the middle of a write. `dead`: it ended without
 * closing the map; the next thread that waits for something it held, or opens the map, finishes or undoes its work.
 * `elsewhere`: it lives, in another container (PID namespace), running or stopped. `unknown`: the state cannot be found
 * out here, because there is no `/proc`, say; such a thread is never taken for dead.
 */
export type ThreadState = 'running' | 'stopped' | 'dead' | 'elsewhere' | 'unknown'

/**
 * The parts of a map that a thread has, or is about to take: the whole map for a snapshot or a repair, the keys of one
 * bucket or segment for a write, the lock of the memory, of the directory or of the shapes of values.
 */
export type Holding = 'map' | 'keys' | 'memory' | 'directory' | 'shapes'

/** A thread that has the map open. */
export interface AttachedThread {
  /** Id of the process, in its own PID namespace. */
  readonly pid: number
  /** `threadId` of `node:worker_threads` within that process; 0 is its main thread. */
  readonly threadId: number
  /** The engine that it opened the map with. */
  readonly engine: 'native' | 'typescript'
  /** Whether the thread lives, as far as this thread can find out. */
  readonly state: ThreadState
  /** The parts for which other threads may have to wait; empty most of the time. */
  readonly holds: readonly Holding[]
  /** What it waits for; undefined unless it sleeps because another thread is in its way. */
  readonly waits: Waiting | undefined
}

/** A region, seen by one of the engines that are attached to it. */
export interface Registry {
  readonly words: Int32Array
  /** Returns the state of the thread that has a record: one of LIFE_*. */
  lifeOf(record: number): number
}

/** Times that a record is read again at most, because its owner changed meanwhile. */
const RECORD_TRIES = 16

/**
 * Returns the threads that have the region open. O(thread records), and some system calls for each record that is
 * taken.
 */
export function attachedThreads(registry: Registry): AttachedThread[] {
  const threads: AttachedThread[] = []
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const thread = threadOf(registry, index)
    if (thread !== undefined) threads.push(thread)
  }
  return threads
}

/** Returns the thread that has record `index`; undefined if the record is free. */
export function threadOf(registry: Registry, index: number): AttachedThread | undefined {
  const { words } = registry
  const at = threadRecordAt(index)
  for (let tries = 0; tries < RECORD_TRIES; tries++) {
    const name = nameOf(words, index)
    const state = Atomics.load(words, at + THREAD_STATE)
    if (name === 0n || (state !== THREAD_ATTACHED && state !== THREAD_ABANDONED)) return undefined
    const thread: AttachedThread = {
      pid: Atomics.load(words, at + THREAD_PID),
      threadId: Atomics.load(words, at + THREAD_ID),
      engine: Atomics.load(words, at + THREAD_ENGINE) === ENGINE_NATIVE ? 'native' : 'typescript',
      state: stateOf(registry.lifeOf(index)),
      holds: holdingsOf(words, index),
      waits: waitingOf(words, index),
    }
    // A thread that gave its record back meanwhile has no lock any more, but is not dead.
    if (nameOf(words, index) === name) return thread
  }
  return undefined
}

function stateOf(life: number): ThreadState {
  switch (life) {
    case LIFE_RUNNING:
      return 'running'
    case LIFE_STOPPED:
      return 'stopped'
    case LIFE_DEAD:
      return 'dead'
    case LIFE_ELSEWHERE:
      return 'elsewhere'
    default:
      return 'unknown'
  }
}

function holdingsOf(words: Int32Array, index: number): Holding[] {
  const mark = markOf(words, index)
  const claim = Atomics.load(words, threadRecordAt(index) + THREAD_CLAIM)
  const holdings: Holding[] = []
  if (claim !== 0) holdings.push(claim === CLAIM_ALL ? 'map' : 'keys')
  if (Atomics.load(words, HEADER_HEAP_MUTEX) === mark) holdings.push('memory')
  if (Atomics.load(words, HEADER_DIRECTORY_MUTEX) === mark) holdings.push('directory')
  if (Atomics.load(words, HEADER_SHAPE_MUTEX) === mark) holdings.push('shapes')
  return holdings
}
