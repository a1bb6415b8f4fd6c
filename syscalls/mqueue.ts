/**
 * POSIX message queues, mq_overview(7).
 */
import { absent, buffer, dynamic, fd, size, string, struct, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'mq_open',
    { x86_64: 240, aarch64: 180 },
    [
      string('name', 'name'),
      dynamic('oflag', 'open_flags', 'uint'),
      dynamic('mode', 'open_mode', 'mode'),
      dynamic('attr', 'mq_attr'),
    ],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent('mq_unlink', { x86_64: 241, aarch64: 181 }, [string('name', 'name')], { ret: 'zero' }),
  absent(
    'mq_timedsend',
    { x86_64: 242, aarch64: 182 },
    [
      fd('mqdes'),
      buffer('msg_ptr', 'in', { arg: 'msg_len' }),
      size('msg_len'),
      uint('msg_prio'),
      struct('abs_timeout', 'in', 'timespec'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent(
    'mq_timedreceive',
    { x86_64: 243, aarch64: 183 },
    [
      fd('mqdes'),
      buffer('msg_ptr', 'out', 'ret'),
      size('msg_len'),
      word('msg_prio', 'out', 'uint'),
      struct('abs_timeout', 'in', 'timespec'),
    ],
    { ret: 'size', classes: ['desc'] },
  ),
  absent('mq_notify', { x86_64: 244, aarch64: 184 }, [fd('mqdes'), dynamic('sevp', 'sigevent')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'mq_getsetattr',
    { x86_64: 245, aarch64: 185 },
    [fd('mqdes'), dynamic('newattr', 'mq_attr'), dynamic('oldattr', 'mq_attr')],
    { ret: 'zero', classes: ['desc'] },
  ),
];
