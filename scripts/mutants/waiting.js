/**
 * Sabotages of how long a call waits and for whom, in TypeScript. Each breaks one rule of docs/internals/protocol.md, "Waiting";
 * some test must go red for each. `find` occurs exactly once in `file`.
 */
export const mutants = [
  {
    name: 'passed-on-never-counts',
    why: 'callers that a stopped thread holds up keep each other waiting beyond the bound',
    file: 'src/engine/typescript/threads/backoff.ts',
    find: '      if (budget.isHeldUp()) budget.spend(this.unjudged + now - this.last)\n',
    replace: '',
  },
  {
    name: 'budget-renewed-by-each-operation',
    why: 'an update or a batch waits for the whole bound again and again',
    file: 'src/engine/typescript/core.ts',
    find: 'if (call !== 0 && call === this.call) return',
    replace: '',
  },
  {
    name: 'victims-waited-for',
    why: 'a full cache waits for one stopped thread although all other entries can be evicted',
    file: 'src/engine/typescript/threads/wait-budget.ts',
    find: 'this.patience === NO_PATIENCE || ',
    replace: '',
  },
  {
    name: 'debts-kept',
    why: 'memory that could not be given back once never comes back',
    file: 'src/engine/typescript/memory/free-lists.ts',
    find: 'if ((words[this.thread.owed] | words[this.thread.hasExcess] | emptying) !== 0) this.settle()',
    replace: 'void emptying',
  },
  {
    name: 'debts-forgotten',
    why: 'blocks that could not be given back are in no list',
    file: 'src/engine/typescript/memory/free-lists.ts',
    find: '    words[thread.owed] = block\n',
    replace: '',
  },
  {
    name: 'leftovers-kept',
    why: 'free memory that a thread could not give back before it ended serves nobody',
    file: 'src/engine/typescript/write/compaction.ts',
    find: 'if (giveBackLeftovers(core.region, core.budget)) {',
    replace: 'if (core.isCache && giveBackLeftovers(core.region, core.budget)) {',
  },
  {
    name: 'idle-threads-keep',
    why: 'free memory of a thread that makes no calls serves nobody',
    file: 'src/engine/typescript/write/cleanup.ts',
    find: '  core.blocks.giveBackDue()\n',
    replace: '',
  },
  {
    name: 'runnable-holder-blamed',
    why: 'calls time out because the system gives a thread no processor',
    file: 'src/engine/typescript/threads/backoff.ts',
    find: 'else if (activity?.isRunnable === true && !isSelf) counts = Math.min(ran - this.holderRan, unjudged)',
    replace: '',
  },
  {
    name: 'time-of-the-process-counted',
    why: 'a holder without a processor is blamed for what other threads of its process do',
    file: 'src/platform/thread.ts',
    find: '`/proc/${id}/task/${id}/stat`',
    replace: '`/proc/${id}/stat`',
  },
  {
    name: 'stopped-holder-excused',
    why: 'a call waits for ten seconds for a process that is stopped',
    file: 'src/engine/typescript/threads/backoff.ts',
    find: '    let counts = unjudged\n',
    replace: '    let counts = activity?.isStopped === true ? 0 : unjudged\n',
  },
  {
    name: 'hold-refuses-without-room',
    why: 'a condition on an absent key fails in a full map although nothing is to be stored',
    file: 'src/engine/typescript/write/structural.ts',
    find: 'core.result[RESULT_STATUS] === FULL ? holdWithRoom(core, reader, false) : value',
    replace: 'value',
  },
  {
    name: 'touch-without-fallback',
    why: 'touch refuses for want of room in a cache, which evicts for everything else',
    file: 'src/store/touch.ts',
    find: 'if (!isHeld || result[RESULT_STATUS] === FULL)',
    replace: 'if (!isHeld)',
  },
  {
    name: 'update-without-fallback',
    why: 'update never ends for a key in constant use where a held write finds no room',
    file: 'src/store/read-modify-write.ts',
    find: 'if (isHeld && writeHeld(store, key, change as ValueEncoder, expiresAt)) return change',
    replace: 'if (isHeld) return writeHeld(store, key, change as ValueEncoder, expiresAt) ? change : LOST',
  },
  {
    name: 'races-lost-for-ever',
    why: 'a key in constant use is never held, and a slow update of it never goes through',
    file: 'src/store/until-written.ts',
    find: 'const outcome = attempt(true)',
    replace: 'const outcome = attempt(false)',
  },
]
