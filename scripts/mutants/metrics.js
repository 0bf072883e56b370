/** Sabotages of what exports metrics. `find` occurs exactly once in `file`. */
export const mutants = [
  {
    name: 'counters-add-up',
    why: 'each scrape adds the totals to those of the last one',
    file: 'src/observe/metrics/prometheus.ts',
    find: '      this.reset()\n',
    replace: '',
  },
  {
    name: 'workers-add-up',
    why: 'totals of all workers are added up, although each worker has them all',
    file: 'src/observe/metrics/prometheus.ts',
    find: "    aggregator: 'first',\n",
    replace: '',
  },
  {
    name: 'figures-for-each-metric',
    why: 'a scrape reads every map once for each metric',
    file: 'src/observe/metrics/prometheus.ts',
    find: '    if (seen === undefined) {',
    replace: '    {',
  },
  {
    name: 'figures-for-ever',
    why: 'every scrape tells the figures of the first one',
    file: 'src/observe/metrics/prometheus.ts',
    find: '      queueMicrotask(() => (seen = undefined))\n',
    replace: '',
  },
  {
    name: 'closed-map-fails',
    why: 'a map that was closed makes every scrape fail',
    file: 'src/observe/metrics/maps.ts',
    find: "if ((error as { readonly code?: unknown } | undefined)?.code === 'ERR_MAPSAFE_CLOSED') return undefined\n    ",
    replace: '',
  },
  {
    name: 'counter-that-shrinks',
    why: 'a counter is the difference of two, which are read one after the other',
    file: 'src/observe/metrics/table.ts',
    find: 'read: ({ counters }) => counters.loads,',
    replace: 'read: ({ counters }) => counters.loads - counters.deleted,',
  },
  {
    name: 'second-call-replaces',
    why: 'a second call for a registry fails half way, or leaves the first one without its metrics',
    file: 'src/observe/metrics/prometheus.ts',
    find: '  if (taken !== undefined) {',
    replace: '  if (taken !== undefined) {\n    registry.removeSingleMetric(taken.name)',
  },
]
