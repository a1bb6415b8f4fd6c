/**
 * Process and user ids, groups, capabilities, file-system ids.
 */
import { absent, dynamic, gid, int, uid, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('getpid', { x86_64: 39, aarch64: 172 }, [], { ret: 'pid', classes: ['pure'] }),
  absent('gettid', { x86_64: 186, aarch64: 178 }, [], { ret: 'pid', classes: ['pure'] }),
  absent('getppid', { x86_64: 110, aarch64: 173 }, [], { ret: 'pid', classes: ['pure'] }),
  absent('getuid', { x86_64: 102, aarch64: 174 }, [], { ret: 'uid', classes: ['creds', 'pure'] }),
  absent('geteuid', { x86_64: 107, aarch64: 175 }, [], { ret: 'uid', classes: ['creds', 'pure'] }),
  absent('getgid', { x86_64: 104, aarch64: 176 }, [], { ret: 'uid', classes: ['creds', 'pure'] }),
  absent('getegid', { x86_64: 108, aarch64: 177 }, [], { ret: 'uid', classes: ['creds', 'pure'] }),
  absent('setuid', { x86_64: 105, aarch64: 146 }, [uid('uid')], { ret: 'zero', classes: ['creds'] }),
  absent('setgid', { x86_64: 106, aarch64: 144 }, [gid('gid')], { ret: 'zero', classes: ['creds'] }),
  absent('setreuid', { x86_64: 113, aarch64: 145 }, [uid('ruid'), uid('euid')], { ret: 'zero', classes: ['creds'] }),
  absent('setregid', { x86_64: 114, aarch64: 143 }, [gid('rgid'), gid('egid')], { ret: 'zero', classes: ['creds'] }),
  absent('setresuid', { x86_64: 117, aarch64: 147 }, [uid('ruid'), uid('euid'), uid('suid')], {
    ret: 'zero',
    classes: ['creds'],
  }),
  absent('setresgid', { x86_64: 119, aarch64: 149 }, [gid('rgid'), gid('egid'), gid('sgid')], {
    ret: 'zero',
    classes: ['creds'],
  }),
  absent(
    'getresuid',
    { x86_64: 118, aarch64: 148 },
    [word('ruid', 'out', 'uint'), word('euid', 'out', 'uint'), word('suid', 'out', 'uint')],
    { ret: 'zero', classes: ['creds'] },
  ),
  absent(
    'getresgid',
    { x86_64: 120, aarch64: 150 },
    [word('rgid', 'out', 'uint'), word('egid', 'out', 'uint'), word('sgid', 'out', 'uint')],
    { ret: 'zero', classes: ['creds'] },
  ),
  absent('setfsuid', { x86_64: 122, aarch64: 151 }, [uid('fsuid')], { ret: 'uid', classes: ['creds'] }),
  absent('setfsgid', { x86_64: 123, aarch64: 152 }, [gid('fsgid')], { ret: 'uid', classes: ['creds'] }),
  absent('getgroups', { x86_64: 115, aarch64: 158 }, [int('size'), dynamic('list', 'groups')], { classes: ['creds'] }),
  absent('setgroups', { x86_64: 116, aarch64: 159 }, [int('size'), dynamic('list', 'groups')], {
    ret: 'zero',
    classes: ['creds'],
  }),
  absent('capget', { x86_64: 125, aarch64: 90 }, [dynamic('hdrp', 'cap_header'), dynamic('datap', 'cap_data')], {
    ret: 'zero',
    classes: ['creds'],
  }),
  absent('capset', { x86_64: 126, aarch64: 91 }, [dynamic('hdrp', 'cap_header'), dynamic('datap', 'cap_data')], {
    ret: 'zero',
    classes: ['creds'],
  }),
];
