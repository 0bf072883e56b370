/** Sabotages of dumps and of the program that makes them. Each breaks a rule of docs/guide/29-program.md; `find` occurs exactly once in `file`. */
export const mutants = [
  {
    name: 'load-believes-a-cut-dump',
    why: 'a dump that was cut off becomes a map with a part of the entries',
    file: 'src/dump/loading.ts',
    find: 'if (loader?.isComplete !== true) throw truncated(number)',
    replace: 'if (loader === undefined) throw truncated(number)',
  },
  {
    name: 'load-counts-no-lines',
    why: 'a dump with a line missing in the middle is taken for whole',
    file: 'src/dump/loading.ts',
    find: 'if (line.entries !== found) {',
    replace: 'if (found < 0) {',
  },
  {
    name: 'dump-forgets-groups',
    why: 'entries come back without their tags, and no invalidation finds them',
    file: 'src/dump/lines.ts',
    find: 'groups: groups.length > 0 ? groups : undefined,',
    replace: 'groups: undefined,',
  },
  {
    name: 'dump-parts-what-is-shared',
    why: 'an object that a value has twice comes back as two',
    file: 'src/dump/encoding.ts',
    find: 'depth > MAX_DEPTH || this.#met.has(value)',
    replace: 'depth > MAX_DEPTH',
  },
  {
    name: 'dump-loses-minus-zero',
    why: 'a number comes back as another one',
    file: 'src/dump/encoding.ts',
    find: 'return Number.isFinite(value) && !Object.is(value, -0)',
    replace: 'return Number.isFinite(value)',
  },
  {
    name: 'load-names-the-file-first',
    why: 'a load that fails leaves half a map under the name that others open',
    file: 'src/cli/commands/load.ts',
    find: 'file: partial, maxBytes',
    replace: 'file, maxBytes',
  },
  {
    name: 'keys-are-printed-raw',
    why: 'a key moves the cursor of the terminal',
    file: 'src/cli/output.ts',
    find: "if (typeof key === 'string') return harmless(JSON.stringify(key))",
    replace: 'if (typeof key === \'string\') return `"${key}"`',
  },
]
