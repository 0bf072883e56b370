import type { Case, Findings, Run } from '../harness/case.js'
import { buildNativeProgram, runNativeProgram } from '../harness/native-program.js'
import { rate, times } from '../report/format.js'

/** A line of native/bench/padding_bench.cc. */
interface Row {
  readonly work: string
  /** Bytes between the words of the two threads. */
  readonly distance: number
  /** Million operations a second. */
  readonly mops: number
}

/** The gain from the space between the headers of segments. */
export const padding: Case = {
  name: 'padding',
  title: 'Padded segment headers',
  method: `\`native/bench/padding_bench.cc\`: two threads work on two segments and never touch the same word. *locks*: both take and give back a
mutex of their own; *reads*: one reads its segment's depth, as every lookup does, while the other takes the other segment's
mutex. 4 bytes apart is an unpadded header, 128 bytes what the region format has: processors fetch lines in pairs.`,
  async run(run: Run): Promise<Findings> {
    run.progress('building padding_bench')
    const program = await buildNativeProgram('padding_bench')
    run.progress('running padding_bench')
    const rows = await runNativeProgram<Row>(program, ['--seconds', run.quick ? '0.02' : '0.3'])
    const unpadded = (work: string): number => rows.find((row) => row.work === work)!.mops
    return {
      tables: [
        {
          title: 'One of two threads',
          columns: ['', 'bytes apart', 'throughput', '/ unpadded'],
          rows: rows.map(({ work, distance, mops }) => [
            work,
            String(distance),
            rate(mops * 1e6),
            times(mops / unpadded(work)),
          ]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}
