/**
 * Process groups and sessions: setpgid(2), setsid(2), vhangup(2).
 */
import { absent, pid, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('getpgid', { x86_64: 121, aarch64: 155 }, [pid('pid')], { ret: 'pid' }),
  absent('setpgid', { x86_64: 109, aarch64: 154 }, [pid('pid'), pid('pgid')], { ret: 'zero' }),
  absent('getpgrp', { x86_64: 111 }, [], { ret: 'pid', classes: ['pure'] }),
  absent('getsid', { x86_64: 124, aarch64: 156 }, [pid('pid')], { ret: 'pid' }),
  absent('setsid', { x86_64: 112, aarch64: 157 }, [], { ret: 'pid' }),
  absent('vhangup', { x86_64: 153, aarch64: 58 }, [], { ret: 'zero' }),
];
