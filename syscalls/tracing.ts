/**
 * bpf(2), perf_event_open(2), and the traps uprobes use.
 */
import { absent, dynamic, enumeration, fd, int, longFlags, pid, uint, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'bpf',
    { x86_64: 321, aarch64: 280 },
    [enumeration('cmd', 'bpf_commands'), dynamic('attr', 'bpf_attr'), uint('size')],
    { classes: ['desc'] },
  ),
  absent(
    'perf_event_open',
    { x86_64: 298, aarch64: 241 },
    [dynamic('attr', 'perf_attr'), pid('pid'), int('cpu'), fd('group_fd'), longFlags('flags', 'perf_event_open_flags')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent('uretprobe', { x86_64: 335 }, [], {}),
  absent('uprobe', { x86_64: 336 }, [], {}),
];
