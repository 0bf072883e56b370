// The region format's constants. docs/internals/format.md explains each; src/format/layout.ts declares the same names,
// and test/region/layout.test.ts fails when the two files differ.
//
// Unless a name says bytes or blocks, an offset counts 32-bit words from the start of its structure.
#ifndef MAPSAFE_CORE_LAYOUT_H_
#define MAPSAFE_CORE_LAYOUT_H_

#include <cstdint>

namespace mapsafe {

// Units
inline constexpr std::uint32_t kBlockBytes = 16;
inline constexpr std::uint32_t kBlockWords = 4;
inline constexpr std::uint32_t kLineBytes = 64;
inline constexpr std::uint32_t kPageBytes = 4096;
inline constexpr std::uint32_t kPageBlocks = 256;
inline constexpr std::uint32_t kMinRegionBytes = 1048576;
inline constexpr std::uint32_t kMaxRegionBlocks = 1073741824;

// Header words
inline constexpr std::uint32_t kMagic = 0x4641534d;
inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr std::uint32_t kByteOrderMark = 0x1020304;
inline constexpr std::uint32_t kHeaderMagic = 0;
inline constexpr std::uint32_t kHeaderFormatVersion = 1;
inline constexpr std::uint32_t kHeaderByteOrder = 2;
inline constexpr std::uint32_t kHeaderState = 3;
inline constexpr std::uint32_t kHeaderBlockCount = 4;
inline constexpr std::uint32_t kHeaderPageTable = 7;
inline constexpr std::uint32_t kHeaderPageCount = 8;
inline constexpr std::uint32_t kHeaderHeap = 9;
inline constexpr std::uint32_t kHeaderClockOffset = 10;
inline constexpr std::uint32_t kHeaderEviction = 12;
inline constexpr std::uint32_t kHeaderFlags = 13;
inline constexpr std::uint32_t kHeaderFeatures = 14;
inline constexpr std::uint32_t kHeaderTakeover = 16;
inline constexpr std::uint32_t kHeaderDeaths = 18;
inline constexpr std::uint32_t kHeaderFileInode = 20;
inline constexpr std::uint32_t kHeaderFileBorn = 22;
inline constexpr std::uint32_t kHeaderTtlJitter = 24;
inline constexpr std::uint32_t kHeaderSlidingTtl = 26;
inline constexpr std::uint32_t kHeaderSlides = 28;
inline constexpr std::uint32_t kHeaderDirectory = 32;
inline constexpr std::uint32_t kHeaderDepartures = 33;
inline constexpr std::uint32_t kHeaderDefaultTtl = 34;
inline constexpr std::uint32_t kHeaderMaxEntries = 36;
inline constexpr std::uint32_t kHeaderClockAdvance = 38;
// Beyond the first 100 bytes, because Node.js shows those when a buffer is printed.
inline constexpr std::uint32_t kHeaderSecret0 = 40;
inline constexpr std::uint32_t kHeaderSecret1 = 41;
inline constexpr std::uint32_t kHeaderRecall = 42;
inline constexpr std::uint32_t kHeaderBell = 48;
inline constexpr std::uint32_t kHeaderDirectoryMutex = 64;
inline constexpr std::uint32_t kHeaderBreaker = 80;
inline constexpr std::uint32_t kHeaderBreakerCounts = 82;
inline constexpr std::uint32_t kHeaderBreakerOpened = 84;
inline constexpr std::uint32_t kHeaderSegmentCount = 96;
inline constexpr std::uint32_t kHeaderReliefLimit = 97;
inline constexpr std::uint32_t kReliefPart = 16;
inline constexpr std::uint32_t kHeaderGoneSegments = 98;
inline constexpr std::uint32_t kHeaderLeavingSegments = 99;
inline constexpr std::uint32_t kHeaderGoneChunks = 100;
inline constexpr std::uint32_t kHeaderLeavingChunks = 101;
inline constexpr std::uint32_t kHeaderInvalidations = 102;
// Which thread exports the map's metrics, of those that leave it to one.
inline constexpr std::uint32_t kHeaderExporter = 104;
inline constexpr std::uint32_t kHeaderLabelTables = 85;
inline constexpr std::uint32_t kHeaderSweepTick = 112;
inline constexpr std::uint32_t kHeaderClockStart = 114;
inline constexpr std::uint32_t kHeaderClockBoot = 116;
inline constexpr std::uint32_t kHeaderClockSteps = 118;
inline constexpr std::uint32_t kHeaderHeapMutex = 128;
inline constexpr std::uint32_t kHeaderHeapTop = 160;
inline constexpr std::uint32_t kHeaderPagesInUse = 161;
inline constexpr std::uint32_t kHeaderJournalLength = 162;
inline constexpr std::uint32_t kHeaderRunBins = 176;
inline constexpr std::uint32_t kHeaderPartialSpans = 208;
inline constexpr std::uint32_t kHeaderShapeCount = 288;
inline constexpr std::uint32_t kHeaderShapeNewest = 289;
inline constexpr std::uint32_t kHeaderShapeLimit = 290;
inline constexpr std::uint32_t kHeaderShapeChildren = 291;
inline constexpr std::uint32_t kHeaderShapeMutex = 292;
inline constexpr std::uint32_t kHeaderShapeRefusals = 293;
inline constexpr std::uint32_t kHeaderShapeChunks = 294;
// A line of its own, which nobody writes to while nobody watches.
inline constexpr std::uint32_t kHeaderFeedWatched = 304;
inline constexpr std::uint32_t kHeaderFeed = 305;
inline constexpr std::uint32_t kHeaderFeedMutex = 306;
inline constexpr std::uint32_t kHeaderFeedHead = 307;
inline constexpr std::uint32_t kHeaderFeedReserved = 308;
inline constexpr std::uint32_t kHeaderFeedLaps = 309;
inline constexpr std::uint32_t kHeaderFeedLost = 310;
inline constexpr std::uint32_t kHeaderFeedWait = 311;
inline constexpr std::uint32_t kHeaderJournal = 320;
inline constexpr std::uint32_t kJournalCapacity = 352;
inline constexpr std::uint32_t kStateReady = 1;
inline constexpr std::uint32_t kFlagCache = 1;
inline constexpr std::uint32_t kFeatureJoins = 1;
inline constexpr std::uint32_t kFeatureFeed = 2;
inline constexpr std::uint32_t kFeatureLabels = 4;
inline constexpr std::uint32_t kKnownFeatures = 7;

// Thread registry
inline constexpr std::uint32_t kRegistryBlock = 256;
inline constexpr std::uint32_t kRegistryThreads = 128;
inline constexpr std::uint32_t kThreadWords = 256;
inline constexpr std::uint32_t kThreadState = 0;
inline constexpr std::uint32_t kThreadIncarnation = 1;
inline constexpr std::uint32_t kThreadPid = 2;
inline constexpr std::uint32_t kThreadId = 3;
inline constexpr std::uint32_t kThreadEngine = 4;
inline constexpr std::uint32_t kThreadKernelId = 6;
inline constexpr std::uint32_t kThreadNamespace = 8;
// Waits for other threads in which the thread slept, two words.
inline constexpr std::uint32_t kThreadLockWaits = 10;
// What the thread sleeps for, if it sleeps: since when, where that is, and what.
inline constexpr std::uint32_t kThreadWaitSince = 12;
inline constexpr std::uint32_t kThreadWaitAt = 14;
inline constexpr std::uint32_t kThreadWaitFor = 15;
inline constexpr std::uint32_t kThreadClaim = 16;
inline constexpr std::uint32_t kThreadSizeDelta = 17;
inline constexpr std::uint32_t kThreadWriteSlot = 18;
inline constexpr std::uint32_t kThreadWriteReference = 19;
inline constexpr std::uint32_t kThreadWriteVersion = 20;
inline constexpr std::uint32_t kThreadWriteSize = 21;
inline constexpr std::uint32_t kThreadWaiting = 22;
inline constexpr std::uint32_t kThreadOwed = 23;
inline constexpr std::uint32_t kThreadHasExcess = 24;
inline constexpr std::uint32_t kThreadSleeps = 25;
inline constexpr std::uint32_t kThreadEmptying = 26;
inline constexpr std::uint32_t kThreadDepartures = 27;
inline constexpr std::uint32_t kWaitsForLock = 0;
inline constexpr std::uint32_t kWaitsForBucket = 1;
inline constexpr std::uint32_t kWaitsForWrite = 2;
inline constexpr std::uint32_t kWaitsForOthers = 3;
inline constexpr std::uint32_t kSleepsForMoving = 1;
inline constexpr std::uint32_t kSleepsForStalled = 2;
inline constexpr std::uint32_t kThreadFence = 32;
inline constexpr std::uint32_t kThreadWatches = 33;
// Counts of the region's load times, two words each, whoever has the record.
inline constexpr std::uint32_t kThreadLoadTimes = 34;
inline constexpr std::uint32_t kThreadLoadTimeCounts = 7;
inline constexpr std::uint32_t kThreadWaits = 48;
inline constexpr std::uint32_t kThreadWaitWords = 16;
inline constexpr std::uint32_t kThreadFreeHeads = 64;
inline constexpr std::uint32_t kThreadFreeCounts = 144;
inline constexpr std::uint32_t kThreadCounters = 224;
inline constexpr std::uint32_t kClaimAll = 0x7fffffff;
inline constexpr std::uint32_t kThreadFree = 0;
inline constexpr std::uint32_t kThreadAttached = 1;
inline constexpr std::uint32_t kThreadAbandoned = 2;
inline constexpr std::uint32_t kEngineNative = 1;
inline constexpr std::uint32_t kEngineTypescript = 2;

// Counters of a thread, two words each
inline constexpr std::uint32_t kCounterHits = 0;
inline constexpr std::uint32_t kCounterMisses = 1;
inline constexpr std::uint32_t kCounterNearHits = 2;
inline constexpr std::uint32_t kCounterNearRefreshed = 3;
inline constexpr std::uint32_t kCounterNearMisses = 4;
inline constexpr std::uint32_t kCounterLoads = 5;
inline constexpr std::uint32_t kCounterLoadFailures = 6;
inline constexpr std::uint32_t kCounterEvictedSize = 7;
inline constexpr std::uint32_t kCounterExpired = 8;
inline constexpr std::uint32_t kCounterReplaced = 9;
inline constexpr std::uint32_t kCounterDeleted = 10;
inline constexpr std::uint32_t kCounterAdmitted = 11;
inline constexpr std::uint32_t kCounterRejected = 12;
inline constexpr std::uint32_t kCounterLostUpdates = 13;
inline constexpr std::uint32_t kCounterStaleOnError = 14;
inline constexpr std::uint32_t kCounterLoadsRefused = 15;

// Directory
inline constexpr std::uint32_t kDirectoryDepth = 0;
inline constexpr std::uint32_t kDirectoryPrevious = 1;
inline constexpr std::uint32_t kDirectoryEntries = 4;
inline constexpr std::uint32_t kMaxDepth = 24;

// Segment
inline constexpr std::uint32_t kSegmentBytes = 4608;
inline constexpr std::uint32_t kSegmentMutex = 0;
inline constexpr std::uint32_t kSegmentDepth = 32;
inline constexpr std::uint32_t kSegmentPrefix = 33;
inline constexpr std::uint32_t kSegmentMoves = 34;
inline constexpr std::uint32_t kSegmentTombstones = 48;
inline constexpr std::uint32_t kSegmentContention = 49;
inline constexpr std::uint32_t kSegmentOperations = 50;
inline constexpr std::uint32_t kSegmentWindow = 51;
inline constexpr std::uint32_t kSegmentExpiry = 52;
inline constexpr std::uint32_t kSegmentNext = 53;
inline constexpr std::uint32_t kSegmentParted = 54;
inline constexpr std::uint32_t kSegmentLabelled = 55;
inline constexpr std::uint32_t kSegmentBuckets = 64;
inline constexpr std::uint32_t kHomeBuckets = 64;
inline constexpr std::uint32_t kStashBuckets = 4;
inline constexpr std::uint32_t kAllBuckets = 68;

// Bucket
inline constexpr std::uint32_t kBucketWords = 16;
inline constexpr std::uint32_t kBucketVersion = 0;
inline constexpr std::uint32_t kBucketEpoch = 1;
inline constexpr std::uint32_t kBucketTags = 2;
inline constexpr std::uint32_t kBucketSlots = 5;
inline constexpr std::uint32_t kSlotsPerBucket = 11;
inline constexpr std::uint32_t kOverflowShift = 24;
inline constexpr std::uint32_t kNeighbourMask = 0xf;
inline constexpr std::uint32_t kStashShift = 4;
inline constexpr std::uint32_t kStashSaturated = 15;
inline constexpr std::uint32_t kTombstone = 0x80000000;

// Entry
inline constexpr std::uint32_t kEntryHash = 0;
inline constexpr std::uint32_t kEntryMeta = 1;
inline constexpr std::uint32_t kEntryValueLength = 2;
inline constexpr std::uint32_t kEntryVersion = 3;
inline constexpr std::uint32_t kEntryNode = 5;
inline constexpr std::uint32_t kLabelCountShift = 21;
inline constexpr std::uint32_t kEntryData = 6;
inline constexpr std::uint32_t kEntryHeaderBytes = 24;
inline constexpr std::uint32_t kKeyLengthBits = 20;
inline constexpr std::uint32_t kKeyKindShift = 20;
inline constexpr std::uint32_t kKeyKindMask = 7;
inline constexpr std::uint32_t kValueKindShift = 23;
inline constexpr std::uint32_t kValueKindMask = 31;
inline constexpr std::uint32_t kEntryExpires = 0x10000000;
inline constexpr std::uint32_t kEntryStale = 0x20000000;
inline constexpr std::uint32_t kEntryCounter = 0x40000000;
inline constexpr std::uint32_t kEntrySecondCell = 0x80000000;
inline constexpr std::uint32_t kCounterSecondValue = 2;
inline constexpr std::uint32_t kCounterSecondVersion = 4;
inline constexpr std::uint32_t kCounterWords = 6;
inline constexpr std::uint32_t kExpiryWords = 2;
inline constexpr std::uint32_t kLabelWords = 2;
inline constexpr std::uint32_t kMaxEntryLabels = 40;
inline constexpr std::uint32_t kExpiryTickMs = 1024;
inline constexpr std::uint32_t kMaxKeyBytes = 1048575;

// Labels (docs/internals/format.md, "Labels")
inline constexpr std::uint32_t kLabelLevels = 11;
inline constexpr std::uint32_t kSharedMarks = 1024;
inline constexpr std::uint32_t kFirstLabelTableBytes = 16384;
inline constexpr std::uint32_t kLabelSlotWords = 8;
inline constexpr std::uint32_t kLabelGeneration = 0;
inline constexpr std::uint32_t kLabelDigest = 1;
inline constexpr std::uint32_t kLabelDigestWords = 6;
inline constexpr std::uint32_t kLabelProbes = 16;
inline constexpr std::uint32_t kLabelTablePart = 16;
inline constexpr std::uint32_t kLabelRetired = 0xffffffff;

// Key kinds
inline constexpr std::uint32_t kKeyLatin1 = 1;
inline constexpr std::uint32_t kKeyUtf16 = 2;
inline constexpr std::uint32_t kKeyNumber = 3;
inline constexpr std::uint32_t kKeyBigint = 4;
inline constexpr std::uint32_t kKeyBoolean = 5;
inline constexpr std::uint32_t kKeyBytes = 6;

// Value kinds
inline constexpr std::uint32_t kValueUndefined = 1;
inline constexpr std::uint32_t kValueNull = 2;
inline constexpr std::uint32_t kValueFalse = 3;
inline constexpr std::uint32_t kValueTrue = 4;
inline constexpr std::uint32_t kValueNumber = 5;
inline constexpr std::uint32_t kValueLatin1 = 6;
inline constexpr std::uint32_t kValueUtf16 = 7;
inline constexpr std::uint32_t kValueBigint = 8;
inline constexpr std::uint32_t kValueBytes = 9;
inline constexpr std::uint32_t kValuePlain = 10;
inline constexpr std::uint32_t kValueClone = 11;
inline constexpr std::uint32_t kValueLease = 12;
inline constexpr std::uint32_t kValueLapsedLease = 13;

// Heap
inline constexpr std::uint32_t kSizeClasses = 80;
inline constexpr std::uint32_t kExactClasses = 32;
inline constexpr std::uint32_t kMaxClassBlocks = 2048;
inline constexpr std::uint32_t kMinSpanPages = 4;
inline constexpr std::uint32_t kMinSpanBlocks = 8;
inline constexpr std::uint32_t kReservePart = 8;
inline constexpr std::uint32_t kMinReservePages = 64;
inline constexpr std::uint32_t kRunBinCount = 24;
inline constexpr std::uint32_t kPageEntryWords = 8;
inline constexpr std::uint32_t kPageKind = 0;
inline constexpr std::uint32_t kPageRun = 1;
inline constexpr std::uint32_t kPageNext = 2;
inline constexpr std::uint32_t kPagePrevious = 3;
inline constexpr std::uint32_t kPageFreeHead = 4;
inline constexpr std::uint32_t kPageFreeCount = 5;
inline constexpr std::uint32_t kPageCarved = 6;
inline constexpr std::uint32_t kPageClosed = 7;
inline constexpr std::uint32_t kPageInside = 0;
inline constexpr std::uint32_t kPageFreeRun = 1;
inline constexpr std::uint32_t kPageSpan = 2;
inline constexpr std::uint32_t kPageSpanLater = 3;
inline constexpr std::uint32_t kPageLargeRun = 4;
inline constexpr std::uint32_t kPageFreeRunEnd = 5;
inline constexpr std::uint32_t kPageClassShift = 8;

// Change feed
inline constexpr std::uint32_t kFeedPart = 64;
inline constexpr std::uint32_t kMinFeedBytes = 16384;
inline constexpr std::uint32_t kMaxFeedBytes = 1048576;
inline constexpr std::uint32_t kMaxFeedKeyBytes = 1024;
inline constexpr std::uint32_t kChangeHash = 0;
inline constexpr std::uint32_t kChangeMeta = 1;
inline constexpr std::uint32_t kChangeVersion = 2;
inline constexpr std::uint32_t kChangeKey = 4;
inline constexpr std::uint32_t kChangeCauseShift = 23;
inline constexpr std::uint32_t kCauseSet = 1;
inline constexpr std::uint32_t kCauseDeleted = 2;
inline constexpr std::uint32_t kCauseExpired = 3;
inline constexpr std::uint32_t kCauseEvicted = 4;
inline constexpr std::uint32_t kCauseCleared = 5;
// Its key is the name of a label.
inline constexpr std::uint32_t kCauseInvalidated = 6;

// Cache area (docs/internals/format.md, "Eviction")
inline constexpr std::uint32_t kCachePartitionCount = 0;
inline constexpr std::uint32_t kCacheReserveMutex = 16;
inline constexpr std::uint32_t kCachePartitions = 32;
inline constexpr std::uint32_t kPartitionWords = 96;
inline constexpr std::uint32_t kPartitionMutex = 0;
inline constexpr std::uint32_t kPartitionUseClock = 32;
inline constexpr std::uint32_t kPartitionLimit = 48;
inline constexpr std::uint32_t kPartitionMisses = 49;
inline constexpr std::uint32_t kPartitionColdShare = 50;
inline constexpr std::uint32_t kPartitionHasEvicted = 51;
inline constexpr std::uint32_t kPartitionFreeNodes = 52;
inline constexpr std::uint32_t kPartitionCold = 53;
inline constexpr std::uint32_t kPartitionMain = 56;
inline constexpr std::uint32_t kPartitionChunks = 59;
inline constexpr std::uint32_t kPartitionNodes = 60;
inline constexpr std::uint32_t kPartitionGhosts = 61;
inline constexpr std::uint32_t kPartitionGhostBuckets = 62;
inline constexpr std::uint32_t kPartitionGhostCounts = 63;
inline constexpr std::uint32_t kPartitionFirstPages = 65;
inline constexpr std::uint32_t kPartitionColdGrowths = 66;
inline constexpr std::uint32_t kQueueOldest = 0;
inline constexpr std::uint32_t kQueueNewest = 1;
inline constexpr std::uint32_t kQueueSize = 2;
inline constexpr std::uint32_t kNodeBytes = 32;
inline constexpr std::uint32_t kNodeHash = 0;
inline constexpr std::uint32_t kNodeStamp = 1;
inline constexpr std::uint32_t kNodeRecorded = 2;
inline constexpr std::uint32_t kNodeNext = 3;
inline constexpr std::uint32_t kNodePrevious = 4;
inline constexpr std::uint32_t kNodeState = 5;
inline constexpr std::uint32_t kNodeDemoted = 6;
inline constexpr std::uint32_t kNodeOwner = 7;
inline constexpr std::uint32_t kNodeFree = 0;
inline constexpr std::uint32_t kNodeInCold = 1;
inline constexpr std::uint32_t kNodeInColdDemoted = 2;
inline constexpr std::uint32_t kNodeInMain = 3;
inline constexpr std::uint32_t kChunkNext = 0;
inline constexpr std::uint32_t kChunkNodes = 1;
inline constexpr std::uint32_t kGhostsPerBucket = 8;
inline constexpr std::uint32_t kGhostWords = 2;
inline constexpr std::uint32_t kGhostTag = 0;
inline constexpr std::uint32_t kGhostTicks = 1;
inline constexpr std::uint32_t kColdShareOne = 65536;
inline constexpr std::uint32_t kInitialColdShare = 6554;

// Shapes (docs/internals/format.md, "Shapes")
inline constexpr std::uint32_t kShapeChunks = 9;
inline constexpr std::uint32_t kFirstChunkShapes = 64;
inline constexpr std::uint32_t kMaxShapes = 16384;
inline constexpr std::uint32_t kMinShapes = 256;
inline constexpr std::uint32_t kShapeRegionBytes = 4096;
inline constexpr std::uint32_t kMinShapeChildren = 32;
inline constexpr std::uint32_t kShapeChildrenPart = 64;
inline constexpr std::uint32_t kShapeBytes = 32;
inline constexpr std::uint32_t kShapeWords = 4;
inline constexpr std::uint32_t kShapeParent = 0;
inline constexpr std::uint32_t kShapeSibling = 1;
inline constexpr std::uint32_t kShapeNewest = 2;
inline constexpr std::uint32_t kShapeName = 3;
inline constexpr std::uint32_t kShapeNameBytes = 256;
inline constexpr std::uint32_t kNamePlaceMask = 0xffff;
inline constexpr std::uint32_t kNameChunkShift = 16;
inline constexpr std::uint32_t kNameChunkMask = 15;
inline constexpr std::uint32_t kNameLengthShift = 20;
inline constexpr std::uint32_t kNameLengthMask = 1023;
inline constexpr std::uint32_t kNameKindShift = 30;

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LAYOUT_H_
