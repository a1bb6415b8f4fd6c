/** Our strace text against the host's: polling, sockets, ipc. */
import { describe } from '@jest/globals';
import { call, type Case, u8, u16, u32, u64, text } from './golden.js';
import { BAD, golden, ts, x86 } from './golden-tables.js';

describe('polling and sockets', () => {
  const unix = call('socket', [1, 0o2000001, 0]);
  const tcp = call('socket', [2, 1, 0]);
  const epoll = call('epoll_create1', [0o2000000]);
  const inet = (port: number) => [...u16(2), ...u8(port >> 8, port & 255), ...u8(127, 0, 0, 1), ...u64(0)];
  const inet6 = [...u16(10), ...u8(0, 80), ...u32(0), ...u64(0), ...u8(0, 0, 0, 0, 0, 0, 0, 1), ...u32(0)];
  const cases: Case[] = [
    call('pipe2', (m) => [m.space(8), 0o2000000]),
    call('pipe2', [BAD, 0o4000]),
    call('ppoll', (m) => [m.put(u32(3), u16(1, 0)), 1, m.put(ts(0, 0)), 0, 8]),
    call('write', (m) => [4, m.str('x'), 1]),
    call('ppoll', (m) => [
      m.put(u32(3), u16(1, 0), u32(4), u16(4, 0), u32(-1), u16(1, 0)),
      3,
      m.put(ts(5, 0)),
      m.put(u64(1)),
      8,
    ]),
    call('ppoll', (m) => [m.put(u32(3), u16(0xffff, 0)), 1, 0, 0, 8]),
    call('ppoll', [BAD, 1, 0, 0, 8]),
    call('pselect6', (m) => [5, m.put(u64(8)), m.put(u64(16)), 0, m.put(ts(1, 0)), m.put(u64(m.put(u64(1)), 8))]),
    call('pselect6', (m) => [4, m.put(u64(0)), 0, m.put(u64(8)), m.put(ts(0, 0)), 0]),
    call('pselect6', (m) => [0, 0, 0, 0, m.put(ts(0, 0)), 0]),
    call('pselect6', (m) => [-1, m.put(u64(8)), 0, 0, 0, 0]),
    epoll,
    call('epoll_ctl', (m) => [
      epoll,
      1,
      3,
      x86 ? m.put(u32(0x80000001), u64(0x1122334455)) : m.put(u32(0x80000001, 0), u64(0x1122334455)),
    ]),
    call('epoll_ctl', [epoll, 2, 99, 0]),
    call('epoll_ctl', (m) => [epoll, 7, 99, m.put(u64(0, 0))]),
    call('epoll_pwait', (m) => [epoll, m.space(64), 4, 0, 0, 8]),
    call('epoll_pwait', (m) => [epoll, m.space(64), 4, 0, m.put(u64(2)), 8]),
    call('epoll_pwait', (m) => [99, m.space(64), 4, 0, 0, 8]),
    call('epoll_pwait2', (m) => [epoll, m.space(64), 4, m.put(ts(0, 0)), 0, 8]),
    unix,
    call('socket', [2, 1, 6]),
    call('socket', [10, 0o4002, 17]),
    call('socket', [16, 3, 0]),
    call('socket', [99, 77, 5]),
    call('socket', [2, 3, 1]),
    call('socketpair', (m) => [1, 1, 0, m.space(8)]),
    call('socketpair', [1, 1, 0, BAD]),
    call('connect', (m) => [19, m.put(u16(1), text('/none/socket\0')), 15]),
    call('connect', (m) => [19, m.put(u16(1), text('\0abstract')), 11]),
    call('connect', (m) => [-1, m.put(inet(80)), 16]),
    call('connect', (m) => [-1, m.put(inet6), 28]),
    call('connect', (m) => [-1, m.put(u16(16, 0), u32(5, 1)), 12]),
    call('connect', (m) => [-1, m.put(u16(77), text('abcdef')), 8]),
    call('connect', (m) => [-1, m.put(u16(17), u8(0, 3), u32(1), u16(772), u8(4, 6), u8(1, 2, 3, 4, 5, 0, 0, 0)), 20]),
    call('connect', (m) => [-1, m.put(u16(17), u8(0x12, 0x34), u32(9), u16(1), u8(0, 0), u64(0)), 20]),
    call('socket', [17, 3, 0x0300]),
    call('connect', (m) => [-1, m.put(u16(2)), 1]),
    call('connect', [-1, BAD, 16]),
    tcp,
    call('bind', (m) => [tcp, m.put(inet(0)), 16]),
    call('listen', [tcp, 5]),
    call('getsockname', (m) => [tcp, m.space(16), m.put(u32(16))]),
    call('getsockname', (m) => [tcp, m.space(16), m.put(u32(4))]),
    call('getsockname', (m) => [-1, m.space(16), m.put(u32(16))]),
    call('getsockname', [tcp, 0, 0]),
    call('getpeername', (m) => [tcp, m.space(16), m.put(u32(16))]),
    call('accept', (m) => [-1, m.space(16), m.put(u32(16))]),
    call('accept4', (m) => [-1, m.space(16), m.put(u32(16)), 0o2004000]),
    call('accept4', [-1, 0, 0, 0o2000000]),
    call('shutdown', [-1, 2]),
    call('socketpair', (m) => [1, 2, 0, m.space(8)]),
    call('sendto', (m) => [tcp, m.str('hello'), 5, 0x4040, m.put(inet(9)), 16]),
    call('sendto', (m) => [-1, m.str('hello'), 5, 0, 0, 0]),
    call('recvfrom', (m) => [-1, m.space(10), 10, 0x40, m.space(16), m.put(u32(16))]),
    call('recvfrom', (m) => [-1, m.space(10), 10, 0x40, 0, 0]),
    call('sendmsg', (m) => {
      const control = m.put(u64(20), u32(1, 1, 3, 0));
      return [-1, m.put(u64(m.put(inet(9)), 16, m.put(u64(m.str('abc'), 3)), 1, control, 24), u32(0, 0)), 0x4000];
    }),
    call('sendmsg', (m) => {
      const control = m.put(u64(28), u32(1, 2, 5, 6, 7, 0));
      return [-1, m.put(u64(0, 0, m.put(u64(m.str('abc'), 3)), 1, control, 32), u32(0, 0)), 0];
    }),
    call('sendmsg', (m) => {
      const rights = m.put(u64(16 + 40 * 4), u32(1, 1), u32(...Array.from({ length: 40 }, (_, fd) => fd)));
      return [-1, m.put(u64(0, 0, 0, 0, rights, 176), u32(0, 0)), 0];
    }),
    call('sendmsg', [-1, BAD, 0]),
    call('pipe2', (m) => [m.space(8), 0o2000000]),
    call('ppoll', (m) => [
      m.put(...Array.from({ length: 40 }, (_, fd) => [u32(fd), u16(5, 0)]).flat()),
      40,
      m.put(ts(0, 0)),
      0,
      8,
    ]),
    call('seccomp', (m) => {
      const code = m.put(
        u16(0x20),
        u8(0, 0),
        u32(4),
        u16(0x15),
        u8(1, 0),
        u32(0xc000003e),
        u16(6),
        u8(0, 0),
        u32(0x7fff0000),
        u16(6),
        u8(0, 0),
        u32(0x50005),
      );
      return [1, 0xfff0, m.put(u64(4, code))];
    }),
    call('setsockopt', (m) => {
      const code = m.put(
        u16(0x20),
        u8(0, 0),
        u32(0xfffff004),
        u16(0x7c),
        u8(0, 0),
        u32(1),
        u16(0x87),
        u8(0, 0),
        u32(0),
        u16(0x116),
        u8(0, 0),
        u32(9),
      );
      return [-1, 1, 26, m.put(u64(4, code)), 16];
    }),
    call('recvmsg', (m) => [-1, m.put(u64(m.space(16), 16, m.put(u64(m.space(8), 8)), 1, 0, 0), u32(0, 0)), 0]),
    call('socketpair', (m) => [1, 2, 0, m.space(8)]),
    call('setsockopt', (m) => [tcp, 1, 2, m.put(u32(1)), 4]),
    call('setsockopt', (m) => [tcp, 6, 1, m.put(u32(1)), 4]),
    call('setsockopt', (m) => [tcp, 1, 13, m.put(u32(1, 5)), 8]),
    call('setsockopt', (m) => [tcp, 1, 20, m.put(u64(1, 0)), 16]),
    call('setsockopt', (m) => [tcp, 0, 35, m.put(u8(224, 0, 0, 1, 0, 0, 0, 0)), 8]),
    call('setsockopt', (m) => [-1, 41, 26, m.put(u32(1)), 4]),
    call('setsockopt', (m) => [-1, 77, 26, m.put(u32(1)), 4]),
    call('getsockopt', (m) => [tcp, 1, 4, m.space(4), m.put(u32(4))]),
    call('getsockopt', (m) => [tcp, 1, 3, m.space(4), m.put(u32(4))]),
    call('getsockopt', (m) => [tcp, 1, 13, m.space(8), m.put(u32(16))]),
    call('getsockopt', (m) => [unix, 1, 17, m.space(12), m.put(u32(12))]),
    call('getsockopt', (m) => [tcp, 1, 8, m.space(8), m.put(u32(8))]),
    call('getsockopt', (m) => [-1, 1, 8, m.space(8), m.put(u32(8))]),
    call('getsockopt', (m) => [tcp, 6, 11, m.space(8), m.put(u32(8))]),
    call('getsockopt', [tcp, 1, 8, 0, 0]),
    call('sendmmsg', (m) => [-1, m.put(u64(0, 0, m.put(u64(m.str('abc'), 3)), 1, 0, 0, 0, 0)), 1, 0]),
    call('recvmmsg', (m) => [-1, m.put(u64(0, 0, m.put(u64(m.space(8), 8)), 1, 0, 0, 0, 0)), 1, 0, m.put(ts(1, 0))]),
  ];
  if (x86) {
    cases.push(
      call('poll', (m) => [m.put(u32(3), u16(1, 0)), 1, 0]),
      call('poll', (m) => [m.put(u32(4), u16(1, 0)), 1, 0]),
      call('select', (m) => [4, m.put(u64(8)), 0, 0, m.put(u64(1, 0))]),
      call('epoll_create', [1]),
      call('epoll_wait', (m) => [epoll, m.space(64), 4, 0]),
    );
  }
  golden('calls on descriptors and sockets', cases);
});

describe('interfaces', () => {
  const udp = call('socket', [2, 2, 0]);
  const request = (name: string, ...union: (number | Uint8Array | number[])[]): Uint8Array => {
    const bytes = new Uint8Array(40);
    bytes.set(text(name.padEnd(16, '\0').slice(0, 16)));
    bytes.set(Buffer.concat(union.map((part) => Uint8Array.from(typeof part === 'number' ? [part] : part))), 16);
    return bytes;
  };
  const ask = (code: number, bytes: Uint8Array): Case => call('ioctl', (m) => [udp, code, m.put(bytes)]);
  const GETS = [0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921, 0x8927, 0x8929, 0x8933, 0x8942, 0x8970];
  const inet = [...u16(2), ...u8(0, 9, 127, 0, 0, 9), ...u64(0)];
  const list = (length: number, room: number): Case =>
    call('ioctl', (m) => [udp, 0x8912, m.put(u32(length, 0), u64(room === 0 ? 0 : m.space(room)))]);
  golden('requests of network interfaces', [
    udp,
    ...GETS.map((code) => ask(code, request('lo'))),
    ...GETS.map((code) => ask(code, request('nope'))),
    ask(0x8910, request('', u32(1))),
    ask(0x8910, request('', u32(99))),
    ask(0x8915, request('abcdefghijklmnopq')),
    call('ioctl', [udp, 0x8915, BAD]),
    call('ioctl', [udp, 0x8910, 0]),
    ask(0x8914, request('nope', u16(0x41))),
    ask(0x8914, request('nope', u16(0x8043))),
    ask(0x8914, request('nope')),
    ...[0x8916, 0x8918, 0x891a, 0x891c].map((code) => ask(code, request('nope', inet))),
    ask(0x8916, request('nope', u16(77), text('abcdef'))),
    ask(0x891e, request('nope', u32(-3))),
    ask(0x8922, request('nope', u32(1500))),
    ask(0x8923, request('nope', text('new'))),
    ask(0x8924, request('nope', u16(1), u8(1, 2, 0xa3, 4, 5, 6))),
    ask(0x8924, request('nope', u16(0xeeee), u8(1, 2, 0xa3, 4, 5, 6))),
    ask(0x8930, request('nope', text('slave'))),
    ask(0x8943, request('nope', u32(3))),
    ask(0x8971, request('nope', u64(1, 0x2000), u16(0x300), u8(5, 6, 7))),
    call('ioctl', [udp, 0x8916, BAD]),
    list(120, 120),
    list(40, 40),
    list(0, 0),
    list(120, 0),
    list(20, 40),
    list(0, 40),
    list(130, 130),
    list(-5, 40),
    call('ioctl', [udp, 0x8912, BAD]),
    call('ioctl', (m) => [udp, 0x8912, m.put(u32(80, 0), u64(BAD))]),
    call('ioctl', (m) => [-1, 0x8912, m.put(u32(80, 0), u64(m.space(80)))]),
  ]);
});

describe('ipc', () => {
  const queue = call('msgget', [0, 0o1600]);
  const sem = call('semget', [0, 2, 0o1600]);
  const shm = call('shmget', [0, 4096, 0o1600]);
  const attached = call('shmat', [shm, 0, 0o10000]);
  golden('System V and POSIX IPC', [
    shm,
    call('shmget', [0x1234, 4096, 0o600]),
    attached,
    call('shmctl', (m) => [shm, 2, m.space(112)]),
    call('shmctl', (m) => [0, 3, m.space(72)]),
    call('shmctl', (m) => [0, 14, m.space(48)]),
    call('shmctl', (m) => [-1, 1, m.put(u32(0, 5, 6, 0, 0, 0o600), new Uint8Array(88))]),
    call('shmdt', [attached]),
    call('shmctl', [shm, 0, 0]),
    call('shmctl', [-1, 77, 0]),
    call('shmat', [-1, 0, 0]),
    sem,
    call('semget', [5, 2, 0]),
    call('semop', (m) => [sem, m.put(u16(0, 1, 0o4000)), 1]),
    call('semop', (m) => [sem, m.put(u16(0, -5, 0o14000)), 1]),
    call('semtimedop', (m) => [sem, m.put(u16(0, -5, 0)), 1, m.put(ts(0, 1))]),
    call('semctl', (m) => [sem, 0, 2, m.space(104)]),
    call('semctl', [sem, 0, 12, 0]),
    call('semctl', [sem, 0, 16, 3]),
    call('semctl', [sem, 0, 0, 0]),
    queue,
    call('msgsnd', (m) => [queue, m.put(u64(7), text('message text\0\0\0\0')), 12, 0o4000]),
    call('msgrcv', (m) => [queue, m.space(64), 32, -9, 0o14000]),
    call('msgrcv', (m) => [queue, m.space(64), 32, 0, 0o4000]),
    call('msgctl', (m) => [queue, 2, m.space(120)]),
    call('msgctl', (m) => [0, 3, m.space(32)]),
    call('msgctl', [queue, 0, 0]),
    call('mq_open', (m) => [m.str('q'), 0o102, 0o600, m.put(u64(0, 4, 64, 0), new Uint8Array(32))]),
    call('mq_open', (m) => [m.str('qqqq'), 0]),
    call('mq_timedsend', (m) => [-1, m.str('abc'), 3, 5, m.put(ts(1, 2))]),
    call('mq_timedreceive', (m) => [-1, m.space(64), 64, m.space(4), m.put(ts(1, 2))]),
    call('mq_getsetattr', (m) => [-1, m.put(u64(0o4000, 0, 0, 0), new Uint8Array(32)), m.space(64)]),
    call('mq_notify', (m) => [-1, m.put(u64(0), u32(0, 1), new Uint8Array(48))]),
    call('mq_unlink', (m) => [m.str('q')]),
    call('io_setup', (m) => [1, m.put(u64(0))]),
    call('io_destroy', [5]),
  ]);
});
