/** Sabotages of groups of entries: by prefix, by tag, by namespace. `find` occurs exactly once in `file`. */
export const mutants = [
  {
    name: 'prefix-anywhere',
    why: 'a deletion by prefix deletes keys that only contain it',
    file: 'src/store/key-choice.ts',
    find: 'key.startsWith(prefix)',
    replace: 'key.includes(prefix)',
  },
  {
    name: 'prefix-ignored-by-scan',
    why: 'a scan returns entries of other keys',
    file: 'src/store/scan.ts',
    find: 'if (prefix === undefined || hasPrefix(key, prefix)) add(key)',
    replace: 'add(key)',
  },
  {
    name: 'empty-prefix-taken',
    why: 'a prefix that is empty by mistake deletes everything',
    file: 'src/store/key-choice.ts',
    find: "typeof prefix !== 'string' || prefix === ''",
    replace: "typeof prefix !== 'string'",
  },
  {
    name: 'choice-of-nothing-taken',
    why: 'an option with a misspelt value deletes everything',
    file: 'src/store/key-choice.ts',
    find: 'if (prefix === undefined && test === undefined) {',
    replace: 'if (prefix === null) {',
  },
  {
    name: 'deletion-by-keys-decodes',
    why: 'a deletion by prefix reads and decodes every value',
    file: 'src/store/whole-map.ts',
    find: 'if (deciding(engine, () => isMeant(key)) && asOneCall(engine, () => remove(store, key, PUT_ALWAYS))) deleted++',
    replace: 'if (deleteIf(store, key, () => isMeant(key), true)) deleted++',
  },
  {
    name: 'key-scan-reads-values',
    why: 'a scan for keys decodes every value',
    file: 'src/store/scan.ts',
    find: 'if (store.hasPassing(key)) keys.push(key)',
    replace: 'if (store.readPassing(key) !== undefined) keys.push(key)',
  },
]
