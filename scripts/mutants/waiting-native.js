/** Sabotages of how long a call waits and for whom, in C++. native/test/waiting_test.cc must go red for each. */
export const mutants = [
  {
    name: 'passed-on-never-counts',
    why: 'callers that a stopped thread holds up keep each other waiting beyond the bound',
    file: 'core/threads/backoff.cc',
    find: '    if (budget_->IsHeldUp()) budget_->Spend(watch.unjudged + (now - watch.last));\n',
    replace: '',
  },
  {
    name: 'budget-renewed-by-each-operation',
    why: 'an update or a batch waits for the whole bound again and again',
    file: 'core/engine.cc',
    find: '  if (core_.outcome->call != 0 && core_.outcome->call == call_) return;\n',
    replace: '',
  },
  {
    name: 'budget-renewed-by-each-wait',
    why: 'a call that waits for several things waits for the whole bound for each',
    file: 'core/threads/backoff.h',
    find: 'Backoff(WaitBudget& budget, Obstacle obstacle) : budget_(&budget), obstacle_(obstacle) {}',
    replace:
      'Backoff(WaitBudget& budget, Obstacle obstacle) : budget_(&budget), obstacle_(obstacle) { budget.Renew(); }',
  },
  {
    name: 'victims-waited-for',
    why: 'a full cache waits for one stopped thread although all other entries can be evicted',
    file: 'core/threads/wait_budget.h',
    find: '    if (patience_ == Patience::kNone) return true;\n',
    replace: '',
  },
  {
    name: 'debts-kept',
    why: 'memory that could not be given back once never comes back',
    file: 'core/memory/free_lists.cc',
    find: '    Settle();\n  return true;\n',
    replace: '    (void)0;\n  return true;\n',
  },
  {
    name: 'runnable-holder-blamed',
    why: 'calls time out because the system gives a thread no processor',
    file: 'core/threads/backoff.cc',
    find: '} else if (activity.runnable && !is_self) {',
    replace: '} else if (false) {',
  },
  {
    name: 'time-of-the-process-counted',
    why: 'a holder without a processor is blamed for what other threads of its process do',
    file: 'core/threads/liveness.cc',
    find: '"/proc/%u/task/%u/stat", id, id',
    replace: '"/proc/%u/stat", id',
  },
  {
    name: 'stopped-holder-excused',
    why: 'a call waits for five times the bound for a process that is stopped',
    file: 'core/threads/backoff.cc',
    find: '  WaitBudget::Duration counts = watch.unjudged;\n',
    replace: '  WaitBudget::Duration counts = activity.stopped ? WaitBudget::Duration{} : watch.unjudged;\n',
  },
  {
    name: 'hold-refuses-without-room',
    why: 'a condition on an absent key fails in a full map although nothing is to be stored',
    file: 'core/write/structural.cc',
    find: 'for (const bool wants_room : {true, false}) {',
    replace: 'for (const bool wants_room : {true}) {',
  },
]
