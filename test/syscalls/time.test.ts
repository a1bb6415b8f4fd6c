/** Clocks, sleeps and timers: clock_*, gettimeofday, nanosleep, setitimer, alarm, timer_*, timerfd, times. */
import { SLOWNESS } from '../support/pace.js';
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_COARSE,
  CLOCK_THREAD_CPUTIME_ID,
  EAGAIN,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EOPNOTSUPP,
  EPERM,
  FD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  O_NONBLOCK,
  O_RDWR,
  POLLIN,
  SA_SIGINFO,
  SIGALRM,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD_ID,
  SIGPROF,
  SIGUSR1,
  SIGVTALRM,
  SIG_BLOCK,
  SI_TIMER,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TIMER_ABSTIME,
  WILD,
  load32,
  syscallTest,
  syscallTests,
  type Arg,
  type S,
} from '../support/index.js';

const ms = (s: S, milliseconds: number, interval = 0) =>
  s.pack('u64', 0, 'u64', interval * 1e6, 'u64', Math.floor(milliseconds / 1000), 'u64', (milliseconds % 1000) * 1e6);
/** An interval is longer than its handler takes on the slowest machine. */
const us = (s: S, microseconds: number, interval = 0) =>
  s.pack('u64', 0, 'u64', interval * SLOWNESS, 'u64', 0, 'u64', microseconds);
const spec = (s: S) => s.buffer(16).ignore();

const clocks = {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
};

syscallTests(clocks, (s, clock) => {
  const [a, b] = [spec(s), spec(s)];
  const cpu = clock === CLOCK_PROCESS_CPUTIME_ID || clock === CLOCK_THREAD_CPUTIME_ID;
  // Sleep is no CPU time; a collection of garbage in who plays the guest is.
  const pause = cpu ? 60 : 6;
  s.clock_gettime(clock, a).returns(0);
  s.sleep(pause);
  s.clock_gettime(clock, b).returns(0);
  s.check('it is a valid time and runs', (v) => {
    const times = [a, b].map((t) => [v.i64(t), v.i64(t.plus(8))]);
    if (times.some(([, n]) => n < 0 || n >= 1e9)) return times.join();
    const passed = (times[1][0] - times[0][0]) * 1e9 + times[1][1] - times[0][1];
    const [least, most] = cpu ? [0, pause * 1e6 * SLOWNESS] : [1e6, 2e9];
    return (passed >= least && passed < most) || `${passed} ns`;
  });
  const real = clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_COARSE;
  if (real) s.check('the present', (v) => v.i64(a) > 1_600_000_000 || String(v.i64(a)));
  else s.check('not since 1970', (v) => v.i64(a) < 1_000_000_000 || String(v.i64(a)));
  s.clock_getres(clock, a).returns(0);
  s.check('resolution', (v) => (v.i64(a) === 0 && v.i64(a.plus(8)) > 0) || String(v.i64(a)));
});

syscallTest('clock_gettime, clock_getres: errors', (s) => {
  s.clock_gettime(99, spec(s)).fails(EINVAL);
  s.clock_getres(99, spec(s)).fails(EINVAL);
  s.clock_gettime(CLOCK_REALTIME, WILD).fails(EFAULT);
  s.clock_getres(CLOCK_REALTIME, WILD).fails(EFAULT);
  s.clock_getres(CLOCK_REALTIME, null).returns(0);
  s.clock_settime(99, s.timespec(0)).fails(EINVAL);
  s.clock_settime(CLOCK_MONOTONIC, s.timespec(1)).fails(EINVAL);
  s.clock_settime(CLOCK_REALTIME, s.timespec(0, 1e9)).fails(EINVAL);
  s.clock_settime(CLOCK_REALTIME, WILD).fails(EFAULT);
  s.asUser();
  s.clock_settime(CLOCK_REALTIME, s.timespec(1_000_000_000)).fails(EPERM);
});

syscallTest('gettimeofday and time', (s) => {
  const tv = spec(s);
  const tz = s.pack('u32', 9, 'u32', 9);
  const now = spec(s);
  s.clock_gettime(CLOCK_REALTIME, now).returns(0);
  s.gettimeofday(tv, tz).returns(0);
  tz.u32(0, 0).u32(4, 0);
  s.check('the same time', (v) => (Math.abs(v.i64(tv) - v.i64(now)) <= 1 && v.i64(tv.plus(8)) < 1e6) || 'other');
  s.gettimeofday(null, null).returns(0);
  s.gettimeofday(WILD, null).fails(EFAULT);
  s.settimeofday(s.pack('u64', 0, 'u64', 1_000_000), null).fails(EINVAL);
  const word = s.quad().ignore();
  const t = s.time(word).between(1_600_000_000, 2 ** 40);
  s.check('stored', (v) => v.value(t) === v.u64(word) || 'other');
  s.time(WILD).fails(EFAULT);
});

syscallTest('the CPU clock of a process runs while it computes', (s) => {
  const [a, b] = [spec(s), spec(s)];
  const flag = s.word(0);
  s.onSignal(SIGVTALRM, (h) => void h.store(flag, 4, 1));
  s.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, a).returns(0);
  s.setitimer(ITIMER_VIRTUAL, us(s, 10_000, 10_000), null).returns(0);
  s.spin(flag, 1);
  s.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, b).returns(0);
  s.check(
    'at least a few ms',
    (v) => v.i64(b.plus(8)) - v.i64(a.plus(8)) + (v.i64(b) - v.i64(a)) * 1e9 > 2e6 || 'less',
  );
});

syscallTest('nanosleep', (s) => {
  s.nanosleep(s.ms(15), null).returns(0).takes(15);
  s.nanosleep(s.ms(0), null).returns(0);
  s.nanosleep(s.timespec(0, 1e9), null).fails(EINVAL);
  s.nanosleep(s.timespec(-1, 0), null).fails(EINVAL);
  s.nanosleep(s.timespec(0, -1), null).fails(EINVAL);
  s.nanosleep(WILD, null).fails(EFAULT);
  s.nanosleep(null, null).fails(EFAULT);
  const rest = s.buffer(16);
  s.nanosleep(s.ms(1), rest).returns(0);
  rest.all(0xa5); // written only when interrupted
});

syscallTest('an interrupted nanosleep tells what remains', (s) => {
  s.onSignal(SIGALRM);
  s.setitimer(ITIMER_REAL, us(s, 5_000, 5_000), null).returns(0);
  const rest = s.timespec(0).ignore();
  s.nanosleep(s.timespec(30), rest).fails(EINTR).takes(0, 5000);
  s.check('a little less than 30 s', (v) => (v.i64(rest) === 29 && v.i64(rest.plus(8)) > 1e6) || `${v.i64(rest)}`);
  s.nanosleep(s.timespec(30), WILD).fails(EFAULT);
});

syscallTest('clock_nanosleep', (s) => {
  s.clock_nanosleep(CLOCK_MONOTONIC, 0, s.ms(12), null).returns(0).takes(12);
  s.clock_nanosleep(CLOCK_REALTIME, 0, s.ms(5), null).returns(0).takes(5);
  const now = spec(s);
  s.clock_gettime(CLOCK_MONOTONIC, now).returns(0);
  s.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, now, null).returns(0).takes(0, 1000); // in the past
  s.clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, s.timespec(5), null).returns(0).takes(0, 1000);
  s.clock_nanosleep(99, 0, s.ms(1), null).fails(EINVAL);
  s.clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, s.ms(1), null).failsWith(EOPNOTSUPP, EINVAL);
  s.clock_nanosleep(CLOCK_MONOTONIC, 0, s.timespec(0, 1e9), null).fails(EINVAL);
  s.clock_nanosleep(CLOCK_MONOTONIC, 0, WILD, null).fails(EFAULT);
});

syscallTest('clock_nanosleep until a time; what remains', (s) => {
  s.onSignal(SIGALRM);
  s.setitimer(ITIMER_REAL, us(s, 5_000, 5_000), null).returns(0);
  const rest = s.timespec(0).ignore();
  s.clock_nanosleep(CLOCK_MONOTONIC, 0, s.timespec(30), rest).fails(EINTR);
  s.check('a little less than 30 s', (v) => v.i64(rest) === 29 || `${v.i64(rest)}`);
  const untouched = s.buffer(16);
  const far = s.timespec(0x7fff_ffff);
  s.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, far, untouched).fails(EINTR);
  untouched.all(0xa5);
});

syscallTest('times', (s) => {
  const b = s.buffer(32).ignore();
  const a = s.times(b).succeeds();
  s.sleep(21);
  const c = s.times(null).succeeds();
  s.check(
    'hundredths of seconds',
    (v) => (v.value(c) - v.value(a) >= 1 && v.value(c) - v.value(a) < 500) || `${v.value(c) - v.value(a)}`,
  );
  s.check('small', (v) => [0, 8, 16, 24].every((at) => v.i64(b.plus(at)) >= 0 && v.i64(b.plus(at)) < 1000) || 'large');
  s.times(WILD).fails(EFAULT);
});

syscallTest('setitimer and getitimer', (s) => {
  s.onSignal(SIGALRM);
  s.sees(SIGALRM);
  const old = s.buffer(32);
  s.sigmask(SIG_BLOCK, SIGALRM); // until it is waited for, however busy the machine is
  s.lasts(8, () => {
    s.setitimer(ITIMER_REAL, us(s, 8_000), null).returns(0);
    s.rt_sigsuspend(s.sigset(), 8).fails(EINTR);
  });
  s.getitimer(ITIMER_REAL, old).returns(0);
  old.all(0); // it went off once
  s.setitimer(ITIMER_REAL, s.pack('u64', 3, 'u64', 4, 'u64', 100, 'u64', 0), null).returns(0);
  const left = s.buffer(32).ignore(16);
  s.setitimer(ITIMER_REAL, us(s, 0), left).returns(0);
  left
    .u64(0, 3)
    .u64(8, 4)
    .u64(16, (t) => t === 99 || t === 100);
  s.getitimer(ITIMER_REAL, old).returns(0);
  old.u64(16, 0).u64(24, 0);
  s.setitimer(9, us(s, 1), null).fails(EINVAL);
  s.getitimer(9, old).fails(EINVAL);
  s.setitimer(ITIMER_REAL, s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 1_000_000), null).fails(EINVAL);
  s.setitimer(ITIMER_REAL, WILD, null).fails(EFAULT);
  s.getitimer(ITIMER_REAL, WILD).fails(EFAULT);
});

syscallTest('an interval timer goes off again and again', (s) => {
  s.onSignal(SIGALRM);
  s.setitimer(ITIMER_REAL, us(s, 4_000, 4_000), null).returns(0);
  for (let i = 0; i < 3; i++) s.pause().fails(EINTR);
  s.setitimer(ITIMER_REAL, us(s, 0), null).returns(0);
  s.check('three times or, on a busy machine, more', (v) => v.signals.length >= 3 || String(v.signals.length));
});

syscallTest('ITIMER_VIRTUAL and ITIMER_PROF count CPU time', (s) => {
  const flags = [s.word(0), s.word(0)];
  s.onSignal(SIGVTALRM, (h) => void h.store(flags[0], 4, 1));
  s.onSignal(SIGPROF, (h) => void h.store(flags[1], 4, 1));
  // As with the clocks: more than a collection of garbage takes.
  const time = Math.min(999_999, 20_000 * SLOWNESS);
  s.setitimer(ITIMER_VIRTUAL, us(s, time), null).returns(0);
  s.sleep(40);
  flags[0].u32(0, 0); // sleeping does not count
  s.spin(flags[0], 1);
  s.setitimer(ITIMER_PROF, us(s, time), null).returns(0);
  s.spin(flags[1], 1);
});

syscallTest('timers are not inherited by fork', (s) => {
  s.setitimer(ITIMER_REAL, s.pack('u64', 0, 'u64', 0, 'u64', 100, 'u64', 0), null).returns(0);
  const child = s.fork((c) => {
    const now = c.buffer(32);
    c.getitimer(ITIMER_REAL, now).returns(0);
    now.all(0);
  });
  s.wait(child).exited(0);
});

syscallTest('alarm', (s) => {
  s.alarm(100).returns(0);
  s.alarm(50).returns(100);
  s.alarm(0).returns(50);
  s.alarm(0).returns(0);
});

// sigevent: value, signo, notify, tid
const sigevent = (s: S, notify: number, signal: number, tid: Arg = 0) =>
  s.pack(
    'u64',
    0xfeed,
    'u32',
    signal,
    'u32',
    notify,
    'u32',
    tid,
    ...Array.from({ length: 11 }, () => ['u32', 0]).flat(),
  );

syscallTest('timer_create, timer_settime, timer_gettime, timer_delete', (s) => {
  s.onSignal(SIGUSR1, undefined, { flags: SA_SIGINFO });
  s.sees(SIGUSR1);
  const id = s.word(99);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_SIGNAL, SIGUSR1), id).returns(0);
  id.u32(0, 0);
  const now = s.buffer(32).ignore(16);
  s.timer_gettime(0, now).returns(0);
  now.u64(16, 0);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.lasts(5, () => {
    s.timer_settime(0, 0, ms(s, 5), null).returns(0);
    s.rt_sigsuspend(s.sigset(), 8).fails(EINTR);
  });
  s.check('value and code', (v) => {
    const [{ info }] = v.signals;
    return (info.readInt32LE(8) === SI_TIMER && info.readBigUInt64LE(24) === 0xfeedn) || info.toString('hex');
  });
  s.timer_settime(0, 0, s.pack('u64', 7, 'u64', 0, 'u64', 100, 'u64', 0), null).returns(0);
  s.timer_gettime(0, now).returns(0);
  now.u64(0, 7).u64(16, (t) => t === 99 || t === 100);
  const old = s.buffer(32).ignore(16);
  s.timer_settime(0, 0, ms(s, 0), old).returns(0);
  old.u64(0, 7).u64(16, (t) => t >= 98);
  s.timer_getoverrun(0).returns(0);
  s.timer_delete(0).returns(0);
  s.timer_delete(0).fails(EINVAL);
  s.timer_gettime(0, now).fails(EINVAL);
});

syscallTest('timers: SIGEV_NONE, the default event, absolute times, overruns', (s) => {
  const id = s.word(99);
  s.sigmask(SIG_BLOCK, SIGALRM, SIGUSR1);
  s.timer_create(CLOCK_REALTIME, null, id).returns(0); // SIGALRM with the id as value
  s.timer_settime(load32(id), 0, ms(s, 1), null).returns(0);
  const info = s.siginfo().ignore(16);
  s.rt_sigtimedwait(s.sigset(SIGALRM), info, s.timespec(5), 8).returns(SIGALRM);
  info.has({ code: SI_TIMER, value: (value) => value % 0x1_0000_0000 === 0 });
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_NONE, 0), id).returns(0);
  id.u32(0, 1);
  s.timer_settime(1, 0, ms(s, 2, 2), null).returns(0);
  s.sleep(6);
  const now = s.buffer(32).ignore(16);
  s.timer_gettime(1, now).returns(0);
  now.u64(24, (ns) => ns > 0 && ns <= 2e6);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_SIGNAL, SIGUSR1), id).returns(0);
  s.timer_settime(2, TIMER_ABSTIME, s.pack('u64', 0, 'u64', 1e6, 'u64', 0, 'u64', 1), null).returns(0); // long ago
  s.sleep(8);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), info, s.timespec(5), 8).returns(SIGUSR1);
  s.timer_getoverrun(2).between(3, 2 ** 31 - 1);
});

syscallTest('timers: errors, threads, fork', (s) => {
  const id = s.word(0).ignore(); // Linux may skip numbers after failures
  s.timer_create(99, null, id).fails(EINVAL);
  s.timer_create(CLOCK_MONOTONIC, null, WILD).fails(EFAULT);
  s.timer_create(CLOCK_MONOTONIC, WILD, id).fails(EFAULT);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, 99, SIGUSR1), id).fails(EINVAL);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_SIGNAL, 99), id).fails(EINVAL);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_THREAD_ID | SIGEV_SIGNAL, SIGUSR1, 1), id).fails(EINVAL);
  s.timer_settime(5, 0, ms(s, 1), null).fails(EINVAL);
  s.timer_getoverrun(5).fails(EINVAL);
  s.timer_create(CLOCK_MONOTONIC, sigevent(s, SIGEV_THREAD_ID | SIGEV_SIGNAL, SIGUSR1, s.gettid().pid()), id).returns(
    0,
  );
  s.timer_settime(load32(id), 0, s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 1e9), null).fails(EINVAL);
  s.timer_settime(load32(id), 0, WILD, null).fails(EFAULT);
  s.timer_settime(load32(id), 0, null, null).fails(EINVAL);
  const child = s.fork((c) => {
    c.timer_delete(load32(id)).fails(EINVAL);
  });
  s.wait(child).exited(0);
});

syscallTest('timerfd', (s) => {
  const fd = s.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC).fd();
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_NONBLOCK);
  const b = s.buffer(8);
  s.call('read', fd, b, 8).fails(EAGAIN);
  s.lasts(4, () => {
    s.timerfd_settime(fd, 0, ms(s, 4), null).returns(0);
    s.ppoll(s.pack('u32', fd, 'u16', POLLIN, 'u16', 0), 1, s.timespec(5).ignore(), null, 8).returns(1);
  });
  s.call('read', fd, b, 7).fails(EINVAL);
  s.call('read', fd, b, 8).returns(8);
  b.u64(0, 1);
  s.call('read', fd, b, 8).fails(EAGAIN);
  s.call('write', fd, b, 8).fails(EINVAL);
  s.timerfd_settime(fd, 0, s.pack('u64', 1, 'u64', 2, 'u64', 100, 'u64', 0), null).returns(0);
  const now = s.buffer(32).ignore(16);
  s.timerfd_gettime(fd, now).returns(0);
  now
    .u64(0, 1)
    .u64(8, 2)
    .u64(16, (t) => t === 99 || t === 100);
  s.timerfd_settime(fd, 0, ms(s, 0), now).returns(0);
  now.u64(16, (t) => t >= 98);
});

syscallTest('timerfd: blocking reads, intervals, absolute times', (s) => {
  const fd = s.timerfd_create(CLOCK_MONOTONIC, 0).fd();
  const b = s.buffer(8).ignore();
  s.lasts(6, () => {
    s.timerfd_settime(fd, 0, ms(s, 6), null).returns(0);
    s.call('read', fd, b, 8).returns(8);
  });
  b.u64(0, 1);
  s.timerfd_settime(fd, 0, ms(s, 2, 2), null).returns(0);
  s.sleep(9);
  s.call('read', fd, b, 8).returns(8);
  b.u64(0, (n) => n >= 4 && n < 1000);
  s.timerfd_settime(fd, TFD_TIMER_ABSTIME, s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 1), null).returns(0);
  s.call('read', fd, b, 8).returns(8).takes(0, 1000);
  b.u64(0, 1);
});

syscallTest('timerfd: errors', (s) => {
  s.timerfd_create(99, 0).fails(EINVAL);
  s.timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0).fails(EINVAL);
  s.timerfd_create(CLOCK_MONOTONIC, 1).fails(EINVAL);
  const fd = s.timerfd_create(CLOCK_REALTIME, 0).fd();
  s.timerfd_settime(fd, 0, s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 1e9), null).fails(EINVAL);
  s.timerfd_settime(fd, 0x100, ms(s, 1), null).fails(EINVAL);
  s.timerfd_settime(fd, 0, WILD, null).fails(EFAULT);
  s.timerfd_settime(0, 0, ms(s, 1), null).fails(EINVAL);
  s.timerfd_settime(99, 0, ms(s, 1), null).fails(EBADF);
  s.timerfd_gettime(0, s.buffer(32)).fails(EINVAL);
  s.timerfd_gettime(fd, WILD).fails(EFAULT);
});

syscallTest('adjtimex reads', (s) => {
  s.adjtimex(s.buffer(208, 0).ignore()).succeeds();
  s.adjtimex(WILD).fails(EFAULT);
});
