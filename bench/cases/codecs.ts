import type { Case, Findings, Run, Table } from '../harness/case.js'
import { DOCUMENTS } from '../harness/documents.js'
import { median, ratio } from '../harness/statistics.js'
import { atMost } from '../harness/targets.js'
import { Thread } from '../harness/thread.js'
import { bytes, duration, times } from '../report/format.js'

/** Encodings, and what they are called. */
export const CODECS = {
  mapsafe: 'mapsafe',
  msgpackr: 'msgpackr',
  json: 'JSON',
  clone: 'structuredClone',
} as const
export type CodecName = keyof typeof CODECS

export interface CodecsSetup {
  readonly codec: CodecName
}

export interface CodecsOrder {
  readonly document: string
  readonly milliseconds: number
}

/** Nanoseconds; NaN where the codec does not give the value back. */
export interface CodecTimes {
  readonly bytes: number
  readonly encode: number
  readonly decode: number
}

/** How fast values become bytes and come back. */
export const codecs: Case = {
  name: 'codecs',
  title: 'Values to bytes and back',
  method: `Each encoding alone in a thread, which encodes and decodes all these values. Decoding ends with a deep \`Object.freeze\`, which is a part of mapsafe's; its
names are in a table in memory. msgpackr is \`pack\` and \`unpack\`; \`structuredClone\` makes no bytes, so that its whole time stands under *decode*.
A dash: the value does not come back as it was.`,
  async run(run: Run): Promise<Findings> {
    const { rounds, milliseconds, warmup } = run.quick
      ? { rounds: 2, milliseconds: 2, warmup: 5 }
      : { rounds: 9, milliseconds: 10, warmup: 60 }
    const names = Object.keys(CODECS) as CodecName[]
    const threads = names.map(
      (codec) => new Thread<CodecsOrder>(new URL('codecs.worker.js', import.meta.url), { codec } satisfies CodecsSetup),
    )
    const measured = new Map<string, CodecTimes[]>()
    try {
      for (const thread of threads) {
        for (const document of Object.keys(DOCUMENTS)) await thread.ask({ document, milliseconds: warmup })
      }
      for (let round = 0; round < rounds; round++) {
        run.progress(`round ${round + 1} of ${rounds}`)
        for (const document of Object.keys(DOCUMENTS)) {
          for (const [index, thread] of threads.entries()) {
            const name = `${names[index]} ${document}`
            const times = await thread.ask<CodecTimes>({ document, milliseconds })
            measured.set(name, [...(measured.get(name) ?? []), times])
          }
        }
      }
    } finally {
      await Promise.all(threads.map((thread) => thread.stop()))
    }
    const of = (codec: CodecName, document: string, what: keyof CodecTimes): number[] =>
      measured.get(`${codec} ${document}`)!.map((times) => times[what])
    const over = (document: string, what: keyof CodecTimes): number =>
      ratio(of('mapsafe', document, what), of('msgpackr', document, what))
    const table = (title: string, what: keyof CodecTimes, show: (value: number) => string): Table => ({
      title,
      columns: ['', ...names.map((name) => CODECS[name]), 'mapsafe / msgpackr'],
      rows: Object.keys(DOCUMENTS).map((document) => [
        document,
        ...names.map((name) => show(median(of(name, document, what)))),
        times(over(document, what)),
      ]),
    })
    return {
      tables: [
        table('Bytes', 'bytes', bytes),
        table('Encode', 'encode', duration),
        table('Decode and freeze', 'decode', duration),
      ],
      charts: [],
      verdicts: [
        atMost('V3', 'session: decode and freeze / msgpackr unpack and freeze', over('session', 'decode'), 0.35, times),
      ],
      omissions: [],
    }
  },
}
