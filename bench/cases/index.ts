import type { Case } from '../harness/case.js'
import { chosenKeys } from './chosen-keys.js'
import { codecs } from './codecs.js'
import { collection } from './collection.js'
import { core } from './core.js'
import { decoding } from './decoding.js'
import { demo } from './demo.js'
import { eviction } from './eviction.js'
import { manyReads } from './get-many.js'
import { growth } from './growth.js'
import { guards } from './guards.js'
import { historiesCase } from './histories.js'
import { hitRatios } from './hit-ratio.js'
import { hotCounter } from './hot-counter.js'
import { hotShard } from './hot-shard.js'
import { memory } from './memory.js'
import { mixes } from './mixes.js'
import { nearHits } from './near-hits.js'
import { nearObjects } from './near-objects.js'
import { padding } from './padding.js'
import { reads } from './reads.js'
import { snapshot } from './snapshot.js'
import { sessionMemory } from './session-memory.js'
import { stampede } from './stampede.js'
import { values } from './values.js'
import { waking } from './waking.js'
import { wholeMap } from './whole-map.js'
import { writes } from './writes.js'

/** Every benchmark, in the order in which they run and are reported. */
export const cases: readonly Case[] = [
  reads,
  nearHits,
  writes,
  mixes,
  hotShard,
  hotCounter,
  growth,
  snapshot,
  wholeMap,
  stampede,
  waking,
  eviction,
  collection,
  memory,
  historiesCase,
  decoding,
  hitRatios,
  core,
  padding,
  chosenKeys,
  values,
  codecs,
  sessionMemory,
  nearObjects,
  manyReads,
  guards,
  demo,
]
