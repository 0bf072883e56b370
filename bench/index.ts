// mapsafe against everything else that a Node.js service may keep its data in. `npm run bench -- --help` lists the
// options.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases } from './cases/index.js'
import { BenchError } from './harness/bench-error.js'
import type { Case, Findings, Run } from './harness/case.js'
import { NoNativeProgram } from './harness/native-program.js'
import { parseOptions, usage, type BenchOptions } from './harness/options.js'
import { RedisServer } from './harness/redis-server.js'
import { withoutJudgement } from './harness/targets.js'
import { describeMachine, describeVersions } from './report/machine.js'
import type { Outcome } from './report/markdown.js'
import { NO_VERDICTS, summary, targetTable, textTable } from './report/text.js'
import { writeReport } from './report/write.js'

async function main(): Promise<void> {
  const parameters = process.argv.slice(2)
  const names = cases.map(({ name }) => name)
  const options = parseOptions(parameters, names)
  if (options.help) {
    console.log(usage(names))
    return
  }
  const machine = describeMachine()
  console.log(`${machine}, seed ${options.seed}`)
  const outcomes = await runCases(options)
  const verdicts = outcomes.flatMap(({ findings }) => (typeof findings === 'string' ? [] : findings.verdicts))
  if (verdicts.length > 0) console.log(textTable(targetTable(verdicts)))
  if (options.quick) console.log(`\n${NO_VERDICTS}.`)
  else if (verdicts.length > 0) console.log(`\n${summary(verdicts)}`)
  if (options.json !== undefined) writeFileSync(options.json, asJson(machine, options, outcomes))
  if (options.report === undefined) return
  await writeReport(options.report, {
    command: ['npm run bench', ...(parameters.length > 0 ? ['--', ...parameters] : [])].join(' '),
    machine,
    date: new Date().toISOString().slice(0, 10),
    versions: describeVersions(),
    seed: options.seed,
    quick: options.quick,
    outcomes,
  })
  console.log(`Report: ${options.report}`)
}

function asJson(machine: string, { seed, quick }: BenchOptions, outcomes: readonly Outcome[]): string {
  const cases = outcomes.map(({ of, findings }) => ({
    name: of.name,
    ...(typeof findings === 'string'
      ? { failed: findings }
      : { tables: findings.tables, omissions: findings.omissions }),
  }))
  return `${JSON.stringify({ machine, seed, quick, date: new Date().toISOString(), cases }, undefined, 2)}\n`
}

/** A case that fails does not keep the others from being measured, but the program ends with status 1. */
async function runCases({ quick, only, seed, traces }: BenchOptions): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-bench-'))
  const server = await RedisServer.start(folder)
  const outcomes: Outcome[] = []
  try {
    for (const one of cases.filter(({ name }) => only.length === 0 || only.includes(name))) {
      const start = performance.now()
      const run: Run = {
        quick,
        seed,
        traces,
        folder,
        redisPort: server?.port,
        progress: (doing) => showProgress(`${one.name}: ${doing}`),
      }
      console.log(`\n${one.title}`)
      const findings = await findingsOf(one, run)
      showProgress('')
      outcomes.push({ of: one, findings })
      print(findings)
      console.log(`    (${((performance.now() - start) / 1000).toFixed(1)} s)`)
    }
  } finally {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return outcomes
}

async function findingsOf(one: Case, run: Run): Promise<Findings | string> {
  try {
    const findings = await one.run(run)
    return run.quick ? { ...findings, verdicts: withoutJudgement(findings.verdicts) } : findings
  } catch (error) {
    if (error instanceof NoNativeProgram) return error.message
    console.error(error)
    process.exitCode = 1
    return `it failed: ${(error as Error).message.split('\n')[0]}`
  }
}

function print(findings: Findings | string): void {
  if (typeof findings === 'string') {
    console.log(`  not measured: ${findings}`)
    return
  }
  for (const omission of findings.omissions) console.log(`  not measured: ${omission}`)
  for (const one of findings.tables) console.log(textTable(one))
}

/** On one line of a terminal that the next progress replaces. */
function showProgress(doing: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\x1b[2K\r${doing}`)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof BenchError ? `bench: ${error.message}` : error)
  process.exitCode = 1
}
