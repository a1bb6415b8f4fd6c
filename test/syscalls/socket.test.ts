/** AF_UNIX sockets: pairs, names, connections, datagrams, passing of descriptors; errors of the socket calls. */
import {
  AF_INET,
  AF_UNIX,
  AT_FDCWD,
  EADDRINUSE,
  EAFNOSUPPORT,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EFAULT,
  EINVAL,
  EISCONN,
  ENOENT,
  ENOPROTOOPT,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  FD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFL,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  O_NONBLOCK,
  O_RDWR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SCM_RIGHTS,
  SHUT_RD,
  SHUT_WR,
  SIGPIPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_DOMAIN,
  SO_ERROR,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_TYPE,
  S_IFSOCK,
  WILD,
  load32,
  syscallTest,
  type Arg,
  type S,
} from '../support/index.js';

const address = (path: string): Buffer => Buffer.from(`\x01\0${path}\0`, 'latin1');
const pair = (s: S, type = SOCK_STREAM) => {
  const fds = s.pack('u32', 0, 'u32', 0);
  s.socketpair(AF_UNIX, type, 0, fds).returns(0);
  return [load32(fds), load32(fds, 4)] as const;
};

syscallTest('socketpair: both ways, end of file, EPIPE', (s) => {
  const [a, b] = pair(s);
  s.write(a, 'to b');
  s.write(b, 'to a');
  s.reads(b, 'to b', 10);
  s.reads(a, 'to a', 10);
  const st = s.stat();
  s.fstat(a, st).returns(0);
  st.has({ mode: S_IFSOCK | 0o777 });
  s.close(a);
  s.reads(b, '', 1);
  s.ignoreSignal(SIGPIPE);
  s.call('write', b, 'x', 1).fails(EPIPE);
  s.sendto(b, 'x', 1, MSG_NOSIGNAL, null, 0).fails(EPIPE);
});

syscallTest('socket and socketpair: flags and errors', (s) => {
  const [a] = pair(s, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
  s.fcntl(a, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(a, F_GETFL).returns(O_RDWR | O_NONBLOCK);
  s.call('read', a, s.buffer(1), 1).fails(EAGAIN);
  const fds = s.buffer(8).ignore(); // Linux writes the numbers before it fails
  s.socketpair(AF_UNIX, 99, 0, fds).failsWith(EINVAL, ESOCKTNOSUPPORT);
  s.socketpair(AF_UNIX, SOCK_STREAM, 9, fds).fails(EPROTONOSUPPORT);
  s.socketpair(AF_UNIX, SOCK_STREAM, 0, WILD).fails(EFAULT);
  s.socketpair(AF_INET, SOCK_STREAM, 0, fds)
    .fails(EOPNOTSUPP)
    .differs('there is no AF_INET yet', (c) => c.fails(EAFNOSUPPORT));
  s.socket(99, SOCK_STREAM, 0).fails(EAFNOSUPPORT);
  s.socket(AF_UNIX, 9, 0).fails(ESOCKTNOSUPPORT);
  s.socket(AF_UNIX, SOCK_STREAM | 0x100, 0).fails(EINVAL);
});

syscallTest('socket calls on what is no socket', (s) => {
  s.bind(0, address('x'), 4).fails(ENOTSOCK);
  s.listen(0, 1).fails(ENOTSOCK);
  s.accept4(0, null, null, 0).fails(ENOTSOCK);
  s.connect(0, address('x'), 4).fails(ENOTSOCK);
  s.sendto(0, 'x', 1, 0, null, 0).fails(ENOTSOCK);
  s.recvfrom(0, s.buffer(1), 1, 0, null, null).fails(ENOTSOCK);
  s.getsockname(0, s.buffer(16), s.word(16)).fails(ENOTSOCK);
  s.shutdown(0, SHUT_RD).fails(ENOTSOCK);
  s.getsockopt(0, SOL_SOCKET, SO_TYPE, s.word(), s.word(4)).fails(ENOTSOCK);
  s.bind(99, address('x'), 4).fails(EBADF);
});

syscallTest('shutdown', (s) => {
  const [a, b] = pair(s);
  s.write(a, 'last');
  s.shutdown(a, SHUT_WR).returns(0);
  s.ignoreSignal(SIGPIPE);
  s.call('write', a, 'x', 1).fails(EPIPE);
  s.reads(b, 'last', 10);
  s.reads(b, '', 10);
  s.write(b, 'still');
  s.reads(a, 'still', 10);
  s.shutdown(a, 9).fails(EINVAL);
});

syscallTest('a named stream socket: bind, listen, connect, accept', (s) => {
  const server = s.socket(AF_UNIX, SOCK_STREAM, 0).fd();
  s.bind(server, address('sock'), 7).returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'sock', st, 0).returns(0);
  st.has({ mode: S_IFSOCK | 0o755 });
  const early = s.socket(AF_UNIX, SOCK_STREAM, 0).fd();
  s.connect(early, address('sock'), 7).fails(ECONNREFUSED);
  s.accept4(server, null, null, 0).fails(EINVAL);
  s.listen(server, 5).returns(0);
  const child = s.fork((c) => {
    const client = c.socket(AF_UNIX, SOCK_STREAM, 0).fd();
    c.connect(client, address('sock'), 7).returns(0);
    c.write(client, 'hello server');
    c.reads(client, 'hello client', 20);
  });
  const [peer, length] = [s.buffer(110), s.word(110)];
  const connection = s.accept4(server, peer, length, SOCK_CLOEXEC).fd();
  length.u32(0, 2); // the client has no name
  s.fcntl(connection, F_GETFD).returns(FD_CLOEXEC);
  s.reads(connection, 'hello server', 20);
  s.write(connection, 'hello client');
  s.wait(child).exited(0);
  s.reads(connection, '', 1);
  const [name, size] = [s.buffer(110), s.word(110)];
  s.getsockname(connection, name, size).returns(0);
  size.u32(0, 7);
  name.is('\x01\0sock\0');
  s.getpeername(server, name, size).fails(ENOTCONN);
  s.bind(early, address('sock'), 7).fails(EADDRINUSE);
  s.connect(early, address('missing'), 10).fails(ENOENT);
  s.connect(early, address('sock'), 1).fails(EINVAL);
  s.connect(early, WILD, 7).fails(EFAULT);
  s.connect(connection, address('sock'), 7).fails(EISCONN);
});

syscallTest('accept without waiting, poll on a listening socket', (s) => {
  const server = s.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0).fd();
  s.bind(server, address('sock'), 7).returns(0);
  s.listen(server, 1).returns(0);
  s.accept4(server, null, null, 0).fails(EAGAIN);
  const poll = s.pack('u32', server, 'u16', POLLIN, 'u16', 0);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(0);
  const client = s.socket(AF_UNIX, SOCK_STREAM, 0).fd();
  s.connect(client, address('sock'), 7).returns(0);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  s.accept4(server, null, null, 0).fd();
  s.accept4(server, null, null, 8).fails(EINVAL);
});

syscallTest('abstract names', (s) => {
  const name = Buffer.from('\x01\0\0abstract', 'latin1');
  const server = s.socket(AF_UNIX, SOCK_DGRAM, 0).fd();
  s.bind(server, name, 11).returns(0);
  const client = s.socket(AF_UNIX, SOCK_DGRAM, 0).fd();
  s.sendto(client, 'hi', 2, 0, name, 11).returns(2);
  s.reads(server, 'hi', 10);
  s.sendto(client, 'hi', 2, 0, Buffer.from('\x01\0\0abstracT', 'latin1'), 11).fails(ECONNREFUSED);
});

syscallTest('datagrams keep their borders', (s) => {
  const [a, b] = pair(s, SOCK_DGRAM);
  s.write(a, 'first');
  s.write(a, 'second');
  s.write(a, '');
  s.reads(b, 'fir', 3); // the rest is dropped
  const buffer = s.buffer(10);
  s.recvfrom(b, buffer, 3, MSG_TRUNC, null, null).returns(6); // its real length
  s.recvfrom(b, buffer, 10, 0, null, null).returns(0);
  s.recvfrom(b, buffer, 10, MSG_DONTWAIT, null, null).fails(EAGAIN);
});

syscallTest('SOCK_SEQPACKET and MSG_PEEK', (s) => {
  const [a, b] = pair(s, SOCK_SEQPACKET);
  s.write(a, 'packet');
  const buffer = s.buffer(10);
  s.recvfrom(b, buffer, 10, MSG_PEEK, null, null).returns(6);
  s.recvfrom(b, buffer, 10, 0, null, null).returns(6);
  s.close(a);
  s.reads(b, '', 1);
});

const msghdr = (s: S, data: Arg, length: number, control: Arg = 0, controlLength = 0) =>
  s.pack('ptr', 0, 'u32', 0, 'ptr', s.iovec([data, length]), 'u64', 1, 'ptr', control, 'u64', controlLength, 'u32', 0);

syscallTest('descriptors travel in SCM_RIGHTS', (s) => {
  const [a, b] = pair(s);
  const p = s.pipe();
  const control = s.pack('u64', 20, 'u32', SOL_SOCKET, 'u32', SCM_RIGHTS, 'u32', p.r, 'u32', 0);
  s.sendmsg(a, msghdr(s, 'x', 1, control, 20), 0).returns(1);
  s.close(p.r);
  const got = s.buffer(24);
  const message = msghdr(s, s.buffer(1), 1, got, 24).ignore(0, 56);
  s.recvmsg(b, message, MSG_CMSG_CLOEXEC).returns(1);
  got.u64(0, 20).u32(8, SOL_SOCKET).u32(12, SCM_RIGHTS).u32(16, 5);
  s.fcntl(5, F_GETFD).returns(FD_CLOEXEC);
  s.write(p.w, 'through');
  s.reads(5, 'through', 10);
});

syscallTest('a descriptor in flight is not closed', (s) => {
  const [a, b] = pair(s);
  const p = s.pipe();
  const control = s.pack('u64', 20, 'u32', SOL_SOCKET, 'u32', SCM_RIGHTS, 'u32', p.w, 'u32', 0);
  s.sendmsg(a, msghdr(s, 'x', 1, control, 20), 0).returns(1);
  s.close(p.w);
  s.fcntl(p.r, F_SETFL, O_NONBLOCK).returns(0);
  s.call('read', p.r, s.buffer(1), 1).fails(EAGAIN); // a writer is left
  s.close(b);
  s.close(a);
  s.reads(p.r, '', 1); // now none
});

syscallTest('socket options', (s) => {
  const [a] = pair(s);
  const [value, length] = [s.word(0), s.word(4)];
  s.getsockopt(a, SOL_SOCKET, SO_TYPE, value, length).returns(0);
  value.u32(0, SOCK_STREAM);
  length.u32(0, 4);
  s.getsockopt(a, SOL_SOCKET, SO_DOMAIN, value, length).returns(0);
  value.u32(0, AF_UNIX);
  s.getsockopt(a, SOL_SOCKET, SO_ERROR, value, length).returns(0);
  value.u32(0, 0);
  const [cred, size] = [s.buffer(12).pid(0), s.word(12)];
  s.getsockopt(a, SOL_SOCKET, SO_PEERCRED, cred, size).returns(0);
  cred.u32(4, 0).u32(8, 0);
  s.setsockopt(a, SOL_SOCKET, SO_PASSCRED, s.word(1), 4).returns(0);
  s.getsockopt(a, SOL_SOCKET, SO_PASSCRED, value, length).returns(0);
  value.u32(0, 1);
  s.getsockopt(a, SOL_SOCKET, 9999, value, length).fails(ENOPROTOOPT);
  s.setsockopt(a, SOL_SOCKET, SO_PASSCRED, WILD, 4).fails(EFAULT);
});

syscallTest('a blocked receive wakes up', (s) => {
  const [a, b] = pair(s);
  const child = s.fork((c) => {
    c.reads(b, 'wake', 4);
  });
  s.waitBlocked(child);
  s.write(a, 'wake');
  s.wait(child).exited(0);
});

syscallTest('poll on a pair', (s) => {
  const [a, b] = pair(s);
  const poll = s.pack('u32', a, 'u16', POLLIN | POLLOUT | POLLRDHUP, 'u16', 0);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  poll.u16(6, POLLOUT);
  s.write(b, 'x');
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  poll.u16(6, POLLIN | POLLOUT);
  s.close(b);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  poll.u16(6, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
});

/** The vector of recvmmsg or sendmmsg: one buffer each. */
const mmsghdrs = (s: S, ...buffers: Arg[]) =>
  s
    .pack(
      ...buffers.flatMap((at): Arg[] => [
        ...['ptr', 0, 'u32', 0, 'ptr', s.iovec([at, 1]), 'u64', 1, 'ptr', 0, 'u64', 0, 'u32', 0],
        ...['u64', 0],
      ]),
    )
    .ignore();

syscallTest('recvmmsg writes back what is left of its timeout', (s) => {
  const [a, b] = pair(s, SOCK_DGRAM);
  for (let i = 0; i < 4; i++) s.write(a, 'x');
  const vector = mmsghdrs(s, s.buffer(1).ignore(), s.buffer(1).ignore());
  const timeout = s.pack('u64', 1000, 'u64', 0).ignore();
  s.recvmmsg(b, vector, 2, 0, timeout).returns(2);
  timeout.u64(0, 999);
  s.recvmmsg(b, vector, 2, 0, s.pack('u64', 0, 'u64', 0)).returns(1); // a timeout of zero is over after one message
  const kept = s.pack('u64', 1000, 'u64', 0);
  s.recvmmsg(b, vector, 0, 0, kept).returns(0);
  kept.u64(0, 1000);
  s.recvmmsg(b, vector, 1, 0, null).returns(1);
  s.recvmmsg(b, vector, 1, MSG_DONTWAIT, kept).fails(EAGAIN);
  kept.u64(0, 1000);
  s.recvmmsg(99, vector, 1, 0, s.pack('u64', 0, 'u64', 2e9)).fails(EINVAL);
});
