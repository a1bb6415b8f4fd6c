/** Standard streams that are no terminals. */
import { describe, expect, test } from '@jest/globals';
import { SIGPIPE } from '../../src/abi/flags/signal.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { HostStream, HostStreamFile } from '../../src/tty/host-stream.js';
import { KernelBuffer } from '../../fs/guest-buffer.js';
import { FakeHost } from './fake-host.js';
import { blockingRead, outcome, read, ttyKernel, wake, write } from './fake.js';

const IN = 1;
const OUT = 4;
const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;
const SEEK_SET = 0;
const SEEK_CUR = 1;
const SEEK_END = 2;
const NO_PAGES = { bytes: new Uint8Array(0) };

function stream(access: number, setUp: (host: FakeHost) => void = () => {}) {
  const { kernel, init } = ttyKernel();
  const host = new FakeHost();
  setUp(host);
  const file = new HostStreamFile(new HostStream(kernel, host, 5), access);
  const taskSignals = () => [...Array(32).keys()].filter((n) => n > 0 && init.pending.takeSignal(n) !== null);
  return { kernel, init, host, file, taskSignals };
}

describe('input', () => {
  test('nothing is read before the guest reads, and no more than it wants', () => {
    const { init, host, file } = stream(0, (h) => h.input.push('abcdef'));
    expect(host.reads).toBe(0);
    expect(read(init, file, 2)).toBe('ab');
    expect(host.input).toEqual(['cdef']);
    expect(read(init, file, 10)).toBe('cdef');
  });
  test('sleeps until the host has something, then its end', () => {
    const { init, host, file } = stream(0);
    expect(blockingRead(init, file)).toBe('BLOCKED');
    host.input.push('hi');
    host.ready(IN);
    expect(wake(init)).toBe(2);
    host.input.push(0);
    expect(read(init, file)).toBe('');
  });
  test('poll looks one byte ahead', () => {
    const { init, host, file } = stream(0);
    expect(file.poll()).toBe(0);
    expect(host.waits(IN)).toBe(true);
    host.input.push('xyz');
    host.ready(IN);
    expect(file.poll()).toBe(READABLE);
    expect(host.input).toEqual(['yz']);
    expect(read(init, file, 2)).toBe('xy');
    expect(read(init, file, 2)).toBe('z');
    host.input.push(0);
    expect(file.poll()).toBe(POLLHUP);
    expect(read(init, file)).toBe('');
  });
  test('errors of the host', () => {
    const { init, host, file } = stream(0);
    host.input.push(-5);
    expect(read(init, file)).toBe('EIO');
    expect(write(init, file, 'x')).toBe('EBADF');
  });
  test('a wrong pointer consumes nothing', () => {
    const { init, host, file } = stream(0, (h) => h.input.push('abc'));
    const bad = Object.assign(new KernelBuffer(Buffer.alloc(3), NO_PAGES), { accessible: () => 0 });
    expect(outcome(() => file.read(init, bad, -1))).toBe('EFAULT');
    expect(host.input).toEqual(['abc']);
  });
});

describe('output', () => {
  test('a slow host: at most one piece is between, the rest waits in the guest', () => {
    const { init, host, file } = stream(1, (h) => (h.room = 10));
    expect(write(init, file, 'x'.repeat(100000))).toBe(65536);
    expect(host.output.length).toBe(10);
    expect(file.poll()).toBe(0);
    expect(write(init, file, 'y')).toBe('WOULD_BLOCK');
    let drained = false;
    file.stream.whenDrained(() => (drained = true));
    host.room = 60000;
    host.ready(OUT);
    expect([file.poll(), drained]).toEqual([0, false]);
    host.room = Infinity;
    host.ready(OUT);
    expect([host.output.length, file.poll(), drained]).toEqual([65536, WRITABLE, true]);
  });
  test('a closed reader: EPIPE and SIGPIPE, again and again', () => {
    const { init, file, taskSignals } = stream(1, (h) => (h.room = -32));
    for (let i = 0; i < 2; i++) {
      expect(write(init, file, 'x')).toBe('EPIPE');
      expect(taskSignals()).toEqual([SIGPIPE]);
    }
    expect(file.poll()).toBe(WRITABLE | POLLERR);
  });
  test('a reader that closes while something waits', () => {
    const { init, host, file, taskSignals } = stream(1, (h) => (h.room = 1));
    expect(write(init, file, 'abc')).toBe(3);
    host.room = -32;
    host.ready(OUT);
    expect(write(init, file, 'x')).toBe('EPIPE');
    expect(taskSignals()).toEqual([SIGPIPE]);
  });
  test('a full disk is not for ever', () => {
    const { init, host, file } = stream(1, (h) => (h.room = -28));
    expect(write(init, file, 'x')).toBe('ENOSPC');
    host.room = Infinity;
    expect(write(init, file, 'x')).toBe(1);
  });
});

describe('what fstat and lseek see', () => {
  test('type and device number are the host’s', () => {
    const { file } = stream(0, (h) => (h.stat = { mode: 0o020666, size: 0, rdev: 0x103, dev: 1, ino: 1 }));
    expect([file.inode.mode, file.inode.rdevMajor, file.inode.rdevMinor, file.inode.size]).toEqual([0o020666, 1, 3, 0]);
    expect(outcome(() => file.seek(null as never, 0, SEEK_SET))).toBe('ESPIPE');
  });
  const regular = (access: number, content: string, offset = 0) =>
    stream(access, (h) => {
      h.stat.mode = 0o100644;
      h.file = Buffer.from(content);
      h.offset = offset;
    });
  test('a regular file is read from where the host was, and the host moves along', () => {
    const { init, host, file } = regular(0, 'hello world', 6);
    expect(file.inode.size).toBe(11);
    expect(file.seek(init, 0, SEEK_CUR)).toBe(6);
    expect(read(init, file, 3)).toBe('wor');
    expect(host.offset).toBe(9);
    expect(file.poll()).toBe(READABLE);
  });
  test('seeking is the guest’s own affair', () => {
    const { init, host, file } = regular(0, 'hello world');
    expect(file.seek(init, -5, SEEK_END)).toBe(6);
    expect(read(init, file)).toBe('world');
    expect(read(init, file)).toBe('');
    expect(host.offset).toBe(0);
    file.seek(init, 0, SEEK_SET);
    expect(read(init, file, 5)).toBe('hello');
    expect(host.offset).toBe(5);
    expect(outcome(() => file.seek(init, -1, SEEK_SET))).toBe('EINVAL');
    expect(outcome(() => file.seek(init, 0, 7))).toBe('EINVAL');
  });
  test('pread does not move anything of the guest', () => {
    const { init, file } = regular(0, 'hello world');
    const bytes = Buffer.alloc(3);
    expect(file.read(init, new KernelBuffer(bytes, NO_PAGES), 4)).toBe(3);
    expect(bytes.toString()).toBe('o w');
    expect(read(init, file, 2)).toBe('he');
  });
  test('writing back, truncating, appending', () => {
    const { init, host, file } = regular(1, 'hello world');
    file.seek(init, 6, SEEK_SET);
    expect(write(init, file, 'W')).toBe(1);
    expect(host.file.toString()).toBe('hello World');
    file.inode.truncate!(5);
    const again = file.inode.open(init, 1 | 0o2000);
    expect(write(init, again, '!')).toBe(1);
    expect(host.file.toString()).toBe('hello!');
  });
  test('one open file for two descriptors of one host file', () => {
    const { host, file } = stream(1);
    expect(file.stream.shows(2)).toBe(true);
    host.stat = { ...host.stat, ino: 9 };
    // Both sides of the comparison change with the fake's stat: only a difference between the two tells them apart.
    const other = new HostStream(
      file.stream['kernel'],
      Object.assign(new FakeHost(), { fstat: (fd: number) => ({ ...host.stat, ino: fd }) }),
      1,
    );
    expect([other.shows(1), other.shows(2)]).toEqual([true, false]);
  });
});
