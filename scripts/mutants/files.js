/**
 * Sabotages of how a map's file is made, checked and mapped. `find` occurs exactly once in `file`; `also` is a second
 * edit of the same file.
 */
export const mutants = [
  {
    name: 'blocks-not-allocated',
    why: 'on a full disk a store to a mapped page ends the process',
    file: 'src/storage/file.ts',
    find: 'const error = functions.allocateFile(descriptor, bytes)',
    replace: 'const error = (ftruncateSync(descriptor, bytes), 0)',
    also: { find: 'fstatSync, linkSync', replace: 'fstatSync, ftruncateSync, linkSync' },
  },
  {
    name: 'no-directory-lock',
    why: 'a maker deletes the unfinished file of another',
    file: 'src/storage/file.ts',
    find: 'if (error === 0) return action()',
    replace: 'if (error === 0 || error > 0) return action()',
  },
  {
    name: 'no-second-look',
    why: 'who waited for the maker makes the file again',
    file: 'src/storage/file.ts',
    find: 'return made instanceof Error ? create(functions, path, bytes, format) : made',
    replace: 'return made === undefined ? made : create(functions, path, bytes, format)',
  },
  {
    name: 'visible-before-complete',
    why: 'another process finds the file before it is formatted',
    file: 'src/storage/file.ts',
    find: 'const unfinished = path + UNFINISHED',
    replace: "const unfinished = path + (UNFINISHED && '')",
    also: { find: 'linkSync(unfinished, path)', replace: 'descriptor = undefined' },
  },
  {
    name: 'leftover-kept',
    why: 'a maker that died keeps everybody from making the file',
    file: 'src/storage/file.ts',
    find: "    // A dead maker's. Not to be written to: if that maker came as far as the link, it is a region in use.\n    rmSync(unfinished, { force: true })\n",
    replace: '',
  },
  {
    name: 'leftover-reused',
    why: 'what a dead maker left may be a map in use',
    file: 'src/storage/file.ts',
    find: "    // A dead maker's. Not to be written to: if that maker came as far as the link, it is a region in use.\n    rmSync(unfinished, { force: true })\n",
    replace: '',
    also: { find: 'constants.O_CREAT | constants.O_EXCL', replace: 'constants.O_CREAT | constants.O_TRUNC' },
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
]
