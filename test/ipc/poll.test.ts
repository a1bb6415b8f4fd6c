import { describe, expect, it } from '@jest/globals';
import {
  EBADF,
  EEXIST,
  EINTR,
  EINVAL,
  ELOOP,
  ENOENT,
  EPERM,
  ERESTARTNOHAND,
  ERESTART_RESTARTBLOCK,
} from '../../src/abi/errno.js';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
} from '../../src/abi/flags/poll.js';
import { SIGUSR1 } from '../../src/abi/flags/signal.js';
import { kernelInfo, sendSignalToTask } from '../../sched/signal/send.js';
import { BASE, BLOCKED, guest, testClockKernel } from './calls.js';

const FDS = 0x1000;
const EVENTS = 0x2000;
const TIME = 0x3000;

function setup() {
  const kernel = testClockKernel();
  const g = guest(kernel);
  g.call('pipe2', BASE, 0);
  const pollfd = (index: number, fd: number, events: number) => {
    g.view.setInt32(FDS + index * 8, fd, true);
    g.view.setUint16(FDS + index * 8 + 4, events, true);
    g.view.setUint16(FDS + index * 8 + 6, 0xffff, true);
  };
  const revents = (index: number) => g.view.getUint16(FDS + index * 8 + 6, true);
  const signal = () => {
    g.task.sighand.actions[SIGUSR1] = { ...g.task.sighand.actions[SIGUSR1], handler: 0x1000 };
    sendSignalToTask(g.task, kernelInfo(SIGUSR1));
  };
  const timespec = (sec: number, nsec: number) => {
    g.view.setBigInt64(TIME, BigInt(sec), true);
    g.view.setBigInt64(TIME + 8, BigInt(nsec), true);
    return BASE + TIME;
  };
  return { ...g, kernel, pollfd, revents, signal, timespec };
}

describe('poll', () => {
  it('reports what is true now and POLLNVAL for what is not open', () => {
    const g = setup();
    g.pollfd(0, 0, POLLIN);
    g.pollfd(1, 1, POLLOUT | POLLIN);
    g.pollfd(2, 77, POLLIN);
    g.pollfd(3, -1, POLLIN);
    expect(g.call('poll', BASE + FDS, 4, 0)).toBe(2);
    expect([0, 1, 2, 3].map(g.revents)).toEqual([0, POLLOUT, POLLNVAL, 0]);
  });
  it('sleeps until an event, and holds its files meanwhile', () => {
    const g = setup();
    g.pollfd(0, 0, POLLIN);
    expect(g.call('poll', BASE + FDS, 1, -1)).toBe(BLOCKED);
    g.call('close', 1);
    expect(g.settle()).toBe(1);
    expect(g.revents(0)).toBe(POLLHUP);
  });
  it('really waits for its timeout', () => {
    const g = setup();
    g.pollfd(0, 0, POLLIN);
    expect(g.call('poll', BASE + FDS, 1, 50)).toBe(BLOCKED);
    g.kernel.advance(49);
    expect(g.settle()).toBe(BLOCKED);
    g.kernel.advance(1);
    expect(g.settle()).toBe(0);
    expect(g.revents(0)).toBe(0);
  });
  it('is restarted by restart_syscall with its old deadline', () => {
    const g = setup();
    g.pollfd(0, 0, POLLIN);
    g.call('poll', BASE + FDS, 1, 50);
    g.kernel.advance(20);
    g.signal();
    expect(g.settle()).toBe(-ERESTART_RESTARTBLOCK);
    g.task.pending.clear();
    expect(g.task.restart!()).toBe(BLOCKED);
    g.kernel.advance(30);
    expect(g.settle()).toBe(0);
  });
  it('checks RLIMIT_NOFILE', () => {
    const g = setup();
    expect(g.call('poll', BASE + FDS, 1025, 0)).toBe(-EINVAL);
  });
  it('ppoll swaps the mask and writes the time left', () => {
    const g = setup();
    g.pollfd(0, 0, POLLIN);
    g.task.blocked.add(SIGUSR1);
    g.view.setBigUint64(EVENTS, 1n << 11n, true);
    const time = g.timespec(2, 500_000_000);
    expect(g.call('ppoll', BASE + FDS, 1, time, BASE + EVENTS, 8)).toBe(BLOCKED);
    expect(g.task.blocked.has(SIGUSR1)).toBe(false);
    g.kernel.advance(1000);
    g.signal();
    expect(g.settle()).toBe(-ERESTARTNOHAND);
    expect(g.view.getBigInt64(TIME, true)).toBe(1n);
    expect(g.view.getBigInt64(TIME + 8, true)).toBe(500_000_000n);
    // The signal layer restores it after the handler's frame is made.
    expect(g.task.savedMask!.has(SIGUSR1)).toBe(true);
    g.task.blocked.assign(g.task.savedMask!);
    g.task.savedMask = null;
    g.task.pending.clear();
    g.call('write', 1, BASE, 1);
    expect(g.call('ppoll', BASE + FDS, 1, 0, BASE + EVENTS, 8)).toBe(1);
    expect(g.task.blocked.has(SIGUSR1)).toBe(true);
    expect(g.call('ppoll', BASE + FDS, 1, 0, BASE + EVENTS, 4)).toBe(-EINVAL);
  });
});

describe('select', () => {
  it('counts bits, clears what is not ready, writes the time left', () => {
    const g = setup();
    g.view.setBigUint64(FDS, 0b11n, true);
    g.view.setBigUint64(FDS + 8, 0b10n, true);
    g.view.setBigInt64(TIME, 1n, true);
    g.view.setBigInt64(TIME + 8, 0n, true);
    expect(g.call('select', 2, BASE + FDS, BASE + FDS + 8, 0, BASE + TIME)).toBe(1);
    expect(g.view.getBigUint64(FDS, true)).toBe(0n);
    expect(g.view.getBigUint64(FDS + 8, true)).toBe(0b10n);
    expect(g.view.getBigInt64(TIME, true)).toBe(1n);
  });
  it('is EBADF for a descriptor that is not open, but looks no further than the table', () => {
    const g = setup();
    g.view.setBigUint64(FDS, 1n << 60n, true);
    expect(g.call('select', 64, BASE + FDS, 0, 0, 0)).toBe(-EBADF);
    g.view.setBigUint64(FDS, 0n, true);
    g.view.setBigUint64(FDS + 8, 1n, true);
    g.timespec(0, 0);
    expect(g.call('select', 128, BASE + FDS, 0, 0, BASE + TIME)).toBe(0);
  });
  it('leaves the sets alone when a signal ends it', () => {
    const g = setup();
    g.view.setBigUint64(FDS, 1n, true);
    expect(g.call('select', 1, BASE + FDS, 0, 0, 0)).toBe(BLOCKED);
    g.signal();
    expect(g.settle()).toBe(-ERESTARTNOHAND);
    expect(g.view.getBigUint64(FDS, true)).toBe(1n);
  });
});

describe('epoll', () => {
  function epoll() {
    const g = setup();
    const ep = g.call('epoll_create1', 0);
    const ctl = (op: number, fd: number, events: number, data = fd) => {
      g.view.setUint32(FDS, events, true);
      g.view.setBigUint64(FDS + 4, BigInt(data), true);
      return g.call('epoll_ctl', ep, op, fd, BASE + FDS);
    };
    const wait = (timeout: number, max = 8) => g.call('epoll_wait', ep, BASE + EVENTS, max, timeout);
    const event = (index: number) => [
      g.view.getUint32(EVENTS + index * 12, true),
      Number(g.view.getBigUint64(EVENTS + index * 12 + 4, true)),
    ];
    return { ...g, ep, ctl, wait, event };
  }
  it('reports packed 12-byte events with their data', () => {
    const g = epoll();
    expect(g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN, 0x1234567890)).toBe(0);
    expect(g.ctl(EPOLL_CTL_ADD, 1, EPOLLOUT, 7)).toBe(0);
    g.call('write', 1, BASE, 1);
    expect(g.wait(0)).toBe(2);
    expect([g.event(0), g.event(1)]).toEqual([
      [EPOLLOUT, 7],
      [EPOLLIN, 0x1234567890],
    ]);
  });
  it('level-triggered repeats, edge-triggered waits for the next wake, one-shot for MOD', () => {
    const g = epoll();
    g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN);
    g.call('write', 1, BASE, 1);
    expect([g.wait(0), g.wait(0)]).toEqual([1, 1]);
    g.ctl(EPOLL_CTL_MOD, 0, EPOLLIN | EPOLLET);
    expect([g.wait(0), g.wait(0)]).toEqual([1, 0]);
    g.call('write', 1, BASE, 1);
    expect([g.wait(0), g.wait(0)]).toEqual([1, 0]);
    g.ctl(EPOLL_CTL_MOD, 0, EPOLLIN | EPOLLONESHOT);
    expect([g.wait(0), g.wait(0)]).toEqual([1, 0]);
    g.call('write', 1, BASE, 1);
    expect(g.wait(0)).toBe(0);
    g.ctl(EPOLL_CTL_MOD, 0, EPOLLIN | EPOLLONESHOT);
    expect(g.wait(0)).toBe(1);
  });
  it('an edge for the other direction is none', () => {
    const g = epoll();
    g.call('socketpair', 1, 1, 0, BASE);
    const [a, b] = [g.view.getInt32(0, true), g.view.getInt32(4, true)];
    g.ctl(EPOLL_CTL_ADD, a, EPOLLOUT | EPOLLET);
    expect([g.wait(0), g.wait(0)]).toEqual([1, 0]);
    g.call('write', b, BASE, 1);
    expect(g.wait(0)).toBe(0);
  });
  it('sleeps, wakes, times out, is EINTR', () => {
    const g = epoll();
    g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN);
    expect(g.wait(-1)).toBe(BLOCKED);
    g.call('write', 1, BASE, 1);
    expect(g.settle()).toBe(1);
    g.call('read', 0, BASE, 1);
    expect(g.wait(10)).toBe(BLOCKED);
    g.kernel.advance(10);
    expect(g.settle()).toBe(0);
    expect(g.wait(10)).toBe(BLOCKED);
    g.signal();
    expect(g.settle()).toBe(-EINTR);
  });
  it('checks what it is given', () => {
    const g = epoll();
    expect(g.ctl(EPOLL_CTL_ADD, 55, EPOLLIN)).toBe(-EBADF);
    expect(g.ctl(EPOLL_CTL_MOD, 0, EPOLLIN)).toBe(-ENOENT);
    expect(g.ctl(EPOLL_CTL_DEL, 0, EPOLLIN)).toBe(-ENOENT);
    expect(g.ctl(EPOLL_CTL_ADD, g.ep, EPOLLIN)).toBe(-EINVAL);
    g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN);
    expect(g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN)).toBe(-EEXIST);
    expect(g.ctl(99, 0, EPOLLIN)).toBe(-EINVAL);
    expect(g.wait(0, 0)).toBe(-EINVAL);
    const file = g.call('memfd_create', g.put(0x100, 'x\0'), 0);
    expect(g.ctl(EPOLL_CTL_ADD, file, EPOLLIN)).toBe(-EPERM);
  });
  it('nests, but not in circles', () => {
    const g = epoll();
    const outer = g.call('epoll_create1', 0);
    g.view.setUint32(FDS, EPOLLIN, true);
    expect(g.call('epoll_ctl', outer, EPOLL_CTL_ADD, g.ep, BASE + FDS)).toBe(0);
    expect(g.ctl(EPOLL_CTL_ADD, outer, EPOLLIN)).toBe(-ELOOP);
    g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN);
    expect(g.call('epoll_wait', outer, BASE + EVENTS, 8, 0)).toBe(0);
    g.call('write', 1, BASE, 1);
    expect(g.call('epoll_wait', outer, BASE + EVENTS, 8, 0)).toBe(1);
  });
  it('keeps an item while the description lives, and drops it after', () => {
    const g = epoll();
    g.call('dup', 0);
    g.ctl(EPOLL_CTL_ADD, 0, EPOLLIN, 42);
    g.call('write', 1, BASE, 1);
    g.call('close', 0);
    expect(g.wait(0)).toBe(1);
    expect(g.event(0)).toEqual([EPOLLIN, 42]);
    g.call('close', 3);
    g.call('close', 4);
    expect(g.wait(0)).toBe(0);
  });
  it('always reports errors and hang-ups', () => {
    const g = epoll();
    g.ctl(EPOLL_CTL_ADD, 1, 0);
    g.call('close', 0);
    expect(g.wait(0)).toBe(1);
    expect(g.event(0)[0]).toBe(EPOLLERR);
    expect(g.event(0)[0] & EPOLLHUP).toBe(0);
  });
});
