import { parseArgs } from 'node:util'
import {
  FINE,
  Failure,
  JSON_OPTION,
  PROBLEMS,
  USAGE,
  WrongCall,
  type Command,
  type Given,
  type Option,
} from './command.js'
import { COMMANDS } from './commands.js'
import { complain } from './complain.js'
import { Output, ReaderGone } from './output.js'

/** Runs the program. Returns its exit code; whatever happens, no stack is printed. */
export async function main(words: readonly string[]): Promise<number> {
  // What is printed goes through Output; this is what Node.js itself would say of a pipe that was closed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const output = new Output(words.includes('--json'))
  try {
    const code = await dispatch(words, output)
    output.flush()
    return code
  } catch (error) {
    return conclude(error, output)
  }
}

function conclude(error: unknown, output: Output): number {
  if (error instanceof ReaderGone) return FINE
  try {
    output.flush()
  } catch (reason) {
    if (reason instanceof ReaderGone) return FINE
    throw reason
  }
  const { message, code } = error as NodeJS.ErrnoException
  const isUsage = error instanceof WrongCall || code?.startsWith('ERR_PARSE_ARGS') === true
  complain(message)
  if (isUsage) complain('See mapsafe --help.')
  if (isUsage) return USAGE
  return error instanceof Failure ? error.exitCode : PROBLEMS
}

async function dispatch(words: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = words as [string | undefined, ...string[]]
  if (name === undefined) {
    help(output)
    return USAGE
  }
  if (['help', '--help', '-h'].includes(name)) {
    const about = COMMANDS.find((command) => command.name === rest[0])
    if (about === undefined) help(output)
    else helpOf(about, output)
    return FINE
  }
  const command = COMMANDS.find((each) => each.name === name)
  if (command === undefined) throw new WrongCall(`There is no command ${JSON.stringify(name)}.`)
  if (rest.includes('--help') || rest.includes('-h')) {
    helpOf(command, output)
    return FINE
  }
  return command.run(read(command, rest), output)
}

function read(command: Command, words: readonly string[]): Given {
  const options: Record<string, Option> = { ...command.options, ...JSON_OPTION }
  const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
  const least = command.operands.filter((operand) => !operand.startsWith('[')).length
  const most = command.operands.some((operand) => operand.includes('...')) ? Infinity : command.operands.length
  if (positionals.length < least || positionals.length > most) {
    throw new WrongCall(`mapsafe ${command.name} takes ${command.operands.join(' ')}; ${positionals.length} given.`)
  }
  return { options: values, operands: positionals }
}

function help(output: Output): void {
  output.line('Usage: mapsafe COMMAND ...')
  output.line()
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  for (const { name, summary } of COMMANDS) output.line(`  ${name.padEnd(width)}  ${summary}`)
  output.line()
  output.line('mapsafe COMMAND --help tells the options of a command. Every command knows --json.')
  output.line('Exit codes: 0 fine, 1 problems were found, 2 the call is wrong, 3 what is named cannot be opened.')
}

function helpOf(command: Command, output: Output): void {
  output.line(`Usage: mapsafe ${[command.name, ...command.operands].join(' ')} [OPTIONS]`)
  output.line()
  output.line(command.summary)
  output.line()
  for (const [name, { short, value, help: about }] of Object.entries({ ...command.options, ...JSON_OPTION })) {
    const names = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
    output.line(`  ${names.padEnd(22)}  ${about}`)
  }
}
