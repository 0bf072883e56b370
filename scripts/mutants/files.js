/**
 * Sabotages of how a map's file is made, checked and mapped. `find` occurs exactly once in `file`; `also` is a second
 * edit of the same file.
 */
export const mutants = [
  {
    name: 'blocks-not-allocated',
    why: 'on a full disk a store to a mapped page ends the process',
    file: 'src/storage/new-file.ts',
    find: 'const error = functions.allocateFile(file.descriptor, bytes)',
    replace: 'const error = (ftruncateSync(file.descriptor, bytes), 0)',
    also: { find: 'constants, linkSync', replace: 'constants, ftruncateSync, linkSync' },
  },
  {
    name: 'header-not-checked',
    why: 'somebody else’s file is mapped and written to',
    file: 'src/storage/file.ts',
    find: 'if (problem !== undefined) {',
    replace: 'if (problem === "") {',
  },
  {
    name: 'size-not-checked',
    why: 'beyond the end of a truncated file there is no memory',
    file: 'src/format/header.ts',
    find: '  if (bytes !== formattedBytes) {',
    replace: '  if (bytes > formattedBytes) {',
  },
  {
    name: 'descriptor-kept',
    why: 'each opening costs a descriptor',
    file: 'src/storage/file.ts',
    find: '  } finally {\n    closeSync(descriptor)\n  }',
    replace: '  } finally {\n    dirname(path)\n  }',
  },
  {
    name: 'mapping-not-reused',
    why: 'a loop that opens and closes a map runs out of mappings',
    file: 'src/storage/mapping.ts',
    find: 'if (known?.byteLength === bytes) return known',
    replace: 'if (known?.byteLength === 0) return known',
  },
  {
    name: 'mapping-kept',
    why: 'a map that nobody uses stays mapped',
    file: 'src/storage/mapping.ts',
    find: 'mappings().set(inode, new WeakRef(buffer))',
    replace: 'mappings().set(inode, { deref: () => buffer } as unknown as WeakRef<ArrayBuffer>)',
  },
  {
    name: 'visible-before-complete',
    why: 'another process finds the file before it is formatted',
    file: 'src/storage/new-file.ts',
    find: '    format(region)\n    return file.giveName(path) ? region : undefined',
    replace: '    const isNamed = file.giveName(path)\n    format(region)\n    return isNamed ? region : undefined',
  },
  {
    name: 'loser-keeps-its-own',
    why: 'who was slower goes on with a file that nobody else will open',
    file: 'src/storage/new-file.ts',
    find: 'return file.giveName(path) ? region : undefined',
    replace: 'return file.giveName(path) || file.descriptor >= 0 ? region : undefined',
  },
  {
    name: 'owner-not-looked-at',
    why: 'the file of another user is believed',
    file: 'src/storage/owner.ts',
    find: 'uid !== self && uid !== 0',
    replace: 'uid !== self && uid < 0',
  },
  {
    name: 'mode-not-looked-at',
    why: 'a file that everybody can write is believed',
    file: 'src/storage/owner.ts',
    find: 'const WRITABLE_BY_OTHERS = 0o022',
    replace: 'const WRITABLE_BY_OTHERS = 0',
  },
]
