/**
 * Signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), sigaltstack(2), rt_sigtimedwait(2).
 */
import { absent, dynamic, enumeration, pid, signal, sigset, size, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'rt_sigaction',
    { x86_64: 13, aarch64: 134 },
    [signal('signum'), dynamic('act', 'sigaction'), dynamic('oldact', 'sigaction'), size('sigsetsize')],
    { ret: 'zero', classes: ['signal'] },
  ),
  absent(
    'rt_sigprocmask',
    { x86_64: 14, aarch64: 135 },
    [enumeration('how', 'sigprocmaskcmds'), sigset('set', 'in'), sigset('oldset', 'out'), size('sigsetsize')],
    { ret: 'zero', classes: ['signal'] },
  ),
  absent('rt_sigreturn', { x86_64: 15, aarch64: 139 }, [], { ret: 'dynamic', classes: ['signal'] }),
  absent('rt_sigpending', { x86_64: 127, aarch64: 136 }, [sigset('set', 'out'), size('sigsetsize')], {
    ret: 'zero',
    classes: ['signal'],
  }),
  absent('rt_sigsuspend', { x86_64: 130, aarch64: 133 }, [sigset('mask', 'in'), size('sigsetsize')], {
    ret: 'zero',
    classes: ['signal'],
  }),
  absent(
    'rt_sigtimedwait',
    { x86_64: 128, aarch64: 137 },
    [sigset('set', 'in'), dynamic('info', 'siginfo'), struct('timeout', 'in', 'timespec'), size('sigsetsize')],
    { ret: 'dynamic', classes: ['signal'] },
  ),
  absent('rt_sigqueueinfo', { x86_64: 129, aarch64: 138 }, [pid('tgid'), signal('sig'), dynamic('info', 'siginfo')], {
    ret: 'zero',
    classes: ['signal', 'process'],
  }),
  absent(
    'rt_tgsigqueueinfo',
    { x86_64: 297, aarch64: 240 },
    [pid('tgid'), pid('tid'), signal('sig'), dynamic('info', 'siginfo')],
    { ret: 'zero', classes: ['process', 'signal'] },
  ),
  absent('sigaltstack', { x86_64: 131, aarch64: 132 }, [dynamic('ss', 'stack_t'), dynamic('old_ss', 'stack_t')], {
    ret: 'zero',
    classes: ['signal'],
  }),
  absent('kill', { x86_64: 62, aarch64: 129 }, [pid('pid'), signal('sig')], {
    ret: 'zero',
    classes: ['signal', 'process'],
  }),
  absent('tkill', { x86_64: 200, aarch64: 130 }, [pid('tid'), signal('sig')], {
    ret: 'zero',
    classes: ['signal', 'process'],
  }),
  absent('tgkill', { x86_64: 234, aarch64: 131 }, [pid('tgid'), pid('tid'), signal('sig')], {
    ret: 'zero',
    classes: ['signal', 'process'],
  }),
  absent('pause', { x86_64: 34 }, [], { ret: 'zero', classes: ['signal'] }),
];
