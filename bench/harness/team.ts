import type { StoreHost, StoreSetup } from '../contenders/contender.js'
import { kindOf, type ContenderName } from '../contenders/index.js'
import type { MixName } from './mix.js'
import { Thread } from './thread.js'

export interface MemberSetup extends StoreSetup {
  readonly name: ContenderName
  readonly handle: unknown
  readonly draws: Uint32Array
  readonly worker: number
}

export type MemberOrder =
  | { readonly kind: 'open' | 'fill' | 'close' }
  | {
      readonly kind: 'work'
      readonly mix: MixName
      readonly milliseconds: number
      /** A counter of the workers that are ready; all start when it is `workers`. */
      readonly ready: Int32Array
      readonly workers: number
    }

export interface Work {
  /** Operations a second. */
  readonly rate: number
  /** Nanoseconds of the sampled operations. */
  readonly latencies: Float64Array
}

/** Several threads with one store; one store each, if it is private. */
export class Team {
  readonly #members: readonly Thread<MemberOrder>[]

  private constructor(
    readonly name: ContenderName,
    members: readonly Thread<MemberOrder>[],
  ) {
    this.#members = members
  }

  /** Opens the store in `workers` threads and fills it. */
  static async open(
    name: ContenderName,
    { size, value }: StoreSetup,
    workers: number,
    host: StoreHost,
    draws: Uint32Array,
  ): Promise<Team> {
    const { shared } = kindOf(name)
    const handle = kindOf(name).create({ size, value }, host)
    const members = Array.from({ length: workers }, (_, worker) => {
      const setup: MemberSetup = { name, handle, draws, worker, size, value }
      return new Thread<MemberOrder>(new URL('member.worker.js', import.meta.url), setup)
    })
    const team = new Team(name, members)
    try {
      for (const [worker, member] of members.entries()) {
        await member.ask({ kind: 'open' })
        if (worker === 0 || !shared) await member.ask({ kind: 'fill' })
      }
      return team
    } catch (error) {
      await team.#stop()
      throw error
    }
  }

  /** Lets the first `workers` threads work at once. */
  async work(mix: MixName, workers: number, milliseconds: number): Promise<Work> {
    const ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const works = await Promise.all(
      this.#members.slice(0, workers).map((member) => {
        return member.ask<Work>({ kind: 'work', mix, milliseconds, ready, workers })
      }),
    )
    return {
      rate: works.reduce((sum, { rate }) => sum + rate, 0),
      latencies: Float64Array.from(works.flatMap(({ latencies }) => [...latencies])),
    }
  }

  async close(): Promise<void> {
    try {
      for (const member of this.#members) await member.ask({ kind: 'close' })
    } finally {
      await this.#stop()
    }
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()))
  }
}
