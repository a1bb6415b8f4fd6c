/**
 * Creating tasks: clone(2), clone3(2), fork(2), exit(2), unshare(2), setns(2), ptrace(2), personality(2).
 */
import {
  absent,
  addr,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  hex32,
  int,
  longFlags,
  pid,
  size,
  struct,
  uint,
  word,
  type Row,
} from './row.js';

export const rows: readonly Row[] = [
  absent(
    'clone',
    { x86_64: 56, aarch64: 220 },
    [
      dynamic('flags', 'clone_flags', 'ulong'),
      addr('stack'),
      word('parent_tid', 'out', 'int'),
      addr('child_tid'),
      addr('tls'),
    ],
    { ret: 'pid', classes: ['process'], registers: { aarch64: [0, 1, 2, 4, 3] } },
  ),
  absent('clone3', { x86_64: 435, aarch64: 435 }, [dynamic('args', 'clone_args'), size('size')], {
    ret: 'pid',
    classes: ['process'],
  }),
  absent('fork', { x86_64: 57 }, [], { ret: 'pid', classes: ['process'] }),
  absent('vfork', { x86_64: 58 }, [], { ret: 'pid', classes: ['process'] }),
  absent('exit', { x86_64: 60, aarch64: 93 }, [int('status')], { ret: 'none', classes: ['process'] }),
  absent('exit_group', { x86_64: 231, aarch64: 94 }, [int('status')], { ret: 'none', classes: ['process'] }),
  absent('unshare', { x86_64: 272, aarch64: 97 }, [longFlags('flags', 'unshare_flags')], { ret: 'zero' }),
  absent('setns', { x86_64: 308, aarch64: 268 }, [fd('fd'), flags('nstype', 'setns_types')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent('personality', { x86_64: 135, aarch64: 92 }, [dynamic('persona', 'personality', 'uint')], { ret: 'flags' }),
  absent(
    'ptrace',
    { x86_64: 101, aarch64: 117 },
    [
      enumeration('request', 'ptrace_cmds', 'long'),
      pid('pid'),
      dynamic('addr', 'ptrace_addr'),
      dynamic('data', 'ptrace_data'),
    ],
    { ret: 'dynamic' },
  ),
  absent('set_tid_address', { x86_64: 218, aarch64: 96 }, [addr('tidptr')], { ret: 'pid' }),
  absent('restart_syscall', { x86_64: 219, aarch64: 128 }, [], {}),
  absent(
    'rseq',
    { x86_64: 334, aarch64: 293 },
    [struct('rseq', 'inout', 'rseq'), uint('rseq_len'), hex32('flags'), hex32('sig')],
    { ret: 'zero' },
  ),
  absent('vserver', { x86_64: 236 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {}),
];
