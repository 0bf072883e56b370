export { advanceClock } from './public/advance-clock.js'
export { ConcurrentCache } from './public/concurrent-cache.js'
export { ConcurrentMap, type VerifyReport } from './public/concurrent-map.js'
export { DELETE, type DeleteMarker } from './public/delete-marker.js'
export type { Key } from './format/key.js'
export { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from './base/errors.js'
export type { EngineChoice, RepairReport } from './engine/engine.js'
export type { CacheHandle, MapHandle } from './public/handle.js'
export type { MapSummary } from './public/inspect-form.js'
export type { HealthReport, Verdict, VerdictName } from './inspect/health.js'
export type { HotKey } from './store/near/hot-keys.js'
export type { IncrementOptions, MapIncrementOptions } from './public/increment.js'
export type { LifetimeOptions } from './public/lifetime.js'
export type { BreakerOptions } from './loads/breaker.js'
export type { LoadedPairs, ManyLoadContext, ManyLoader } from './loads/many.js'
export type { LoadContext, LoadDefaults, Loader, LoadOptions, StaleValue } from './loads/options.js'
export type { MapClass } from './public/opening.js'
export type {
  AttachOptions,
  CacheAttachOptions,
  ConcurrentCacheOptions,
  ConcurrentMapOptions,
  NearCacheOptions,
  OpenValues,
  OptionsFor,
} from './public/options.js'
export type { EventOrigin, GuardEvent, Loss, LostUpdateEvent } from './observe/channels.js'
export type { GuardName, GuardOptions } from './observe/guard/options.js'
export type { LostUpdateOptions } from './observe/lost-updates/options.js'
export type { AttachedThread, Holding, ThreadState } from './format/attached-threads.js'
export type { BreakerStats } from './format/breaker-word.js'
export type { Counters } from './format/counters.js'
export type { ContendedSegment, RegionStats, ShapeStats } from './inspect/stats.js'
export type { MemoryUse } from './inspect/memory.js'
export type { KeyChoice } from './store/key-choice.js'
export type { DetailedScanOptions, KeyScanOptions, KeyScanResult, ScanOptions, ScanResult } from './store/scan.js'
export type { SlicedOptions } from './base/slices.js'
export type { Snapshot } from './public/snapshot.js'
export type { Cloned, Returned } from './base/cloned.js'
export type { DeepReadonly } from './base/deep-readonly.js'
export type { CannotBeStored, Storable } from './base/storable.js'
export type { DetailedScanResult, MapEntry, MapStats } from './public/types.js'
