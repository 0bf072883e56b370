// What is read of an instance is its data.
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

class User {
  readonly #secret = 1
  private readonly inner = 2
  nickname?: string
  constructor(
    public name: string,
    public tags: string[],
  ) {}
  greet(): string {
    return `${this.name} ${this.#secret} ${this.inner}`
  }
  readonly shout = (): string => this.name.toUpperCase()
  optional?(): void
}
class HttpError extends Error {
  constructor(readonly status: number) {
    super('no')
  }
}

const users = new ConcurrentMap<string, User>()
const user = users.get('a')!
const data: { readonly name: string; readonly tags: readonly string[]; readonly nickname?: string } = user
users.set('a', data).set('b', new User('Ada', []))
const again: typeof user = data
const names: readonly ('name' | 'tags' | 'nickname')[] = Object.keys(again) as (keyof typeof user)[]
export const nested: readonly { readonly users: ReadonlyMap<string, typeof user> }[] = new ConcurrentCache<
  string,
  { users: Map<string, User> }[]
>().get('a')!

const buffers = new ConcurrentMap<string, Buffer>()
const bytes: Uint8Array = buffers.get('a')!
buffers.set('a', Buffer.from('a'))
const errors = new ConcurrentMap<string, HttpError>()
const error: Error = errors.get('a')!
export const kept = [names, bytes, error, new ConcurrentMap<string, Date>().get('a')?.getTime()]
