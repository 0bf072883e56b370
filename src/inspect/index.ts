/** The entry `mapsafe/inspect`: inspects a map without taking part in it. */
export {
  Inspection,
  openInspection,
  type InspectedSettings,
  type InspectedStats,
  type InspectedThread,
  type InspectedVerification,
  type InspectionOptions,
} from './inspection.js'
export type { EntriesOptions, InspectedEntry, ValueKind } from './entries.js'
export { REGION_HEADER_BYTES, regionLength, regionMagic } from './regions.js'
export type { InspectedHandle, InspectionSource } from './source.js'
export type { SlicedOptions } from '../base/slices.js'
export type { HealthReport, Verdict, VerdictName } from './health.js'
export type { AttachedThread, Holding, ThreadState } from '../format/attached-threads.js'
export type { ContendedSegment, RegionStats, ShapeStats } from './stats.js'
export type { MemoryUse } from './memory.js'
export type { BreakerStats } from '../format/breaker-word.js'
export type { Counters } from '../format/counters.js'
export type { LoadTimes } from '../format/load-times.js'
export type { Waiting } from '../format/waiting.js'
export type { Key } from '../format/key.js'
export { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from '../base/errors.js'
