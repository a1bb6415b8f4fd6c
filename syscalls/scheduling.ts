/**
 * Scheduling: sched_setscheduler(2), affinity, priorities, sched_yield(2), getcpu(2).
 */
import { absent, addr, dynamic, enumeration, hex32, int, pid, struct, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('sched_yield', { x86_64: 24, aarch64: 124 }, [], { ret: 'zero' }),
  absent(
    'sched_setscheduler',
    { x86_64: 144, aarch64: 119 },
    [pid('pid'), enumeration('policy', 'schedulers'), struct('param', 'in', 'sched_param')],
    { ret: 'zero' },
  ),
  absent('sched_getscheduler', { x86_64: 145, aarch64: 120 }, [pid('pid')], { ret: 'dynamic' }),
  absent('sched_setparam', { x86_64: 142, aarch64: 118 }, [pid('pid'), struct('param', 'in', 'sched_param')], {
    ret: 'zero',
  }),
  absent('sched_getparam', { x86_64: 143, aarch64: 121 }, [pid('pid'), struct('param', 'out', 'sched_param')], {
    ret: 'zero',
  }),
  absent('sched_setattr', { x86_64: 314, aarch64: 274 }, [pid('pid'), dynamic('attr', 'sched_attr'), hex32('flags')], {
    ret: 'zero',
  }),
  absent(
    'sched_getattr',
    { x86_64: 315, aarch64: 275 },
    [pid('pid'), dynamic('attr', 'sched_attr'), uint('size'), hex32('flags')],
    { ret: 'zero' },
  ),
  absent('sched_get_priority_max', { x86_64: 146, aarch64: 125 }, [enumeration('policy', 'schedulers')], {}),
  absent('sched_get_priority_min', { x86_64: 147, aarch64: 126 }, [enumeration('policy', 'schedulers')], {}),
  absent('sched_rr_get_interval', { x86_64: 148, aarch64: 127 }, [pid('pid'), struct('tp', 'out', 'timespec')], {
    ret: 'zero',
  }),
  absent(
    'sched_setaffinity',
    { x86_64: 203, aarch64: 122 },
    [pid('pid'), uint('cpusetsize'), dynamic('mask', 'cpu_set')],
    { ret: 'zero' },
  ),
  absent(
    'sched_getaffinity',
    { x86_64: 204, aarch64: 123 },
    [pid('pid'), uint('cpusetsize'), dynamic('mask', 'cpu_set')],
    { ret: 'size' },
  ),
  absent('getpriority', { x86_64: 140, aarch64: 141 }, [enumeration('which', 'priorities'), int('who')], {}),
  absent('setpriority', { x86_64: 141, aarch64: 140 }, [enumeration('which', 'priorities'), int('who'), int('prio')], {
    ret: 'zero',
  }),
  absent('ioprio_get', { x86_64: 252, aarch64: 31 }, [enumeration('which', 'ioprio_who'), int('who')], {
    ret: 'dynamic',
  }),
  absent(
    'ioprio_set',
    { x86_64: 251, aarch64: 30 },
    [enumeration('which', 'ioprio_who'), int('who'), dynamic('ioprio', 'ioprio', 'int')],
    { ret: 'zero' },
  ),
  absent(
    'getcpu',
    { x86_64: 309, aarch64: 168 },
    [word('cpu', 'out', 'uint'), word('node', 'out', 'uint'), addr('tcache')],
    { ret: 'zero' },
  ),
];
