import { describe, expect, it } from '@jest/globals';
import { EAGAIN, EBADF, EDEADLK, EINVAL, EPERM, ESPIPE } from '../../src/abi/errno.js';
import { O_CREAT, O_NONBLOCK, O_RDWR } from '../../src/abi/flags/open.js';
import * as F from '../../src/abi/flags/fcntl.js';
import { SIGUSR1, SIGUSR2 } from '../../src/abi/flags/signal.js';
import { IN_CREATE, IN_DELETE, IN_IGNORED, IN_MODIFY, IN_OPEN } from '../../src/abi/flags/poll.js';
import { kernelInfo, sendSignalToGroup, sendSignalToTask } from '../../sched/signal/send.js';
import { BASE, BLOCKED, guest, testClockKernel } from './calls.js';

const u64 = (g: ReturnType<typeof guest>, at: number) => g.view.getBigUint64(at, true);

describe('eventfd', () => {
  it('adds, takes all, or one at a time as a semaphore', () => {
    const g = guest();
    const fd = g.call('eventfd2', 3, O_NONBLOCK);
    g.view.setBigUint64(0, 4n, true);
    expect(g.call('write', fd, BASE, 8)).toBe(8);
    expect(g.call('read', fd, BASE + 8, 8)).toBe(8);
    expect(u64(g, 8)).toBe(7n);
    expect(g.call('read', fd, BASE + 8, 8)).toBe(-EAGAIN);
    expect(g.call('read', fd, BASE + 8, 7)).toBe(-EINVAL);
    const semaphore = g.call('eventfd2', 2, 1 | O_NONBLOCK);
    g.call('read', semaphore, BASE + 8, 8);
    expect(u64(g, 8)).toBe(1n);
  });
  it('blocks a write that would overflow, and takes only 8 bytes', () => {
    const g = guest();
    const fd = g.call('eventfd2', 1, 0);
    g.view.setBigUint64(0, 2n ** 64n - 1n, true);
    expect(g.call('write', fd, BASE, 8)).toBe(-EINVAL);
    g.view.setBigUint64(0, 2n ** 64n - 2n, true);
    expect(g.call('write', fd, BASE, 16)).toBe(BLOCKED);
    const file = g.task.files.get(fd);
    const other = guest(g.task.kernel as never);
    other.task.files.set(0, file, false);
    expect(other.call('read', 0, BASE, 8)).toBe(8);
    expect(g.settle()).toBe(8);
  });
});

describe('timerfd', () => {
  it('fires once or periodically, and counts what was missed', () => {
    const kernel = testClockKernel();
    const g = guest(kernel);
    const fd = g.call('timerfd_create', 1, O_NONBLOCK);
    const set = (interval: number, value: number, flags = 0) => {
      [0, interval, 0, value].forEach((n, i) => g.view.setBigInt64(i * 8, BigInt(n), true));
      return g.call('timerfd_settime', fd, flags, BASE, BASE + 64);
    };
    expect(set(10_000_000, 50_000_000)).toBe(0);
    expect(g.call('read', fd, BASE + 128, 8)).toBe(-EAGAIN);
    kernel.advance(85);
    g.settle();
    expect(g.call('read', fd, BASE + 128, 8)).toBe(8);
    expect(u64(g, 128)).toBe(4n);
    g.call('timerfd_gettime', fd, BASE + 128);
    expect([u64(g, 128 + 8), u64(g, 128 + 24)]).toEqual([10_000_000n, 5_000_000n]);
    expect(set(0, 0)).toBe(0);
    expect(u64(g, 64 + 24)).toBe(5_000_000n);
    kernel.advance(100);
    g.settle();
    expect(g.call('read', fd, BASE + 128, 8)).toBe(-EAGAIN);
    expect(set(0, 1_000_000_000)).toBe(-EINVAL);
    expect(g.call('timerfd_create', 3, 0)).toBe(-EINVAL);
  });
  it('takes absolute times, also past ones', () => {
    const kernel = testClockKernel();
    const g = guest(kernel);
    const fd = g.call('timerfd_create', 1, 0);
    [0, 0, 0, 500_000_000].forEach((n, i) => g.view.setBigInt64(i * 8, BigInt(n), true));
    expect(g.call('timerfd_settime', fd, 1, BASE, 0)).toBe(0);
    expect(g.call('read', fd, BASE + 128, 8)).toBe(BLOCKED);
    expect(g.settle()).toBe(8);
  });
});

describe('signalfd', () => {
  it('reads blocked signals of the task and its group, wakes for them', () => {
    const g = guest();
    g.task.blocked.add(SIGUSR1);
    g.task.blocked.add(SIGUSR2);
    g.view.setBigUint64(0, (1n << 9n) | (1n << 11n), true);
    const fd = g.call('signalfd4', -1, BASE, 8, 0);
    expect(g.call('read', fd, BASE + 64, 256)).toBe(BLOCKED);
    sendSignalToTask(g.task, { ...kernelInfo(SIGUSR1), pid: 7, uid: 8 });
    expect(g.settle()).toBe(128);
    expect([0, 12, 16].map((at) => g.view.getUint32(64 + at, true))).toEqual([SIGUSR1, 7, 8]);
    sendSignalToGroup(g.task.group, kernelInfo(SIGUSR2));
    expect(g.task.files.get(fd).poll(g.task)).toBe(1);
    expect(g.call('read', fd, BASE + 64, 127)).toBe(-EINVAL);
    expect(g.call('read', fd, BASE + 64, 128)).toBe(128);
    expect(g.call('signalfd4', -1, BASE, 4, 0)).toBe(-EINVAL);
  });
});

describe('record locks', () => {
  function two() {
    const a = guest();
    const b = guest(a.task.kernel as never);
    const path = a.put(0x800, '/lock\0');
    b.put(0x800, '/lock\0');
    for (const g of [a, b]) expect(g.call('open', path, O_RDWR | O_CREAT, 0o644)).toBe(0);
    const lock = (g: typeof a, cmd: number, type: number, start: number, length: number) => {
      g.view.setInt16(0, type, true);
      g.view.setInt16(2, 0, true);
      g.view.setBigInt64(8, BigInt(start), true);
      g.view.setBigInt64(16, BigInt(length), true);
      g.view.setInt32(24, 0, true);
      return g.call('fcntl', 0, cmd, BASE);
    };
    return { a, b, lock };
  }
  it('conflict, split, merge, report', () => {
    const { a, b, lock } = two();
    expect(lock(a, F.F_SETLK, F.F_WRLCK, 0, 100)).toBe(0);
    expect(lock(b, F.F_SETLK, F.F_RDLCK, 50, 10)).toBe(-EAGAIN);
    expect(lock(a, F.F_SETLK, F.F_UNLCK, 40, 20)).toBe(0);
    expect(lock(b, F.F_SETLK, F.F_WRLCK, 40, 20)).toBe(0);
    expect(lock(b, F.F_GETLK, F.F_RDLCK, 60, 0)).toBe(0);
    expect([b.view.getInt16(0, true), Number(u64(b, 8)), Number(u64(b, 16)), b.view.getInt32(24, true)]).toEqual([
      F.F_WRLCK,
      60,
      40,
      a.task.tgid,
    ]);
    expect(lock(b, F.F_GETLK, F.F_RDLCK, 40, 20)).toBe(0);
    expect(b.view.getInt16(0, true)).toBe(F.F_UNLCK);
  });
  it('waits, finds a deadlock, and close drops them', () => {
    const { a, b, lock } = two();
    lock(a, F.F_SETLK, F.F_WRLCK, 0, 1);
    lock(b, F.F_SETLK, F.F_WRLCK, 1, 1);
    expect(lock(a, F.F_SETLKW, F.F_WRLCK, 1, 1)).toBe(BLOCKED);
    expect(lock(b, F.F_SETLKW, F.F_WRLCK, 0, 1)).toBe(-EDEADLK);
    b.call('dup', 0);
    b.call('close', 1);
    expect(a.settle()).toBe(0);
  });
  it('of a description: own world of owners, dropped with it', () => {
    const { a, b, lock } = two();
    expect(lock(a, F.F_OFD_SETLK, F.F_WRLCK, 0, 0)).toBe(0);
    expect(lock(b, F.F_OFD_SETLK, F.F_WRLCK, 5, 1)).toBe(-EAGAIN);
    a.call('dup', 0);
    a.call('close', 0);
    expect(lock(b, F.F_OFD_SETLK, F.F_WRLCK, 5, 1)).toBe(-EAGAIN);
    a.call('close', 1);
    expect(lock(b, F.F_OFD_SETLK, F.F_WRLCK, 5, 1)).toBe(0);
  });
  it('flock is by description', () => {
    const { a, b } = two();
    expect(a.call('flock', 0, F.LOCK_EX)).toBe(0);
    expect(b.call('flock', 0, F.LOCK_SH | F.LOCK_NB)).toBe(-EAGAIN);
    expect(b.call('flock', 0, F.LOCK_SH)).toBe(BLOCKED);
    expect(a.call('flock', 0, F.LOCK_SH)).toBe(0);
    expect(b.settle()).toBe(0);
    expect(a.call('flock', 0, 3)).toBe(-EINVAL);
    expect(a.call('flock', 9, F.LOCK_SH)).toBe(-EBADF);
  });
});

describe('inotify', () => {
  it('reports names in a watched directory and events on a file', () => {
    const g = guest();
    const fd = g.call('inotify_init1', O_NONBLOCK);
    expect(g.call('inotify_add_watch', fd, g.put(0x800, '/\0'), IN_CREATE | IN_DELETE | IN_MODIFY)).toBe(1);
    const file = g.call('open', g.put(0x900, '/new\0'), O_RDWR | O_CREAT, 0o644);
    g.call('write', file, BASE, 1);
    g.call('write', file, BASE, 1);
    g.call('unlink', BASE + 0x900);
    expect(g.call('ioctl', fd, 0x541b, BASE)).toBe(0);
    expect(g.view.getUint32(0, true)).toBe(96);
    expect(g.call('read', fd, BASE + 0x1000, 4096)).toBe(96);
    const event = (at: number) => [g.view.getInt32(at, true), g.view.getUint32(at + 4, true), g.get(at + 16, 4)];
    expect([0, 32, 64].map((n) => event(0x1000 + n))).toEqual([
      [1, IN_CREATE, 'new\0'],
      [1, IN_MODIFY, 'new\0'],
      [1, IN_DELETE, 'new\0'],
    ]);
    expect(g.call('read', fd, BASE, 4096)).toBe(-EAGAIN);
    expect(g.call('inotify_rm_watch', fd, 1)).toBe(0);
    expect(g.call('read', fd, BASE, 4096)).toBe(16);
    expect(g.view.getUint32(4, true)).toBe(IN_IGNORED);
    expect(g.call('inotify_rm_watch', fd, 1)).toBe(-EINVAL);
    void IN_OPEN;
  });
});

describe('descriptors and transfers', () => {
  it('fcntl: flags, duplicates, pipe size, owner', () => {
    const g = guest();
    g.call('pipe2', BASE, 0);
    expect(g.call('fcntl', 0, F.F_SETFL, O_NONBLOCK | O_CREAT)).toBe(0);
    expect(g.call('fcntl', 0, F.F_GETFL, 0)).toBe(O_NONBLOCK);
    expect(g.call('fcntl', 0, F.F_DUPFD_CLOEXEC, 10)).toBe(10);
    expect(g.call('fcntl', 10, F.F_GETFD, 0)).toBe(1);
    expect(g.call('fcntl', 0, F.F_DUPFD, 5000)).toBe(-EINVAL);
    expect(g.call('fcntl', 0, F.F_GETPIPE_SZ, 0)).toBe(65536);
    expect(g.call('fcntl', 0, F.F_SETPIPE_SZ, 5000)).toBe(8192);
    expect(g.call('fcntl', 0, F.F_SETOWN, g.task.tgid)).toBe(0);
    expect(g.call('fcntl', 0, F.F_GETOWN, 0)).toBe(g.task.tgid);
    expect(g.call('fcntl', 0, 9999, 0)).toBe(-EINVAL);
    expect(g.call('dup2', 0, 0)).toBe(0);
    expect(g.call('dup3', 0, 0, 0)).toBe(-EINVAL);
    expect(g.call('dup2', 0, 20)).toBe(20);
    expect(g.call('close_range', 10, 4294967295, 0)).toBe(0);
    expect(g.call('fcntl', 20, F.F_GETFD, 0)).toBe(-EBADF);
  });
  it('sendfile, splice, tee and copy_file_range move the same bytes', () => {
    const g = guest();
    const source = g.call('open', g.put(0x800, '/source\0'), O_RDWR | O_CREAT, 0o644);
    const text = 'abcdefghij'.repeat(1000);
    g.put(0x10000, text);
    expect(g.call('write', source, BASE + 0x10000, text.length)).toBe(text.length);
    g.call('pipe2', BASE, 0);
    const [r, w] = [g.view.getInt32(0, true), g.view.getInt32(4, true)];
    g.view.setBigInt64(8, 5n, true);
    expect(g.call('sendfile', w, source, BASE + 8, 100)).toBe(100);
    expect(u64(g, 8)).toBe(105n);
    g.call('read', r, BASE + 0x1000, 4096);
    expect(g.get(0x1000, 100)).toBe(text.slice(5, 105));
    g.view.setBigInt64(8, 0n, true);
    expect(g.call('splice', source, BASE + 8, w, 0, 5000, 0)).toBe(5000);
    g.call('pipe2', BASE + 16, 0);
    const [r2, w2] = [g.view.getInt32(16, true), g.view.getInt32(20, true)];
    expect(g.call('tee', r, w2, 5000, 0)).toBe(5000);
    const copy = g.call('open', g.put(0x900, '/copy\0'), O_RDWR | O_CREAT, 0o644);
    expect(g.call('splice', r, 0, copy, 0, 100_000, 0)).toBe(5000);
    g.call('read', r2, BASE + 0x1000, 8192);
    expect(g.get(0x1000, 5000)).toBe(text.slice(0, 5000));
    expect(g.call('pread64', copy, BASE + 0x4000, 8192, 0)).toBe(5000);
    expect(g.get(0x4000, 5000)).toBe(text.slice(0, 5000));
    g.view.setBigInt64(8, 9000n, true);
    expect(g.call('copy_file_range', source, BASE + 8, copy, 0, 5000, 0)).toBe(1000);
    expect(g.call('copy_file_range', source, BASE + 8, copy, 0, 5000, 1)).toBe(-EINVAL);
    expect(g.call('splice', r, BASE + 8, copy, 0, 1, 0)).toBe(-ESPIPE);
    expect(g.call('sendfile', w, r, 0, 1)).toBe(-EINVAL);
  });
  it('a long sendfile lets others run in between, and a signal ends it with what is done', () => {
    const g = guest();
    const source = g.call('open', g.put(0x800, '/long\0'), O_RDWR | O_CREAT, 0o644);
    expect(g.call('ftruncate', source, 2 ** 30)).toBe(0);
    const sink = g.call('memfd_create', g.put(0x900, 'x\0'), 0);
    const size = 20 << 20;
    expect(g.call('sendfile', sink, source, 0, size)).toBe(BLOCKED);
    expect(g.settle()).toBe(BLOCKED);
    expect(g.settle()).toBe(size);
    expect(g.call('sendfile', sink, source, 0, size)).toBe(BLOCKED);
    g.task.sighand.actions[SIGUSR1] = { ...g.task.sighand.actions[SIGUSR1], handler: 0x1000 };
    sendSignalToTask(g.task, kernelInfo(SIGUSR1));
    expect(g.settle()).toBe(8 << 20);
  });
  it('a pidfd is readable once its process is a zombie', () => {
    const g = guest();
    const other = guest(g.task.kernel as never);
    const fd = g.call('pidfd_open', other.task.tgid, 0);
    expect(g.task.files.get(fd).poll(g.task)).toBe(0);
    expect(g.call('pidfd_send_signal', fd, 0, 0, 0)).toBe(0);
    other.task.group.zombie = true;
    expect(g.task.files.get(fd).poll(g.task)).toBe(0x41);
    const user = guest(g.task.kernel as never, 1000);
    const theirs = user.call('pidfd_open', g.task.tgid, 0);
    expect(user.call('pidfd_send_signal', theirs, SIGUSR1, 0, 0)).toBe(-EPERM);
    expect(user.call('pidfd_getfd', theirs, 0, 0)).toBe(-EPERM);
  });
});
