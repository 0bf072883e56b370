import type { HealthReport, InspectedThread, Inspection } from '../../inspect/index.js'
import { FINE, PROBLEMS, SOURCE_OPTIONS, type Command } from '../command.js'
import { adviceOn, describeMachine, type Machine } from '../machine.js'
import { openToLook } from '../open.js'
import { harmless, showBytes, type Output } from '../output.js'
import { problemsOf } from './verify.js'

/** All that is known of a file and of the machine, with what to do. */
interface Findings {
  readonly machine: Machine
  readonly health: HealthReport | undefined
  /** What is wrong, each with what to do. */
  readonly problems: readonly string[]
  /** What is not wrong, but worth knowing. */
  readonly advice: readonly string[]
}

export const doctor: Command = {
  name: 'doctor',
  operands: ['[FILE]'],
  summary: 'judges a map file and the machine, and says what to do',
  options: SOURCE_OPTIONS,
  run(given, output) {
    const [file] = given.operands as [string | undefined]
    const machine = describeMachine(file)
    let findings: Findings = { machine, health: undefined, problems: [], advice: adviceOn(machine, undefined) }
    if (file !== undefined) {
      using seen = openToLook(given)
      const health = seen.health()
      findings = {
        machine,
        health,
        problems: problemsWith(seen, health),
        advice: adviceOn(machine, seen.settings.maxBytes),
      }
    }
    if (output.isJson) output.json({ ok: findings.problems.length === 0, ...findings })
    else show(findings, output)
    return findings.problems.length === 0 ? FINE : PROBLEMS
  },
}

function problemsWith(seen: Inspection, { verdicts }: HealthReport): string[] {
  const problems = problemsOf(seen).map(
    (problem) => `The map is damaged: ${problem}. mapsafe repair may help; dump what is readable first.`,
  )
  for (const { name, ok, value, threshold, advice } of verdicts) {
    if (!ok) problems.push(`${name} is ${round(value)}, expected ${round(threshold)}: ${advice}`)
  }
  for (const thread of seen.threads()) problems.push(...problemsOfThread(thread))
  return problems
}

function problemsOfThread({ pid, threadId, state, holds }: InspectedThread): string[] {
  const who = `Thread ${threadId} of process ${pid}`
  const what = holds.length === 0 ? '' : `, and holds ${holds.join(' and ')}`
  if (state === 'stopped')
    return [`${who} is stopped${what}: others may wait for it. Let it go on (kill -CONT ${pid}), or end it.`]
  // Whoever opens the map next, or waits for what it held, finishes its work.
  if (state === 'dead' && holds.length > 0)
    return [
      `${who} is dead${what}: the next one to open the map finishes or undoes its work. mapsafe repair does so now.`,
    ]
  return []
}

const round = (value: number): string => String(Math.round(value * 1000) / 1000)

function show({ machine, health, problems, advice }: Findings, output: Output): void {
  const say = (name: string, text: string): void => output.line(`${name.padEnd(20)}${harmless(text)}`)
  say('node', `${machine.node}, ${machine.platform}`)
  say('engine', machine.engine + (machine.binary === undefined ? '' : `, ${machine.binary}`))
  say(
    'processors',
    `${machine.processors}${machine.processorLimit === undefined ? '' : `, limited to ${machine.processorLimit}`}`,
  )
  say(
    'memory',
    `${showBytes(machine.memoryBytes)}${machine.memoryLimit === undefined ? '' : `, limited to ${showBytes(machine.memoryLimit)}`}`,
  )
  for (const disk of [machine.sharedMemory, machine.disk]) {
    if (disk !== undefined) say(disk.path, `${showBytes(disk.free)} free of ${showBytes(disk.bytes)}`)
  }
  for (const { name, ok, value, threshold } of health?.verdicts ?? []) {
    say(name, `${ok ? 'ok' : 'NOT WELL'} (${round(value)}, bound ${round(threshold)})`)
  }
  for (const each of advice) output.line(`Note: ${harmless(each)}`)
  for (const each of problems) output.line(output.red(harmless(each)))
  if (problems.length === 0) output.line(output.green('Nothing is wrong.'))
}
