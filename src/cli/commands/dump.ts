import { closeSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { dumpLines } from '../../dump/index.js'
import { CANNOT_OPEN, Failure, FINE, PROBLEMS, SOURCE_OPTIONS, type Command, type Given } from '../command.js'
import { complain } from '../complain.js'
import { openToLook, openToUse } from '../open.js'

export const dump: Command = {
  name: 'dump',
  operands: ['FILE', '[OUTPUT]'],
  summary: 'writes all entries as lines of JSON, from one snapshot',
  options: {
    look: {
      type: 'boolean',
      help: 'take no part in the map, as other commands do: each entry is of an instant of its own',
    },
    ...SOURCE_OPTIONS,
  },
  run(given, output) {
    const [, target] = given.operands as [string, string | undefined]
    if (target === undefined) return write(given, (line) => output.line(line))
    const partial = `${target}.${process.pid}.part`
    const descriptor = create(partial)
    try {
      let text = ''
      const flush = (): void => {
        writeAll(descriptor, text)
        text = ''
      }
      const code = write(given, (line) => {
        text += `${line}\n`
        if (text.length > 2 ** 16) flush()
      })
      flush()
      link(partial, target)
      return code
    } finally {
      closeSync(descriptor)
      unlinkSync(partial)
    }
  },
}

function write(given: Given, print: (line: string) => void): number {
  let problems = 0
  using look = openToLook(given)
  const { look: isLook, copy, now } = given.options
  if (isLook !== true && copy !== true && now === undefined && look.isLive && !look.isCopy) {
    using map = openToUse(given)
    for (const line of dumpLines(map)) print(line)
    return FINE
  }
  const threads = look.threads()
  if (!look.isLive && threads.length > 0)
    complain(`It was copied while threads (${threads.length}) had it open: entries may be missing, or be there twice.`)
  const onProblem = (problem: string): void => {
    problems++
    complain(problem)
  }
  for (const line of dumpLines(look, { onProblem })) print(line)
  return problems === 0 ? FINE : PROBLEMS
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    throw new Failure(`Cannot make ${path}: ${(error as Error).message}.`, CANNOT_OPEN)
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
}

/** Gives a complete file its name, unless there is one of that name. */
export function link(partial: string, target: string): void {
  try {
    linkSync(partial, target)
  } catch (error) {
    throw new Failure(`Cannot make ${target}: ${(error as Error).message}.`, CANNOT_OPEN)
  }
}
