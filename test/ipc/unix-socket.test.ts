import { describe, expect, it } from '@jest/globals';
import {
  EADDRINUSE,
  EAFNOSUPPORT,
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EISCONN,
  ENOENT,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPROTOTYPE,
} from '../../src/abi/errno.js';
import {
  AF_INET,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from '../../src/abi/flags/socket.js';
import { POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from '../../src/abi/flags/poll.js';
import { SIGPIPE } from '../../src/abi/flags/signal.js';
import { BASE, BLOCKED, guest, type Guest } from './calls.js';

const ADDRESS = 0x100;
/** Stores a sockaddr_un and returns [address, length]. */
function address(g: Guest, path: string): [number, number] {
  g.view.setUint16(ADDRESS, AF_UNIX, true);
  g.put(ADDRESS + 2, path);
  return [BASE + ADDRESS, 2 + path.length];
}
function pair(g: Guest, type: number): [number, number] {
  expect(g.call('socketpair', AF_UNIX, type, 0, BASE)).toBe(0);
  return [g.view.getInt32(0, true), g.view.getInt32(4, true)];
}
const poll = (g: Guest, fd: number) => g.task.files.get(fd).poll(g.task);

describe('stream pairs', () => {
  it.each([
    [1, 278],
    [300, 167],
    [1000, 93],
    [2000, 49],
    [3800, 44],
    [8192, 24],
    [16384, 13],
    [36544, 6],
  ])('are full after as many writes of %i bytes as on Linux: %i', (size, count) => {
    const g = guest();
    const [a] = pair(g, SOCK_STREAM | SOCK_NONBLOCK);
    let n = 0;
    while (g.call('write', a, BASE, size) > 0) n++;
    expect(n).toBe(count);
    expect(g.call('write', a, BASE, size)).toBe(-EAGAIN);
  });
  it('write 219264 bytes at most at once, and want a quarter free for POLLOUT', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_STREAM | SOCK_NONBLOCK);
    expect(g.call('write', a, BASE, 300_000)).toBe(219_264);
    expect(poll(g, a) & POLLOUT).toBe(0);
    expect(g.call('read', b, BASE, 36544 * 4)).toBe(36544 * 4);
    expect(poll(g, a) & POLLOUT).toBe(0);
    g.call('read', b, BASE, 36544);
    expect(poll(g, a) & POLLOUT).toBe(POLLOUT);
  });
  it('join writes, block and go on', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_STREAM);
    g.put(0x1000, 'hello world');
    g.call('write', a, BASE + 0x1000, 5);
    g.call('write', a, BASE + 0x1005, 6);
    expect(g.call('read', b, BASE + 0x2000, 100)).toBe(11);
    expect(g.get(0x2000, 11)).toBe('hello world');
    expect(g.call('read', b, BASE, 1)).toBe(BLOCKED);
    const other = guest(g.task.kernel as never);
    other.task.files.set(0, g.task.files.get(a), false);
    other.call('write', 0, BASE, 1);
    expect(g.settle()).toBe(1);
  });
  it('end: EOF, EPIPE with SIGPIPE, ECONNRESET for unread data', () => {
    const g = guest();
    g.task.sighand.actions[SIGPIPE] = { ...g.task.sighand.actions[SIGPIPE], handler: 0x1000 };
    const [a, b] = pair(g, SOCK_STREAM);
    g.call('write', a, BASE, 3);
    g.call('close', a);
    expect(poll(g, b)).toBe(POLLIN | 0x40 | POLLOUT | 0x300 | POLLHUP | POLLRDHUP);
    expect(g.call('read', b, BASE, 10)).toBe(3);
    expect(g.call('read', b, BASE, 10)).toBe(0);
    expect(g.call('sendto', b, BASE, 1, 0x4000, 0, 0)).toBe(-EPIPE);
    expect(g.task.pending.set.has(SIGPIPE)).toBe(false);
    expect(g.call('write', b, BASE, 1)).toBe(-EPIPE);
    expect(g.task.pending.set.has(SIGPIPE)).toBe(true);
    g.task.pending.clear();
    const [c, d] = pair(g, SOCK_STREAM);
    g.call('write', c, BASE, 3);
    g.call('close', d);
    expect(g.call('read', c, BASE, 10)).toBe(-ECONNRESET);
    expect(g.call('read', c, BASE, 10)).toBe(0);
  });
  it('shut down one way', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_STREAM);
    expect(g.call('shutdown', a, 1)).toBe(0);
    expect(g.call('read', b, BASE, 1)).toBe(0);
    expect(g.call('write', b, BASE, 1)).toBe(1);
    expect(g.call('read', a, BASE, 1)).toBe(1);
    expect(g.call('shutdown', a, 3)).toBe(-EINVAL);
  });
  it('time out with SO_RCVTIMEO', () => {
    const g = guest();
    const [, b] = pair(g, SOCK_STREAM);
    g.view.setBigInt64(0x40, 0n, true);
    g.view.setBigInt64(0x48, 5000n, true);
    expect(g.call('setsockopt', b, 1, 20, BASE + 0x40, 16)).toBe(0);
    expect(g.call('read', b, BASE, 1)).toBe(BLOCKED);
    (g.task.kernel as unknown as { advance(ms: number): void }).advance(5);
    expect(g.settle()).toBe(-EAGAIN);
  });
});

describe('connections', () => {
  it('bind, listen, connect, accept through a path', () => {
    const g = guest();
    const listener = g.call('socket', AF_UNIX, SOCK_STREAM, 0);
    expect(g.call('bind', listener, ...address(g, '/sock'))).toBe(0);
    expect(g.call('listen', listener, 1)).toBe(0);
    expect(poll(g, listener) & POLLIN).toBe(0);
    expect(g.call('accept', listener, 0, 0)).toBe(BLOCKED);
    const client = guest(g.task.kernel as never);
    client.call('socket', AF_UNIX, SOCK_STREAM, 0);
    expect(client.call('connect', 0, ...address(client, '/sock'))).toBe(0);
    const server = g.settle();
    expect(server).toBe(1);
    client.put(0x1000, 'hi');
    client.call('write', 0, BASE + 0x1000, 2);
    expect(g.call('read', server, BASE + 0x1000, 10)).toBe(2);
    expect(g.get(0x1000, 2)).toBe('hi');
    g.view.setInt32(0x40, 110, true);
    expect(g.call('getsockname', server, BASE + 0x200, BASE + 0x40)).toBe(0);
    expect([g.view.getInt32(0x40, true), g.get(0x202, 6)]).toEqual([8, '/sock\0']);
    g.view.setInt32(0x40, 12, true);
    expect(g.call('getsockopt', server, 1, 17, BASE + 0x60, BASE + 0x40)).toBe(0);
    expect(g.view.getInt32(0x60, true)).toBe(client.task.tgid);
    expect(client.call('connect', 0, ...address(client, '/sock'))).toBe(-EISCONN);
    const second = g.call('socket', AF_UNIX, SOCK_STREAM, 0);
    expect(g.call('bind', second, ...address(g, '/sock'))).toBe(-EADDRINUSE);
    g.call('close', listener);
    expect(client.call('socket', AF_UNIX, SOCK_STREAM, 0)).toBe(1);
    expect(client.call('connect', 1, ...address(client, '/sock'))).toBe(-ECONNREFUSED);
    expect(client.call('connect', 1, ...address(client, '/nothing'))).toBe(-ENOENT);
  });
  it('abstract names, a full backlog, types', () => {
    const g = guest();
    const listener = g.call('socket', AF_UNIX, SOCK_STREAM, 0);
    g.call('bind', listener, ...address(g, '\0name'));
    g.call('listen', listener, 0);
    const connect = (type: number) => {
      const fd = g.call('socket', AF_UNIX, type, 0);
      return g.call('connect', fd, ...address(g, '\0name'));
    };
    expect(connect(SOCK_STREAM | SOCK_NONBLOCK)).toBe(0);
    expect(connect(SOCK_STREAM | SOCK_NONBLOCK)).toBe(-EAGAIN);
    expect(connect(SOCK_SEQPACKET)).toBe(-EPROTOTYPE);
    expect(connect(SOCK_DGRAM)).toBe(-EPROTOTYPE);
    expect(g.call('accept4', listener, 0, 0, 0)).toBeGreaterThan(0);
    expect(connect(SOCK_STREAM | SOCK_NONBLOCK)).toBe(0);
    const fd = g.call('socket', AF_UNIX, SOCK_STREAM, 0);
    expect(g.call('write', fd, BASE, 1)).toBe(-ENOTCONN);
    expect(g.call('read', fd, BASE, 1)).toBe(-EINVAL);
    expect(g.call('accept', fd, 0, 0)).toBe(-EINVAL);
    expect(poll(g, fd)).toBe(POLLOUT | 0x300 | POLLHUP);
  });
  it('families, types and descriptors that are wrong', () => {
    const g = guest();
    expect(g.call('socket', AF_INET + 20, SOCK_STREAM, 0)).toBe(-EAFNOSUPPORT);
    expect(g.call('socket', AF_UNIX, SOCK_STREAM | 0x10, 0)).toBe(-EINVAL);
    g.call('pipe2', BASE, 0);
    expect(g.call('listen', 0, 1)).toBe(-ENOTSOCK);
  });
});

describe('datagrams and packets', () => {
  it('keep their boundaries; MSG_TRUNC gives the length', () => {
    const g = guest();
    for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
      const [a, b] = pair(g, type);
      g.call('write', a, BASE, 10);
      g.call('write', a, BASE, 20);
      expect(g.call('recvfrom', b, BASE, 4, 0x22, 0, 0)).toBe(10);
      expect(g.call('read', b, BASE, 4)).toBe(4);
      expect(g.call('read', b, BASE, 100)).toBe(20);
    }
  });
  it('hold up a sender that the receiver is not connected to', () => {
    const g = guest();
    const server = g.call('socket', AF_UNIX, SOCK_DGRAM, 0);
    g.call('bind', server, ...address(g, '\0d'));
    const client = g.call('socket', AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const send = () => g.call('sendto', client, BASE, 1, 0, ...address(g, '\0d'));
    for (let i = 0; i < 11; i++) expect(send()).toBe(1);
    expect(send()).toBe(-EAGAIN);
    g.call('read', server, BASE, 1);
    expect(send()).toBe(1);
    g.call('close', server);
    expect(send()).toBe(-ECONNREFUSED);
    expect(g.call('listen', client, 1)).toBe(-EOPNOTSUPP);
  });
});

describe('control messages', () => {
  const MSG = 0x400;
  const IOV = 0x480;
  const CONTROL = 0x500;
  function header(g: Guest, controlLength: number) {
    g.bytes.fill(0, MSG, MSG + 56);
    g.view.setBigUint64(IOV, BigInt(BASE + 0x1000), true);
    g.view.setBigUint64(IOV + 8, 100n, true);
    g.view.setBigUint64(MSG + 16, BigInt(BASE + IOV), true);
    g.view.setBigUint64(MSG + 24, 1n, true);
    g.view.setBigUint64(MSG + 32, BigInt(BASE + CONTROL), true);
    g.view.setBigUint64(MSG + 40, BigInt(controlLength), true);
  }
  function rights(g: Guest, ...fds: number[]) {
    g.view.setBigUint64(CONTROL, BigInt(16 + fds.length * 4), true);
    g.view.setInt32(CONTROL + 8, 1, true);
    g.view.setInt32(CONTROL + 12, 1, true);
    fds.forEach((fd, i) => g.view.setInt32(CONTROL + 16 + i * 4, fd, true));
    header(g, 16 + fds.length * 4);
  }
  it('pass files, and a read stops behind them', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_STREAM);
    g.call('pipe2', BASE, 0);
    const writeEnd = g.view.getInt32(4, true);
    rights(g, writeEnd);
    expect(g.call('sendmsg', a, BASE + MSG, 0)).toBe(100);
    g.call('write', a, BASE, 5);
    g.call('close', writeEnd);
    header(g, 64);
    expect(g.call('recvmsg', b, BASE + MSG, 0x40000000)).toBe(100);
    const fd = g.view.getInt32(CONTROL + 16, true);
    expect(Number(g.view.getBigUint64(MSG + 40, true))).toBe(24);
    expect(g.call('fcntl', fd, 1, 0)).toBe(1);
    expect(g.call('write', fd, BASE, 3)).toBe(3);
    expect(g.call('read', b, BASE, 100)).toBe(5);
  });
  it('drop what does not fit with MSG_CTRUNC, and files nobody reads', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_STREAM);
    g.call('pipe2', BASE, 0);
    const [readEnd, writeEnd] = [g.view.getInt32(0, true), g.view.getInt32(4, true)];
    rights(g, writeEnd, writeEnd);
    g.call('sendmsg', a, BASE + MSG, 0);
    g.call('close', writeEnd);
    header(g, 20);
    expect(g.call('recvmsg', b, BASE + MSG, 0)).toBe(100);
    expect(g.view.getUint32(MSG + 48, true)).toBe(8);
    const fd = g.view.getInt32(CONTROL + 16, true);
    rights(g, fd);
    g.call('sendmsg', a, BASE + MSG, 0);
    g.call('close', fd);
    expect(poll(g, readEnd)).toBe(0);
    g.call('close', b);
    expect(poll(g, readEnd)).toBe(POLLHUP);
  });
  it('carry credentials when asked for', () => {
    const g = guest();
    const [a, b] = pair(g, SOCK_DGRAM);
    g.view.setInt32(0x40, 1, true);
    g.call('setsockopt', b, 1, 16, BASE + 0x40, 4);
    g.call('write', a, BASE, 1);
    header(g, 64);
    expect(g.call('recvmsg', b, BASE + MSG, 0)).toBe(1);
    expect(Number(g.view.getBigUint64(CONTROL, true))).toBe(28);
    expect([12, 16, 20, 24].map((at) => g.view.getInt32(CONTROL + at, true))).toEqual([2, g.task.tgid, 0, 0]);
  });
});
