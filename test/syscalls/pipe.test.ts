/** pipe, pipe2 and what read, write and splice do with pipes: capacity, atomicity, blocking, EPIPE. */
import {
  AT_FDCWD,
  EAGAIN,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EMFILE,
  EPIPE,
  FD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  O_CLOEXEC,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  RLIMIT_NOFILE,
  SA_RESTART,
  SIGPIPE,
  SIGUSR1,
  S_IFIFO,
  WILD,
  syscallTest,
} from '../support/index.js';

/** On every machine: no write of so many bytes is divided. */
const PIPE_BUF = 4096;

syscallTest('pipe2: descriptors, direction, flags', (s) => {
  const p = s.pipe();
  p.fds.u32(0, 3).u32(4, 4);
  s.write(p.w, 'hello');
  s.reads(p.r, 'hel', 3);
  s.reads(p.r, 'lo', 10);
  s.call('read', p.w, s.buffer(1), 1).fails(EBADF);
  s.call('write', p.r, 'x', 1).fails(EBADF);
  const st = s.stat();
  s.fstat(p.r, st).returns(0);
  st.has({ mode: S_IFIFO | 0o600, nlink: 1, size: 0, uid: 0 });
  const q = s.pipe(O_CLOEXEC | O_NONBLOCK);
  s.fcntl(q.r, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(q.w, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(q.r, F_GETFL).returns(O_NONBLOCK);
  s.fcntl(q.w, F_GETFL).returns(O_NONBLOCK | O_WRONLY);
});

syscallTest('pipe', (s) => {
  const fds = s.buffer(8);
  s.call('pipe', fds).returns(0);
  fds.u32(0, 3).u32(4, 4);
  s.call('pipe', WILD).fails(EFAULT);
  s.open('/dev/null', O_RDONLY).returns(5); // nothing leaked
});

syscallTest('errors of pipe2', (s) => {
  const fds = s.buffer(8);
  s.pipe2(fds, O_RDWR).fails(EINVAL);
  s.pipe2(fds, 0x4000_0000).fails(EINVAL);
  s.pipe2(WILD, 0).fails(EFAULT);
  s.pipe2(
    s
      .pages(1)
      .ignore()
      .plus(PAGE - 4),
    0,
  ).fails(EFAULT); // the second number does not fit
  fds.all(0xa5);
  s.open('/dev/null', O_RDONLY).returns(3);
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 5, 'u64', 5), null).returns(0);
  s.pipe2(fds, 0).fails(EMFILE);
  s.open('/dev/null', O_RDONLY).returns(4);
});

syscallTest('16 pages fit, then writes block or fail with EAGAIN', (s) => {
  const p = s.pipe(O_NONBLOCK);
  s.call('write', p.w, new Uint8Array(17 * PAGE), 17 * PAGE).returns(16 * PAGE);
  s.call('write', p.w, 'x', 1).fails(EAGAIN);
  s.reads(p.r, new Uint8Array(PAGE), PAGE);
  s.call('write', p.w, new Uint8Array(2 * PAGE), 2 * PAGE).returns(PAGE);
  s.call('write', p.w, 'x', 1).fails(EAGAIN);
});

syscallTest('writes up to PIPE_BUF are all or nothing', (s) => {
  const p = s.pipe(O_NONBLOCK);
  s.call('write', p.w, new Uint8Array(15 * PAGE), 15 * PAGE).returns(15 * PAGE);
  s.write(p.w, 'x'.repeat(PAGE - PIPE_BUF + 96));
  s.call('write', p.w, new Uint8Array(PIPE_BUF), PIPE_BUF).fails(EAGAIN);
  s.write(p.w, 'y'.repeat(1000)); // what fits still goes in: the last page has room
});

syscallTest('as many writes of one byte fit into one pipe as it holds bytes', (s) => {
  const p = s.pipe(O_NONBLOCK);
  const one = s.bytes('z');
  const parts = Array.from({ length: 1024 }, () => [one, 1] as const);
  const vector = s.iovec(...parts);
  for (let i = 0; i < (16 * PAGE) / 1024; i++) s.writev(p.w, vector, 1024).returns(1024);
  s.writev(p.w, vector, 1024).fails(EAGAIN);
});

syscallTest('a bad address consumes nothing of the buffer that does not fit before it', (s) => {
  const p = s.pipe(O_NONBLOCK);
  s.write(p.w, 'one buffer');
  s.call(
    'read',
    p.r,
    s
      .pages(1)
      .ignore()
      .plus(PAGE - 4),
    10,
  ).fails(EFAULT);
  s.reads(p.r, 'one buffer', 20);
  const content = Buffer.alloc(3 * PAGE, 'abcdefghij');
  s.call('write', p.w, content, 3 * PAGE).returns(3 * PAGE);
  s.call('read', p.r, s.pages(2).ignore().plus(100), 3 * PAGE).returns(PAGE);
  s.call(
    'read',
    p.r,
    s
      .pages(1)
      .ignore()
      .plus(PAGE - 96),
    96,
  ).returns(96);
  s.call('read', p.r, s.pages(1).ignore().plus(96), 2 * PAGE - 192).returns(PAGE - 96);
  s.call('read', p.r, s.pages(1).ignore().plus(1), PAGE).fails(EFAULT);
  s.reads(p.r, content.subarray(2 * PAGE), 2 * PAGE);
  const q = s.pipe(O_NONBLOCK | O_DIRECT);
  s.write(q.w, 'packet');
  s.call(
    'read',
    q.r,
    s
      .pages(1)
      .ignore()
      .plus(PAGE - 4),
    6,
  ).fails(EFAULT);
  s.reads(q.r, 'packet', 6);
});

syscallTest('an empty pipe: EAGAIN without, end of file after the last writer is gone', (s) => {
  const p = s.pipe(O_NONBLOCK);
  s.call('read', p.r, s.buffer(4), 4).fails(EAGAIN);
  s.call('read', p.r, s.buffer(4), 0).returns(0);
  s.write(p.w, 'last');
  s.close(p.w);
  s.reads(p.r, 'last', 10);
  s.reads(p.r, '', 10);
});

syscallTest('EPIPE and SIGPIPE', (s) => {
  const p = s.pipe();
  s.close(p.r);
  s.onSignal(SIGPIPE);
  s.sees(SIGPIPE);
  s.call('write', p.w, 'x', 1).fails(EPIPE);
  s.ignoreSignal(SIGPIPE);
  s.call('write', p.w, 'x', 1).fails(EPIPE);
  s.writev(p.w, s.iovec(['x', 1]), 1).fails(EPIPE);
  s.call('write', p.w, 'x', 0).returns(0);
});

syscallTest('SIGPIPE ends the writer', (s) => {
  const p = s.pipe();
  s.close(p.r);
  const child = s.fork((c) => {
    c.call('write', p.w, 'x', 1).optional();
    c.exit(1);
  });
  s.wait(child).killed(SIGPIPE);
});

syscallTest('a reader waits for the writer', (s) => {
  const p = s.pipe();
  const reader = s.fork((c) => {
    c.close(p.w);
    c.reads(p.r, 'now', 10);
    c.reads(p.r, '', 10);
  });
  s.waitBlocked(reader);
  s.write(p.w, 'now');
  s.waitBlocked(reader);
  s.close(p.w);
  s.wait(reader).exited(0);
});

syscallTest('a writer waits for room and then goes on', (s) => {
  const p = s.pipe();
  const content = Buffer.alloc(25 * PAGE, 'abcdefghij');
  const writer = s.fork((c) => {
    c.close(p.r);
    c.call('write', p.w, content, 25 * PAGE).returns(25 * PAGE);
  });
  s.close(p.w);
  s.waitBlocked(writer);
  s.reads(p.r, content.subarray(0, 16 * PAGE), 16 * PAGE);
  s.wait(writer).exited(0);
  s.reads(p.r, content.subarray(16 * PAGE), 16 * PAGE);
  s.reads(p.r, '', 1);
});

syscallTest('a blocked write ends with what it has written when a signal comes', (s) => {
  const p = s.pipe();
  const writer = s.fork((c) => {
    c.onSignal(SIGUSR1);
    c.sees(SIGUSR1);
    c.call('write', p.w, new Uint8Array(20 * PAGE), 20 * PAGE).returns(16 * PAGE);
  });
  s.waitBlocked(writer);
  s.kill(writer, SIGUSR1).returns(0);
  s.wait(writer).exited(0);
});

syscallTest('a blocked read: EINTR, or restarted with SA_RESTART', (s) => {
  for (const flags of [0, SA_RESTART]) {
    const p = s.pipe();
    const reader = s.fork((c) => {
      c.onSignal(SIGUSR1, undefined, { flags });
      c.sees(SIGUSR1);
      if (flags === 0) c.call('read', p.r, c.buffer(4), 4).fails(EINTR);
      else c.reads(p.r, 'data', 4);
    });
    s.waitBlocked(reader);
    s.kill(reader, SIGUSR1).returns(0);
    if (flags !== 0) s.write(p.w, 'data');
    s.wait(reader).exited(0);
  }
});

syscallTest('a blocked writer gets EPIPE when the reader goes', (s) => {
  const p = s.pipe();
  const writer = s.fork((c) => {
    c.close(p.r);
    c.ignoreSignal(SIGPIPE);
    c.call('write', p.w, new Uint8Array(17 * PAGE), 17 * PAGE).returns(16 * PAGE);
    c.call('write', p.w, 'x', 1).fails(EPIPE);
  });
  s.close(p.w);
  s.waitBlocked(writer);
  s.close(p.r);
  s.wait(writer).exited(0);
});

syscallTest('writes of several processes up to PIPE_BUF do not mix', (s) => {
  const p = s.pipe();
  const children = ['a', 'b', 'c', 'd'].map((letter) =>
    s.fork((c) => {
      for (let i = 0; i < 4; i++) c.write(p.w, letter.repeat(4096));
    }),
  );
  for (const child of children) s.wait(child).exited(0);
  for (let i = 0; i < 16; i++) {
    const b = s.buffer(4096).ignore();
    s.call('read', p.r, b, 4096).returns(4096);
    s.check('one letter', (v) => {
      const bytes = v.bytes(b.address, 4096);
      return bytes.every((byte) => byte === bytes[0]) || 'several';
    });
  }
});

syscallTest('a pipe through which a child gets and answers', (s) => {
  const [to, from] = [s.pipe(), s.pipe()];
  const child = s.fork((c) => {
    const b = c.buffer(6);
    c.call('read', to.r, b, 6).returns(6);
    b.is('ask me');
    c.write(from.w, 'answer');
  });
  s.write(to.w, 'ask me');
  s.reads(from.r, 'answer', 6);
  s.wait(child).exited(0);
});

syscallTest('/proc/self/fd reopens a pipe', (s) => {
  const p = s.pipe();
  s.openat(AT_FDCWD, '/proc/self/fd/4', O_WRONLY | O_NONBLOCK, 0).returns(5);
  s.write(5, 'x');
  s.reads(p.r, 'x', 5);
});

syscallTest('packets: O_DIRECT pipes keep writes apart', (s) => {
  const p = s.pipe(O_DIRECT);
  s.write(p.w, 'one');
  s.write(p.w, 'second');
  s.reads(p.r, 'one', 100);
  s.reads(p.r, 'sec', 3); // the rest of a packet is dropped
  s.write(p.w, 'third');
  s.reads(p.r, 'third', 100);
});
