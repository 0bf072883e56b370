/**
 * The region format's constants. docs/internals/format.md explains each; native/core/base/layout.h declares the same names, and
 * test/region/layout.test.ts fails when the two files differ.
 *
 * Unless a name says bytes or blocks, an offset counts 32-bit words from the start of its structure.
 */

// Units
export const BLOCK_BYTES = 16
export const BLOCK_WORDS = 4
export const LINE_BYTES = 64
export const PAGE_BYTES = 4096
export const PAGE_BLOCKS = 256
export const MIN_REGION_BYTES = 1048576
export const MAX_REGION_BLOCKS = 1073741824

// Header words
export const MAGIC = 0x4641534d
export const FORMAT_VERSION = 2
export const BYTE_ORDER_MARK = 0x1020304
export const HEADER_MAGIC = 0
export const HEADER_FORMAT_VERSION = 1
export const HEADER_BYTE_ORDER = 2
export const HEADER_STATE = 3
export const HEADER_BLOCK_COUNT = 4
export const HEADER_PAGE_TABLE = 7
export const HEADER_PAGE_COUNT = 8
export const HEADER_HEAP = 9
export const HEADER_CLOCK_OFFSET = 10
export const HEADER_EVICTION = 12
export const HEADER_FLAGS = 13
export const HEADER_FEATURES = 14
export const HEADER_TAKEOVER = 16
export const HEADER_DEATHS = 18
export const HEADER_FILE_INODE = 20
export const HEADER_FILE_BORN = 22
export const HEADER_TTL_JITTER = 24
export const HEADER_SLIDING_TTL = 26
export const HEADER_SLIDES = 28
export const HEADER_DIRECTORY = 32
export const HEADER_DEPARTURES = 33
export const HEADER_DEFAULT_TTL = 34
export const HEADER_MAX_ENTRIES = 36
export const HEADER_CLOCK_ADVANCE = 38
/** The secret lies beyond the first 100 bytes, which Node.js shows when a buffer is printed. */
export const HEADER_SECRET_0 = 40
export const HEADER_SECRET_1 = 41
export const HEADER_RECALL = 42
export const HEADER_BELL = 48
export const HEADER_DIRECTORY_MUTEX = 64
export const HEADER_BREAKER = 80
export const HEADER_BREAKER_COUNTS = 82
export const HEADER_BREAKER_OPENED = 84
export const HEADER_SEGMENT_COUNT = 96
export const HEADER_RELIEF_LIMIT = 97
export const RELIEF_PART = 16
export const HEADER_GONE_SEGMENTS = 98
export const HEADER_LEAVING_SEGMENTS = 99
export const HEADER_GONE_CHUNKS = 100
export const HEADER_LEAVING_CHUNKS = 101
export const HEADER_INVALIDATIONS = 102
/** Which thread exports the map's metrics, of those that leave it to one. */
export const HEADER_EXPORTER = 104
export const HEADER_LABEL_TABLES = 85
export const HEADER_SWEEP_TICK = 112
export const HEADER_CLOCK_START = 114
export const HEADER_CLOCK_BOOT = 116
export const HEADER_CLOCK_STEPS = 118
export const HEADER_HEAP_MUTEX = 128
export const HEADER_HEAP_TOP = 160
export const HEADER_PAGES_IN_USE = 161
export const HEADER_JOURNAL_LENGTH = 162
export const HEADER_RUN_BINS = 176
export const HEADER_PARTIAL_SPANS = 208
export const HEADER_SHAPE_COUNT = 288
export const HEADER_SHAPE_NEWEST = 289
export const HEADER_SHAPE_LIMIT = 290
export const HEADER_SHAPE_CHILDREN = 291
export const HEADER_SHAPE_MUTEX = 292
export const HEADER_SHAPE_REFUSALS = 293
export const HEADER_SHAPE_CHUNKS = 294
// A line of its own, which nobody writes to while nobody watches.
export const HEADER_FEED_WATCHED = 304
export const HEADER_FEED = 305
export const HEADER_FEED_MUTEX = 306
export const HEADER_FEED_HEAD = 307
export const HEADER_FEED_RESERVED = 308
export const HEADER_FEED_LAPS = 309
export const HEADER_FEED_LOST = 310
export const HEADER_FEED_WAIT = 311
export const HEADER_JOURNAL = 320
export const JOURNAL_CAPACITY = 352
export const STATE_READY = 1
export const FLAG_CACHE = 1
export const FEATURE_JOINS = 1
export const FEATURE_FEED = 2
export const FEATURE_LABELS = 4
export const KNOWN_FEATURES = 7

// Thread registry
export const REGISTRY_BLOCK = 256
export const REGISTRY_THREADS = 128
export const THREAD_WORDS = 256
export const THREAD_STATE = 0
export const THREAD_INCARNATION = 1
export const THREAD_PID = 2
export const THREAD_ID = 3
export const THREAD_ENGINE = 4
export const THREAD_KERNEL_ID = 6
export const THREAD_NAMESPACE = 8
/** Waits for other threads in which the thread slept, two words. */
export const THREAD_LOCK_WAITS = 10
/** What the thread sleeps for, if it sleeps: since when, where that is, and what. */
export const THREAD_WAIT_SINCE = 12
export const THREAD_WAIT_AT = 14
export const THREAD_WAIT_FOR = 15
export const THREAD_CLAIM = 16
export const THREAD_SIZE_DELTA = 17
export const THREAD_WRITE_SLOT = 18
export const THREAD_WRITE_REFERENCE = 19
export const THREAD_WRITE_VERSION = 20
export const THREAD_WRITE_SIZE = 21
export const THREAD_WAITING = 22
/** Blocks and page runs that the thread freed, but could not give back yet; see docs/internals/format.md. */
export const THREAD_OWED = 23
export const THREAD_HAS_EXCESS = 24
/** Whether the thread sleeps because it waits for another, and whether that other thread does anything. */
export const THREAD_SLEEPS = 25
export const THREAD_EMPTYING = 26
export const THREAD_DEPARTURES = 27
export const WAITS_FOR_LOCK = 0
export const WAITS_FOR_BUCKET = 1
export const WAITS_FOR_WRITE = 2
export const WAITS_FOR_OTHERS = 3
export const SLEEPS_FOR_MOVING = 1
export const SLEEPS_FOR_STALLED = 2
export const THREAD_FENCE = 32
export const THREAD_WATCHES = 33
/** Counts of the region's load times, two words each, whoever has the record. */
export const THREAD_LOAD_TIMES = 34
export const THREAD_LOAD_TIME_COUNTS = 7
export const THREAD_WAITS = 48
export const THREAD_WAIT_WORDS = 16
export const THREAD_FREE_HEADS = 64
export const THREAD_FREE_COUNTS = 144
export const THREAD_COUNTERS = 224
export const CLAIM_ALL = 0x7fffffff
export const THREAD_FREE = 0
export const THREAD_ATTACHED = 1
export const THREAD_ABANDONED = 2
export const ENGINE_NATIVE = 1
export const ENGINE_TYPESCRIPT = 2

// Counters of a thread, of two words each
export const COUNTER_HITS = 0
export const COUNTER_MISSES = 1
export const COUNTER_NEAR_HITS = 2
export const COUNTER_NEAR_REFRESHED = 3
export const COUNTER_NEAR_MISSES = 4
export const COUNTER_LOADS = 5
export const COUNTER_LOAD_FAILURES = 6
export const COUNTER_EVICTED_SIZE = 7
export const COUNTER_EXPIRED = 8
export const COUNTER_REPLACED = 9
export const COUNTER_DELETED = 10
export const COUNTER_ADMITTED = 11
export const COUNTER_REJECTED = 12
export const COUNTER_LOST_UPDATES = 13
export const COUNTER_STALE_ON_ERROR = 14
export const COUNTER_LOADS_REFUSED = 15

// Directory
export const DIRECTORY_DEPTH = 0
export const DIRECTORY_PREVIOUS = 1
export const DIRECTORY_ENTRIES = 4
export const MAX_DEPTH = 24

// Segment
export const SEGMENT_BYTES = 4608
export const SEGMENT_MUTEX = 0
export const SEGMENT_DEPTH = 32
export const SEGMENT_PREFIX = 33
export const SEGMENT_MOVES = 34
export const SEGMENT_TOMBSTONES = 48
export const SEGMENT_CONTENTION = 49
export const SEGMENT_OPERATIONS = 50
export const SEGMENT_WINDOW = 51
export const SEGMENT_EXPIRY = 52
export const SEGMENT_NEXT = 53
export const SEGMENT_PARTED = 54
export const SEGMENT_LABELLED = 55
export const SEGMENT_BUCKETS = 64
export const HOME_BUCKETS = 64
export const STASH_BUCKETS = 4
export const ALL_BUCKETS = 68

// Bucket
export const BUCKET_WORDS = 16
export const BUCKET_VERSION = 0
export const BUCKET_EPOCH = 1
export const BUCKET_TAGS = 2
export const BUCKET_SLOTS = 5
export const SLOTS_PER_BUCKET = 11
export const OVERFLOW_SHIFT = 24
export const NEIGHBOUR_MASK = 0xf
export const STASH_SHIFT = 4
export const STASH_SATURATED = 15
export const TOMBSTONE = 0x80000000

// Entry
export const ENTRY_HASH = 0
export const ENTRY_META = 1
export const ENTRY_VALUE_LENGTH = 2
export const ENTRY_VERSION = 3
export const ENTRY_NODE = 5
export const LABEL_COUNT_SHIFT = 21
export const ENTRY_DATA = 6
export const ENTRY_HEADER_BYTES = 24
export const KEY_LENGTH_BITS = 20
export const KEY_KIND_SHIFT = 20
export const KEY_KIND_MASK = 7
export const VALUE_KIND_SHIFT = 23
export const VALUE_KIND_MASK = 31
export const ENTRY_EXPIRES = 0x10000000
export const ENTRY_STALE = 0x20000000
export const ENTRY_COUNTER = 0x40000000
export const ENTRY_SECOND_CELL = 0x80000000
export const COUNTER_SECOND_VALUE = 2
export const COUNTER_SECOND_VERSION = 4
export const COUNTER_WORDS = 6
export const EXPIRY_WORDS = 2
export const LABEL_WORDS = 2
export const MAX_ENTRY_LABELS = 40
export const EXPIRY_TICK_MS = 1024
export const MAX_KEY_BYTES = 1048575

// Labels (docs/internals/format.md, "Labels")
export const LABEL_LEVELS = 11
export const SHARED_MARKS = 1024
export const FIRST_LABEL_TABLE_BYTES = 16384
export const LABEL_SLOT_WORDS = 8
export const LABEL_GENERATION = 0
export const LABEL_DIGEST = 1
export const LABEL_DIGEST_WORDS = 6
export const LABEL_PROBES = 16
export const LABEL_TABLE_PART = 16
export const LABEL_RETIRED = 0xffffffff

// Key kinds
export const KEY_LATIN1 = 1
export const KEY_UTF16 = 2
export const KEY_NUMBER = 3
export const KEY_BIGINT = 4
export const KEY_BOOLEAN = 5
export const KEY_BYTES = 6

// Value kinds
export const VALUE_UNDEFINED = 1
export const VALUE_NULL = 2
export const VALUE_FALSE = 3
export const VALUE_TRUE = 4
export const VALUE_NUMBER = 5
export const VALUE_LATIN1 = 6
export const VALUE_UTF16 = 7
export const VALUE_BIGINT = 8
export const VALUE_BYTES = 9
export const VALUE_PLAIN = 10
export const VALUE_CLONE = 11
export const VALUE_LEASE = 12
export const VALUE_LAPSED_LEASE = 13

// Heap
export const SIZE_CLASSES = 80
export const EXACT_CLASSES = 32
export const MAX_CLASS_BLOCKS = 2048
export const MIN_SPAN_PAGES = 4
export const MIN_SPAN_BLOCKS = 8
export const RESERVE_PART = 8
export const MIN_RESERVE_PAGES = 64
export const RUN_BIN_COUNT = 24
export const PAGE_ENTRY_WORDS = 8
export const PAGE_KIND = 0
export const PAGE_RUN = 1
export const PAGE_NEXT = 2
export const PAGE_PREVIOUS = 3
export const PAGE_FREE_HEAD = 4
export const PAGE_FREE_COUNT = 5
export const PAGE_CARVED = 6
export const PAGE_CLOSED = 7
export const PAGE_INSIDE = 0
export const PAGE_FREE_RUN = 1
export const PAGE_SPAN = 2
export const PAGE_SPAN_LATER = 3
export const PAGE_LARGE_RUN = 4
export const PAGE_FREE_RUN_END = 5
export const PAGE_CLASS_SHIFT = 8

// Change feed
export const FEED_PART = 64
export const MIN_FEED_BYTES = 16384
export const MAX_FEED_BYTES = 1048576
export const MAX_FEED_KEY_BYTES = 1024
export const CHANGE_HASH = 0
export const CHANGE_META = 1
export const CHANGE_VERSION = 2
export const CHANGE_KEY = 4
export const CHANGE_CAUSE_SHIFT = 23
export const CAUSE_SET = 1
export const CAUSE_DELETED = 2
export const CAUSE_EXPIRED = 3
export const CAUSE_EVICTED = 4
export const CAUSE_CLEARED = 5
/** The key is the name of a label. */
export const CAUSE_INVALIDATED = 6

// Cache area (docs/internals/format.md, "Eviction")
export const CACHE_PARTITION_COUNT = 0
export const CACHE_RESERVE_MUTEX = 16
export const CACHE_PARTITIONS = 32
export const PARTITION_WORDS = 96
export const PARTITION_MUTEX = 0
export const PARTITION_USE_CLOCK = 32
export const PARTITION_LIMIT = 48
export const PARTITION_MISSES = 49
export const PARTITION_COLD_SHARE = 50
export const PARTITION_HAS_EVICTED = 51
export const PARTITION_FREE_NODES = 52
export const PARTITION_COLD = 53
export const PARTITION_MAIN = 56
export const PARTITION_CHUNKS = 59
export const PARTITION_NODES = 60
export const PARTITION_GHOSTS = 61
export const PARTITION_GHOST_BUCKETS = 62
export const PARTITION_GHOST_COUNTS = 63
export const PARTITION_FIRST_PAGES = 65
export const PARTITION_COLD_GROWTHS = 66
export const QUEUE_OLDEST = 0
export const QUEUE_NEWEST = 1
export const QUEUE_SIZE = 2
export const NODE_BYTES = 32
export const NODE_HASH = 0
export const NODE_STAMP = 1
export const NODE_RECORDED = 2
export const NODE_NEXT = 3
export const NODE_PREVIOUS = 4
export const NODE_STATE = 5
export const NODE_DEMOTED = 6
export const NODE_OWNER = 7
export const NODE_FREE = 0
export const NODE_IN_COLD = 1
export const NODE_IN_COLD_DEMOTED = 2
export const NODE_IN_MAIN = 3
export const CHUNK_NEXT = 0
export const CHUNK_NODES = 1
export const GHOSTS_PER_BUCKET = 8
export const GHOST_WORDS = 2
export const GHOST_TAG = 0
export const GHOST_TICKS = 1
export const COLD_SHARE_ONE = 65536
export const INITIAL_COLD_SHARE = 6554

// Shapes (docs/internals/format.md, "Shapes")
export const SHAPE_CHUNKS = 9
export const FIRST_CHUNK_SHAPES = 64
export const MAX_SHAPES = 16384
export const MIN_SHAPES = 256
export const SHAPE_REGION_BYTES = 4096
export const MIN_SHAPE_CHILDREN = 32
export const SHAPE_CHILDREN_PART = 64
export const SHAPE_BYTES = 32
export const SHAPE_WORDS = 4
export const SHAPE_PARENT = 0
export const SHAPE_SIBLING = 1
export const SHAPE_NEWEST = 2
export const SHAPE_NAME = 3
export const SHAPE_NAME_BYTES = 256
export const NAME_PLACE_MASK = 0xffff
export const NAME_CHUNK_SHIFT = 16
export const NAME_CHUNK_MASK = 15
export const NAME_LENGTH_SHIFT = 20
export const NAME_LENGTH_MASK = 1023
export const NAME_KIND_SHIFT = 30
