/**
 * execve(2), execveat(2), uselib(2).
 */
import { absent, dirfd, environ, flags, path, strings, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('execve', { x86_64: 59, aarch64: 221 }, [path('pathname'), strings('argv'), environ('envp')], {
    ret: 'zero',
    classes: ['file', 'process'],
  }),
  absent(
    'execveat',
    { x86_64: 322, aarch64: 281 },
    [dirfd('dirfd'), path('pathname'), strings('argv'), environ('envp'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file', 'process'] },
  ),
  absent('uselib', { x86_64: 134 }, [path('library')], { ret: 'zero', classes: ['file'] }),
];
