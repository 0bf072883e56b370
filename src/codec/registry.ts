import { VALUE_KIND_MASK } from '../format/layout.js'
import { bigint } from './bigint/codec.js'
import { bytes } from './bytes/codec.js'
import { clone } from './clone/codec.js'
import type { Codec, CodecContext, CodecRow, ValueType } from './codec.js'
import { immediate } from './immediate/codec.js'
import { plain } from './plain/codec.js'

/** All codecs, in the order in which a value is offered to them. */
export const CODECS: readonly CodecRow[] = [immediate, bigint, bytes, plain, clone]

/** The codecs of one context. */
export interface OpenCodecs {
  /** Codecs by value kind; undefined for kinds without a codec. */
  readonly byKind: readonly (Codec | undefined)[]
  /** Codecs by `typeof`: those that such a value is offered to. */
  readonly byType: Readonly<Record<ValueType, readonly Codec[]> & Record<'function' | 'symbol', readonly Codec[]>>
}

/** Makes a codec of each row. */
export function openCodecs(rows: readonly CodecRow[], context: CodecContext): OpenCodecs {
  const byKind = new Array<Codec | undefined>(VALUE_KIND_MASK + 1).fill(undefined)
  const byType: Record<keyof OpenCodecs['byType'], Codec[]> = {
    ...{ undefined: [], boolean: [], number: [], string: [], bigint: [], object: [], function: [], symbol: [] },
  }
  for (const row of rows) {
    const codec = row.open(context)
    for (const kind of row.kinds) byKind[kind] = codec
    for (const type of row.types) byType[type].push(codec)
  }
  return { byKind, byType }
}
