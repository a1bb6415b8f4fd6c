/**
 * Kernel modules, kexec, and calls Linux has dropped.
 */
import { absent, addr, dynamic, fd, flags, hex, int, longFlags, size, string, ulong, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'init_module',
    { x86_64: 175, aarch64: 105 },
    [addr('module_image'), size('len'), string('param_values', 'module')],
    { ret: 'zero' },
  ),
  absent(
    'finit_module',
    { x86_64: 313, aarch64: 273 },
    [fd('fd'), string('param_values', 'module'), flags('flags', 'module_init_flags')],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent(
    'delete_module',
    { x86_64: 176, aarch64: 106 },
    [string('name', 'module'), flags('flags', 'delete_module_flags')],
    { ret: 'zero' },
  ),
  absent('create_module', { x86_64: 174 }, [string('name', 'module'), size('size')], { ret: 'addr' }),
  absent('get_kernel_syms', { x86_64: 177 }, [addr('table')], {}),
  absent(
    'query_module',
    { x86_64: 178 },
    [string('name', 'module'), int('which'), addr('buf'), size('bufsize'), addr('ret')],
    {},
  ),
  absent(
    'kexec_load',
    { x86_64: 246, aarch64: 104 },
    [addr('entry'), ulong('nr_segments'), addr('segments'), dynamic('flags', 'kexec_flags')],
    { ret: 'zero' },
  ),
  absent(
    'kexec_file_load',
    { x86_64: 320, aarch64: 294 },
    [
      fd('kernel_fd'),
      fd('initrd_fd'),
      ulong('cmdline_len'),
      string('cmdline', 'cmdline'),
      longFlags('flags', 'kexec_file_load_flags'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent('afs_syscall', { x86_64: 183 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {}),
  absent('tuxcall', { x86_64: 184 }, [hex('arg1'), hex('arg2'), hex('arg3')], {}),
  absent('security', { x86_64: 185 }, [hex('arg1'), hex('arg2'), hex('arg3')], {}),
];
