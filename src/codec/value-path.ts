import { describe } from '../base/describe.js'

/** One step from an object to something in it: a property name, an array index, or a {@link MemberStep}. */
export type PathStep = string | number | MemberStep

/** A step that is not a property: into a `Map`, a `Set` or an error's cause. */
export class MemberStep {
  constructor(
    private readonly part: 'key' | 'value' | 'member',
    private readonly at: unknown,
  ) {}

  toString(): string {
    switch (this.part) {
      case 'key':
        return `.keys()[${String(this.at)}]`
      case 'member':
        return `.values()[${String(this.at)}]`
      case 'value':
        return `.get(${describe(this.at)})`
    }
  }
}

const MAX_STEPS = 8
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** Formats the path to a part of a value as code: `value.users[3].name`. Long paths are cut in the middle. */
export function formatPath(steps: readonly PathStep[]): string {
  const shown =
    steps.length <= MAX_STEPS
      ? steps.map(formatStep)
      : [...steps.slice(0, MAX_STEPS / 2).map(formatStep), ' ... ', ...steps.slice(-MAX_STEPS / 2).map(formatStep)]
  return `value${shown.join('')}`
}

function formatStep(step: PathStep): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step !== 'string') return step.toString()
  return IDENTIFIER.test(step) ? `.${step}` : `[${describe(step)}]`
}
