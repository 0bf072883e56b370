/**
 * Sabotages of how the package behaves where it is installed: in bundles, without its addon, loaded more than once, and
 * where classes are of another realm. `find` occurs exactly once in `file`.
 */
export const mutants = [
  {
    name: 'place-by-module-alone',
    why: 'a bundle that is CommonJS does not know where it is, and does without the native engine beside it',
    file: 'src/platform/addon.ts',
    find: "?? (typeof __filename === 'string' ? __filename : undefined)",
    replace: '',
  },
  {
    name: 'failure-thrown',
    why: 'an addon that is not there ends the program in place of being done without',
    file: 'src/platform/addon.ts',
    find: "    failure = (isNativeError(error) ? error.message : String(error)).split('\\n')[0]\n",
    replace: "    failure = (isNativeError(error) ? error.message : String(error)).split('\\n')[0]\n    throw error\n",
  },
  {
    name: 'failure-for-life',
    why: 'a reason that passes, such as no free descriptor, is remembered',
    file: 'src/platform/addon.ts',
    find: '  if (loaded !== undefined) return loaded\n',
    replace: "  if (loaded !== undefined || failure !== '') return loaded\n",
  },
  {
    name: 'done-without-a-word',
    why: 'nobody is told that the slower engine is used',
    file: 'src/platform/addon.ts',
    find: '  process.emitWarning(`mapsafe runs',
    replace: '  void (`mapsafe runs',
    also: { find: "${nativeFailure()}`, 'MapsafeWarning')", replace: '${nativeFailure()}`)' },
  },
  {
    name: 'mappings-of-each-copy',
    why: 'two copies of the package in one thread map a file twice',
    file: 'src/storage/mapping.ts',
    find: "  threadState('mappings', () => new Map<string, WeakRef<ArrayBuffer>>())",
    replace: '  ownMappings',
    also: {
      find: '/** Removes the entry of a collected mapping',
      replace:
        'const ownMappings = new Map<string, WeakRef<ArrayBuffer>>()\n\n/** Removes the entry of a collected mapping',
    },
  },
  {
    name: 'guard-kept-by-the-copy',
    why: 'a decision may write to the map by another copy of the package in the same thread',
    file: 'src/store/reentry.ts',
    find: "threadState('guarded maps', () => new Set<ArrayBufferLike>())",
    replace: 'new Set<ArrayBufferLike>()',
  },
  {
    name: 'state-by-the-copy',
    why: 'state of the thread is lost when a test runner loads the package again',
    file: 'src/platform/addon.ts',
    find: 'const owner = Worker as {',
    replace: 'const owner = loadNative as unknown as {',
  },
  {
    name: 'errors-by-class',
    why: 'what Node.js throws is of another class where each test file has globals of its own',
    file: 'src/storage/file.ts',
    find: "if ((error as NodeJS.ErrnoException).code === 'ENOENT')",
    replace: "if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT')",
  },
]
