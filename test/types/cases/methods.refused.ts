import { ConcurrentMap } from 'mapsafe'

class User {
  constructor(
    public name: string,
    readonly tags: string[],
  ) {}
  greet(): string {
    return this.name
  }
  readonly shout = (): string => this.name.toUpperCase()
  optional?(): void
  [Symbol.iterator](): Iterator<string> {
    return this.tags[Symbol.iterator]()
  }
}
class HttpError extends Error {
  constructor(readonly status: number) {
    super('no')
  }
}

const user = new ConcurrentMap<string, User>().get('a')!
user.greet() // refused
user.shout() // refused
user.optional?.() // refused
for (const tag of user) console.log(tag) // refused
const whole: User = user // refused
new ConcurrentMap<string, { owner: User }[]>().get('a')![0].owner.greet() // refused
new ConcurrentMap<string, User>({ freeze: true }).getEntry('a')!.value.greet() // refused
new ConcurrentMap<string, User, false>({ freeze: false }).get('a')!.greet() // refused
new ConcurrentMap<string, User>().snapshot().values().next().value!.greet() // refused
new ConcurrentMap<string, Buffer>().get('a')!.readInt8(0) // refused
new ConcurrentMap<string, HttpError>().get('a')!.status // refused
console.log(whole)
