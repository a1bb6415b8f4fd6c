/**
 * Asynchronous I/O: io_setup(2), io_uring_setup(2).
 */
import { absent, dynamic, fd, flags, hex, long, sigset, size, struct, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('io_setup', { x86_64: 206, aarch64: 0 }, [uint('nr_events'), word('ctx_idp', 'out', 'ulong')], {
    ret: 'zero',
    classes: ['memory'],
  }),
  absent('io_destroy', { x86_64: 207, aarch64: 1 }, [hex('ctx_id')], { ret: 'zero', classes: ['memory'] }),
  absent('io_submit', { x86_64: 209, aarch64: 2 }, [hex('ctx_id'), long('nr'), dynamic('iocbpp', 'iocbs')], {}),
  absent(
    'io_cancel',
    { x86_64: 210, aarch64: 3 },
    [hex('ctx_id'), dynamic('iocb', 'iocb'), dynamic('result', 'io_event')],
    { ret: 'zero' },
  ),
  absent(
    'io_getevents',
    { x86_64: 208, aarch64: 4 },
    [hex('ctx_id'), long('min_nr'), long('nr'), dynamic('events', 'io_events'), struct('timeout', 'in', 'timespec')],
    {},
  ),
  absent(
    'io_pgetevents',
    { x86_64: 333, aarch64: 292 },
    [
      hex('ctx_id'),
      long('min_nr'),
      long('nr'),
      dynamic('events', 'io_events'),
      struct('timeout', 'in', 'timespec'),
      dynamic('usig', 'aio_sigset'),
    ],
    {},
  ),
  absent('io_uring_setup', { x86_64: 425, aarch64: 425 }, [uint('entries'), dynamic('params', 'io_uring_params')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'io_uring_enter',
    { x86_64: 426, aarch64: 426 },
    [
      fd('fd'),
      uint('to_submit'),
      uint('min_complete'),
      flags('flags', 'uring_enter_flags'),
      sigset('sig', 'in'),
      size('sigsz'),
    ],
    { classes: ['desc', 'signal'] },
  ),
  absent(
    'io_uring_register',
    { x86_64: 427, aarch64: 427 },
    [fd('fd'), dynamic('opcode', 'uring_opcode', 'uint'), dynamic('arg', 'uring_arg'), uint('nr_args')],
    { classes: ['desc', 'memory'] },
  ),
];
