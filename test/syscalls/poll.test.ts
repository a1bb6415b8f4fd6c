/** poll, ppoll, select, pselect6: readiness, timeouts that are really waited for, signal masks. */
import {
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  PAGE,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  RLIMIT_NOFILE,
  SA_RESTART,
  SIGUSR1,
  SIGUSR2,
  SIG_BLOCK,
  WILD,
  maskOf,
  syscallTest,
  type Arg,
  type S,
} from '../support/index.js';

const pollfd = (s: S, ...entries: (readonly [fd: Arg, events: number])[]) =>
  s.pack(...entries.flatMap(([fd, events]): Arg[] => ['u32', fd, 'u16', events, 'u16', 0x5555]));

syscallTest('readiness of a pipe', (s) => {
  const p = s.pipe();
  const both = pollfd(s, [p.r, POLLIN], [p.w, POLLOUT]);
  s.ppoll(both, 2, s.ms(0), null, 8).returns(1);
  both.u16(6, 0).u16(14, POLLOUT);
  s.write(p.w, 'x');
  s.ppoll(both, 2, s.ms(0), null, 8).returns(2);
  both.u16(6, POLLIN).u16(14, POLLOUT);
  s.close(p.w);
  const left = pollfd(s, [p.r, POLLIN], [p.w, POLLOUT], [-1, POLLIN]);
  s.ppoll(left, 3, s.ms(0), null, 8).returns(2);
  left
    .u16(6, POLLIN | POLLHUP)
    .u16(14, POLLNVAL)
    .u16(22, 0);
  s.reads(p.r, 'x', 1);
  s.ppoll(left, 1, null, null, 8).returns(1);
  left.u16(6, POLLHUP);
});

syscallTest('a writer without readers is POLLERR, a full pipe not POLLOUT', (s) => {
  const p = s.pipe(O_NONBLOCK);
  const w = pollfd(s, [p.w, POLLOUT | POLLIN]);
  s.call('write', p.w, new Uint8Array(16 * PAGE), 16 * PAGE).returns(16 * PAGE);
  s.ppoll(w, 1, s.ms(0), null, 8).returns(0);
  w.u16(6, 0);
  s.reads(p.r, new Uint8Array(PAGE - 1), PAGE - 1);
  s.ppoll(w, 1, s.ms(0), null, 8).returns(0); // a whole page must be free
  s.reads(p.r, new Uint8Array(1), 1);
  s.ppoll(w, 1, s.ms(0), null, 8).returns(1);
  w.u16(6, POLLOUT);
  s.close(p.r);
  s.ppoll(w, 1, s.ms(0), null, 8).returns(1);
  w.u16(6, POLLOUT | POLLERR);
});

syscallTest('files and directories are always ready', (s) => {
  s.file('f', 'x');
  const f = pollfd(
    s,
    [s.open('f', O_RDWR), POLLIN | POLLOUT | POLLPRI],
    [s.open('.', O_RDONLY), POLLIN],
    [0, POLLIN | POLLOUT],
  );
  s.ppoll(f, 3, null, null, 8).returns(3);
  f.u16(6, POLLIN | POLLOUT)
    .u16(14, POLLIN)
    .u16(22, POLLIN | POLLOUT);
});

syscallTest('timeouts are waited for', (s) => {
  const p = s.pipe();
  const r = pollfd(s, [p.r, POLLIN]);
  s.ppoll(r, 1, s.ms(20), null, 8).returns(0).takes(20);
  r.u16(6, 0);
  s.ppoll(null, 0, s.ms(15), null, 8).returns(0).takes(15);
  s.ppoll(pollfd(s, [-1, POLLIN]), 1, s.ms(10), null, 8)
    .returns(0)
    .takes(10);
});

syscallTest('poll', (s) => {
  const p = s.pipe();
  const r = pollfd(s, [p.r, POLLIN]);
  s.poll(r, 1, 0).returns(0).takes(0, 1000);
  s.poll(r, 1, 15).returns(0).takes(15);
  s.poll(null, 0, 10).returns(0).takes(10);
  s.write(p.w, 'x');
  s.poll(r, 1, -1).returns(1);
  r.u16(6, POLLIN);
  s.poll(r, 1, 1000).returns(1).takes(0, 900);
  s.poll(WILD, 1, 0).fails(EFAULT);
  s.poll(null, 0x7fffffff, 0).fails(EINVAL);
});

syscallTest('an unchanged revents is written all the same; events is not', (s) => {
  const p = s.pipe();
  const r = pollfd(s, [p.r, POLLIN]);
  s.ppoll(r, 1, s.ms(0), null, 8).returns(0);
  r.u16(4, POLLIN).u16(6, 0);
});

syscallTest('the remaining time is written back by ppoll', (s) => {
  const p = s.pipe();
  s.write(p.w, 'x');
  const time = s.timespec(50, 0).ignore(0, 16);
  s.ppoll(pollfd(s, [p.r, POLLIN]), 1, time, null, 8).returns(1);
  s.check('just under 50 s remain', (v) => v.u64(time) === 49 || v.u64(time) === 50 || `${v.u64(time)} s`);
  const out = s.ms(10);
  s.ppoll(null, 0, out, null, 8).returns(0);
  out.u64(0, 0).u64(8, 0);
});

syscallTest('ppoll: errors', (s) => {
  const p = s.pipe();
  const r = pollfd(s, [p.r, POLLIN]);
  s.ppoll(r, 1, s.timespec(0, 1_000_000_000), null, 8).fails(EINVAL);
  s.ppoll(r, 1, s.timespec(-1, 0), null, 8).fails(EINVAL);
  s.ppoll(r, 1, WILD, null, 8).fails(EFAULT);
  s.ppoll(r, 1, s.ms(0), WILD, 8).fails(EFAULT);
  s.ppoll(r, 1, s.ms(0), s.sigset(), 4).fails(EINVAL);
  s.ppoll(r, 1, s.ms(0), null, 4).returns(0); // without a mask its size does not matter
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 4, 'u64', 4), null).returns(0);
  s.ppoll(s.buffer(8 * 5), 5, s.ms(0), null, 8).fails(EINVAL); // more than RLIMIT_NOFILE
});

syscallTest('a wait ends when the descriptor becomes ready', (s) => {
  const p = s.pipe();
  const waiter = s.fork((c) => {
    const r = pollfd(c, [p.r, POLLIN]);
    c.ppoll(r, 1, null, null, 8).returns(1);
    r.u16(6, POLLIN);
  });
  s.waitBlocked(waiter);
  s.write(p.w, 'x');
  s.wait(waiter).exited(0);
});

syscallTest('a wait ends when the last writer goes', (s) => {
  const p = s.pipe();
  const waiter = s.fork((c) => {
    c.close(p.w);
    const r = pollfd(c, [p.r, 0]);
    c.ppoll(r, 1, null, null, 8).returns(1);
    r.u16(6, POLLHUP);
  });
  s.waitBlocked(waiter);
  s.close(p.w);
  s.wait(waiter).exited(0);
});

syscallTest('signals interrupt, also with SA_RESTART', (s) => {
  for (const flags of [0, SA_RESTART]) {
    const waiter = s.fork((c) => {
      c.onSignal(SIGUSR1, undefined, { flags });
      c.sees(SIGUSR1);
      c.ppoll(null, 0, null, null, 8).fails(EINTR);
    });
    s.waitBlocked(waiter);
    s.kill(waiter, SIGUSR1).returns(0);
    s.wait(waiter).exited(0);
  }
});

syscallTest('ppoll and pselect6 unblock signals while they wait', (s) => {
  s.onSignal(SIGUSR1);
  s.sees(SIGUSR1, SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.ppoll(null, 0, s.ms(1000).ignore(), s.sigset(), 8).fails(EINTR).takes(0, 900);
  const old = s.buffer(8);
  s.rt_sigprocmask(SIG_BLOCK, null, old, 8).returns(0);
  old.u64(0, Number(maskOf(SIGUSR1, SIGUSR2))); // the mask is back
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.pselect6(0, null, null, null, s.ms(1000).ignore(), s.pack('ptr', s.sigset(), 'u64', 8))
    .fails(EINTR)
    .takes(0, 900);
  s.rt_sigprocmask(SIG_BLOCK, null, old, 8).returns(0);
  old.u64(0, Number(maskOf(SIGUSR1, SIGUSR2)));
});

syscallTest('ppoll returns ready descriptors although a signal is pending in its mask', (s) => {
  const p = s.pipe();
  s.write(p.w, 'x');
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.ppoll(pollfd(s, [p.r, POLLIN]), 1, null, s.sigset(SIGUSR1), 8).returns(1);
});

const fdset = (s: S, ...fds: number[]) =>
  s.pack(
    'u64',
    fds.reduce((bits, fd) => bits | (1n << BigInt(fd)), 0n),
  );

syscallTest('select', (s) => {
  s.pipe(); // 3, 4
  s.pipe(); // 5, 6
  s.write(4, 'x');
  const r = fdset(s, 3, 5);
  const w = fdset(s, 4, 6);
  const e = fdset(s, 3, 5);
  s.call('select', 7, r, w, e, s.pack('u64', 0, 'u64', 0)).returns(3);
  r.u64(0, 1 << 3);
  w.u64(0, (1 << 4) | (1 << 6));
  e.u64(0, 0);
  s.call('select', 5, fdset(s, 5), null, null, s.pack('u64', 0, 'u64', 0)).returns(0); // 5 is beyond nfds
  s.call('select', 0, null, null, null, s.pack('u64', 0, 'u64', 15_000))
    .returns(0)
    .takes(15);
  s.call('select', -1, null, null, null, null).fails(EINVAL);
  s.call('select', 10, fdset(s, 9), null, null, s.pack('u64', 0, 'u64', 0)).fails(EBADF);
});

syscallTest('pselect6', (s) => {
  s.pipe(); // 3, 4
  const r = fdset(s, 3);
  s.pselect6(4, r, null, null, s.ms(15), null).returns(0).takes(15);
  r.u64(0, 0);
  const again = fdset(s, 3);
  s.write(4, 'x');
  s.pselect6(4, again, null, null, null, null).returns(1);
  again.u64(0, 8);
  s.pselect6(4, null, again, null, s.ms(0), null).returns(0); // the read end is never writable
  s.pselect6(4, WILD, null, null, s.ms(0), null).fails(EFAULT);
  s.pselect6(4, fdset(s, 3), null, null, WILD, null).fails(EFAULT);
  s.pselect6(4, fdset(s, 3), null, null, s.timespec(0, 1e9), null).fails(EINVAL);
  s.pselect6(4, fdset(s, 3), null, null, s.ms(0), s.pack('ptr', s.sigset(), 'u64', 7)).fails(EINVAL);
  s.pselect6(-1, null, null, null, s.ms(0), null).fails(EINVAL);
});

syscallTest('select writes the remaining time back, pselect6 too', (s) => {
  s.pipe();
  s.write(4, 'x');
  for (const name of ['select', 'pselect6'] as const) {
    const time = s.timespec(30, 0).ignore(0, 16);
    s.call(name, 4, fdset(s, 3), null, null, time, null).returns(1);
    s.check('less than 30 s remain', (v) => v.u64(time) === 29 || v.u64(time) === 30 || `${v.u64(time)} s`);
  }
});

syscallTest('the exception set and closed ends', (s) => {
  s.pipe();
  s.close(4);
  const r = fdset(s, 3);
  s.pselect6(4, r, null, null, null, null).returns(1); // end of file is readable
  r.u64(0, 8);
  s.pipe(); // 4, 5
  s.close(4);
  const w = fdset(s, 5);
  const e = fdset(s, 5);
  s.pselect6(6, null, w, e, null, null).returns(1); // EPIPE is writable
  w.u64(0, 32);
  e.u64(0, 0);
});
