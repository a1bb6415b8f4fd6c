/**
 * The system as a whole: uname(2), sysinfo(2), prctl(2), reboot(2), getrandom(2), syslog(2), x86 segment calls.
 */
import {
  absent,
  addr,
  buffer,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  hex32,
  int,
  size,
  struct,
  uint,
  ulong,
  word,
  type Row,
} from './row.js';

export const rows: readonly Row[] = [
  absent('uname', { x86_64: 63, aarch64: 160 }, [struct('buf', 'out', 'utsname')], { ret: 'zero' }),
  absent('sysinfo', { x86_64: 99, aarch64: 179 }, [struct('info', 'out', 'sysinfo')], { ret: 'zero' }),
  absent('sethostname', { x86_64: 170, aarch64: 161 }, [buffer('name', 'in', { arg: 'len' }), int('len')], {
    ret: 'zero',
  }),
  absent('setdomainname', { x86_64: 171, aarch64: 162 }, [buffer('name', 'in', { arg: 'len' }), int('len')], {
    ret: 'zero',
  }),
  absent(
    'prctl',
    { x86_64: 157, aarch64: 167 },
    [
      enumeration('option', 'prctl_options'),
      dynamic('arg2', 'prctl_arg'),
      dynamic('arg3', 'prctl_arg'),
      dynamic('arg4', 'prctl_arg'),
      dynamic('arg5', 'prctl_arg'),
    ],
    { ret: 'dynamic', classes: ['creds'] },
  ),
  absent('arch_prctl', { x86_64: 158 }, [enumeration('code', 'archvals'), dynamic('addr', 'arch_prctl_arg')], {
    ret: 'zero',
  }),
  absent(
    'getrandom',
    { x86_64: 318, aarch64: 278 },
    [buffer('buf', 'out', 'ret'), size('buflen'), flags('flags', 'getrandom_flags')],
    { ret: 'size' },
  ),
  absent(
    'reboot',
    { x86_64: 169, aarch64: 142 },
    [
      enumeration('magic', 'bootflags1', 'uint'),
      enumeration('magic2', 'bootflags2', 'uint'),
      enumeration('cmd', 'bootflags3', 'uint'),
      dynamic('arg', 'reboot_arg'),
    ],
    { ret: 'zero' },
  ),
  absent(
    'syslog',
    { x86_64: 103, aarch64: 116 },
    [enumeration('type', 'syslog_action_type'), dynamic('buf', 'syslog_buf'), int('len')],
    {},
  ),
  absent('_sysctl', { x86_64: 156 }, [addr('args')], {}),
  absent(
    'seccomp',
    { x86_64: 317, aarch64: 277 },
    [
      enumeration('operation', 'seccomp_ops', 'uint'),
      dynamic('flags', 'seccomp_flags', 'uint'),
      dynamic('args', 'seccomp_args'),
    ],
    {},
  ),
  absent('modify_ldt', { x86_64: 154 }, [int('func'), dynamic('ptr', 'ldt_ptr'), ulong('bytecount')], {}),
  absent('set_thread_area', { x86_64: 205 }, [struct('u_info', 'inout', 'user_desc')], { ret: 'zero' }),
  absent('get_thread_area', { x86_64: 211 }, [struct('u_info', 'inout', 'user_desc')], { ret: 'zero' }),
  absent('iopl', { x86_64: 172 }, [int('level')], { ret: 'zero' }),
  absent('ioperm', { x86_64: 173 }, [hex('from'), hex('num'), int('turn_on')], { ret: 'zero' }),
  absent(
    'landlock_create_ruleset',
    { x86_64: 444, aarch64: 444 },
    [dynamic('attr', 'landlock_attr'), size('size'), dynamic('flags', 'landlock_flags', 'uint')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent(
    'landlock_add_rule',
    { x86_64: 445, aarch64: 445 },
    [
      fd('ruleset_fd'),
      enumeration('rule_type', 'landlock_rule_types'),
      dynamic('rule_attr', 'landlock_rule'),
      hex32('flags'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent('landlock_restrict_self', { x86_64: 446, aarch64: 446 }, [fd('ruleset_fd'), hex32('flags')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'lsm_get_self_attr',
    { x86_64: 459, aarch64: 459 },
    [uint('attr'), addr('ctx'), word('size', 'inout', 'uint'), hex32('flags')],
    {},
  ),
  absent(
    'lsm_set_self_attr',
    { x86_64: 460, aarch64: 460 },
    [uint('attr'), addr('ctx'), uint('size'), hex32('flags')],
    { ret: 'zero' },
  ),
  absent(
    'lsm_list_modules',
    { x86_64: 461, aarch64: 461 },
    [addr('ids'), word('size', 'inout', 'uint'), hex32('flags')],
    {},
  ),
];
