/**
 * Sabotages of the ESLint rules: of what makes them silent where nothing is known, and of what makes a fix safe. `find` occurs
 * exactly once in `file`.
 */
export const mutants = [
  {
    name: 'any-class-of-that-name',
    why: 'a class of another package counts as a map',
    file: 'src/eslint/settings.ts',
    find: "specifier === 'mapsafe' || isModule(specifier)",
    replace: 'true',
  },
  {
    name: 'key-that-changes',
    why: 'a key that is another one by the time of the write counts as the same',
    file: 'src/eslint/scopes.ts',
    find: 'return variable === undefined || !this.#changes(variable, span, a)',
    replace: 'return true',
  },
  {
    name: 'read-in-another-function',
    why: 'a read that may have been at any time counts as made before the write',
    file: 'src/eslint/reads.ts',
    find: 'functionOf(read.node) === functionOf(write.node) &&',
    replace: 'true &&',
  },
  {
    name: 'values-taken-for-frozen',
    why: 'a value of a map that is opened with `freeze: false` counts as frozen',
    file: 'src/eslint/maps.ts',
    find: 'return sources?.every(isFrozen) === true',
    replace: 'return sources !== undefined',
  },
  {
    name: 'fix-that-computes',
    why: 'a fix calls a function that was called only if there was no entry',
    file: 'src/eslint/rules/prefer-set-if-absent.ts',
    find: 'isSafe: isExact && isKnown,',
    replace: 'isSafe: isExact,',
  },
  {
    name: 'names-without-end',
    why: 'a rule follows names that are defined by each other, until it throws and ESLint ends',
    file: 'src/eslint/scopes.ts',
    find: 'return functionOf(node) !== functionOf(init) || init.range[1] <= node.range[0]',
    replace: 'return true',
  },
  {
    name: 'loop-that-may-be-left',
    why: 'what holds after a loop counts as sure although the loop may be left in its midst',
    file: 'src/eslint/conditions.ts',
    find: '&& !isBroken(maps, each.body)',
    replace: '',
  },
  {
    name: 'default-replaces-the-read',
    why: 'a value that is read or, where there is none, made anew counts as made anew',
    file: 'src/eslint/reads.ts',
    find: 'return usesVariable(source, test, variable)',
    replace: 'return false',
  },
  {
    name: 'own-function-of-that-name',
    why: "a function of the program that is called postMessage counts as the platform's",
    file: 'src/eslint/rules/no-map-in-message.ts',
    find: '  if (isOwn(maps, callee)) return undefined\n',
    replace: '',
  },
  {
    name: 'writes-that-come-later',
    why: 'a write in a function that runs after the update counts as made in it',
    file: 'src/eslint/functions.ts',
    find: 'if (isFunction(node) && isCalledBy(node, settled))',
    replace: 'if (isFunction(node))',
  },
]
