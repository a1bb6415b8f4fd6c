/**
 * poll(2), select(2) and their variants with a signal mask.
 */
import { absent, dynamic, fdset, int, sigset, size, struct, uint, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('poll', { x86_64: 7 }, [dynamic('fds', 'pollfds'), uint('nfds'), int('timeout')], {
    ret: 'dynamic',
    classes: ['desc'],
  }),
  absent(
    'ppoll',
    { x86_64: 271, aarch64: 73 },
    [
      dynamic('fds', 'pollfds'),
      uint('nfds'),
      struct('tmo_p', 'inout', 'timespec'),
      sigset('sigmask', 'in'),
      size('sigsetsize'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
  ),
  absent(
    'select',
    { x86_64: 23 },
    [
      int('nfds'),
      fdset('readfds', 'inout'),
      fdset('writefds', 'inout'),
      fdset('exceptfds', 'inout'),
      struct('timeout', 'inout', 'timeval'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
  ),
  absent(
    'pselect6',
    { x86_64: 270, aarch64: 72 },
    [
      int('nfds'),
      fdset('readfds', 'inout'),
      fdset('writefds', 'inout'),
      fdset('exceptfds', 'inout'),
      struct('timeout', 'inout', 'timespec'),
      dynamic('sigmask', 'pselect6_sigmask'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
  ),
];
