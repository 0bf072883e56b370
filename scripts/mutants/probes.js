/** Sabotages of probes, and of the scripts that watch them. `find` occurs exactly once in `file`. */
export const mutants = [
  {
    name: 'probe-left-out',
    why: 'no tracer learns that the directory doubled',
    file: 'native/core/write/split.cc',
    find: '      probes::DirectoryDouble(region, depth + 1);\n',
    replace: '',
  },
  {
    name: 'probe-without-end',
    why: 'a wait that ended looks to tracers as if it went on',
    file: 'native/core/threads/backoff.h',
    find: '    if (is_long_) EndLongWait();',
    replace: '    if (watch_) ShowSleep(0);',
  },
  {
    name: 'probe-in-another-order',
    why: 'a tracer takes the depth for the segment',
    file: 'native/core/base/probes.h',
    find: 'MAPSAFE_PROBE_3("segment__split", RegionAddress(region), segment, depth);',
    replace: 'MAPSAFE_PROBE_3("segment__split", RegionAddress(region), depth, segment);',
  },
  {
    name: 'probe-without-semaphore',
    why: 'no tracer counts up the word by which reads are told',
    file: 'native/core/base/probes.h',
    find: 'MAPSAFE_CALL_PROBE("key__get", "mapsafe_traced_get", RegionAddress(region), call);',
    replace: 'MAPSAFE_CALL_PROBE("key__get", "0", RegionAddress(region), call);',
  },
  {
    name: 'probe-of-another-loss',
    why: 'tracers take an eviction for an expiry',
    file: 'native/core/write/write.cc',
    find: 'probes::EntryEvict(core.region, edit.key.hash);',
    replace: 'probes::EntryExpire(core.region, edit.key.hash);',
  },
  {
    name: 'script-with-another-threshold',
    why: 'the script and the option guard have different thresholds',
    file: 'tools/bpftrace/slow-updates.bt',
    find: '$1 == 0 ? 10 : $1',
    replace: '$1 == 0 ? 20 : $1',
  },
]
