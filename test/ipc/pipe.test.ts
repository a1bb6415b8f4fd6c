import { describe, expect, it } from '@jest/globals';
import { EAGAIN, EBUSY, EFAULT, ENXIO, EPIPE, ERESTARTSYS } from '../../src/abi/errno.js';
import { SIGPIPE, SIGUSR1, SIG_IGN } from '../../src/abi/flags/signal.js';
import { O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../../src/abi/flags/open.js';
import { kernelInfo, sendSignalToTask } from '../../sched/signal/send.js';
import { BLOCKED } from '../../sched/wait.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { PseudoInode, pseudoFs } from '../../fs/anon-inode.js';
import { createPipe, openFifo } from '../../src/ipc/pipe-file.js';
import { readInto, writeFrom } from '../../syscalls/file-io.js';
import { buffer, fakeKernel, fakeTask, result, settle } from './fake.js';

const setup = (flags = 0) => {
  const kernel = fakeKernel();
  const task = fakeTask(kernel);
  const [readEnd, writeEnd] = createPipe(task, flags);
  readEnd.references = writeEnd.references = 1;
  const mm = task.mm as unknown as { bytes: Uint8Array };
  const put = (n: number, at = 0) => result(() => writeFrom(task, writeEnd, buffer(task, at, n, false), -1));
  const get = (n: number, at = 0x100000) => result(() => readInto(task, readEnd, buffer(task, at, n, true), -1));
  return { kernel, task, readEnd, writeEnd, bytes: mm.bytes, put, get };
};

describe('pipe', () => {
  it('moves bytes in order, across the end of the ring', () => {
    const { bytes, put, get } = setup();
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 9000; i++) bytes[i] = (i * 7 + round) & 0xff;
      expect(put(9000)).toBe(9000);
      expect(get(5000)).toBe(5000);
      expect(get(5000, 0x100000 + 5000)).toBe(4000);
      expect(Buffer.compare(bytes.subarray(0, 9000), bytes.subarray(0x100000, 0x100000 + 9000))).toBe(0);
    }
  });

  it('holds 16 pages: small writes merge, page-sized ones take a page each', () => {
    const { put, readEnd, writeEnd } = setup(O_NONBLOCK);
    expect(put(1)).toBe(1);
    for (let i = 0; i < 15; i++) expect(put(4096)).toBe(4096);
    expect(put(4096)).toBe(-EAGAIN);
    expect(readEnd.pipe.bytes).toBe(15 * 4096 + 1);
    expect(writeEnd.poll()).toBe(0);
    const merging = setup(O_NONBLOCK);
    let written = 0;
    while (merging.put(1) === 1) written++;
    expect(written).toBe(65536);
    expect(merging.put(1)).toBe(-EAGAIN);
  });

  it('writes atomically up to PIPE_BUF and partially beyond when non-blocking', () => {
    const { put, get } = setup(O_NONBLOCK);
    expect(put(65536 - 100)).toBe(65536 - 100);
    expect(put(200)).toBe(-EAGAIN);
    expect(get(4096)).toBe(4096);
    expect(put(10000)).toBe(4096);
  });

  it('goes on with a blocking write as room comes, and returns the part done when interrupted', () => {
    const { task, put, readEnd } = setup();
    expect(put(100_000)).toBe(BLOCKED);
    const drain = () => readEnd.pipe.read(buffer(task, 0x100000, 20_000, true));
    expect(drain()).toBe(20_000);
    expect(settle(task)).toBe(BLOCKED);
    expect(drain()).toBe(20_000);
    expect(settle(task)).toBe(100_000);
    expect(readEnd.pipe.bytes).toBe(60_000);
    expect(put(100_000)).toBe(BLOCKED);
    task.sighand.actions[SIGUSR1] = { ...task.sighand.actions[SIGUSR1], handler: 0x1000 };
    sendSignalToTask(task, kernelInfo(SIGUSR1));
    const n = settle(task);
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(100_000);
  });

  it('restarts a read that a signal interrupted before anything came', () => {
    const { task, get, readEnd } = setup();
    expect(get(10)).toBe(BLOCKED);
    expect(readEnd.references).toBe(2);
    task.sighand.actions[SIGUSR1] = { ...task.sighand.actions[SIGUSR1], handler: 0x1000 };
    sendSignalToTask(task, kernelInfo(SIGUSR1));
    expect(settle(task)).toBe(-ERESTARTSYS);
    expect(readEnd.references).toBe(1);
  });

  it('gives EPIPE and SIGPIPE without readers, but not for an empty write', () => {
    const { task, put, readEnd, writeEnd } = setup();
    task.sighand.actions[SIGPIPE] = { ...task.sighand.actions[SIGPIPE], handler: 0x1000 };
    readEnd.release();
    expect(put(0)).toBe(0);
    expect(task.pending.set.has(SIGPIPE)).toBe(false);
    expect(put(1)).toBe(-EPIPE);
    expect(task.pending.set.has(SIGPIPE)).toBe(true);
    expect(writeEnd.poll()).toBe(POLLOUT | POLLWRNORM | POLLERR);
    task.sighand.actions[SIGPIPE] = { ...task.sighand.actions[SIGPIPE], handler: SIG_IGN };
    expect(put(1)).toBe(-EPIPE);
  });

  it('ends with 0 and POLLHUP once the writers are gone', () => {
    const { put, get, readEnd, writeEnd } = setup();
    put(3);
    writeEnd.release();
    expect(readEnd.poll()).toBe(POLLIN | POLLRDNORM | POLLHUP);
    expect(get(10)).toBe(3);
    expect(readEnd.poll()).toBe(POLLHUP);
    expect(get(10)).toBe(0);
  });

  it('keeps packets apart with O_DIRECT and drops what a short read leaves', () => {
    const { get, put } = setup(O_DIRECT.x86_64 | O_NONBLOCK);
    put(10);
    put(20);
    expect(get(4)).toBe(4);
    expect(get(100)).toBe(20);
    expect(get(1)).toBe(-EAGAIN);
  });

  it('moves nothing with a bad address, and whole pages with a half-bad one', () => {
    const { put, readEnd, get } = setup(O_NONBLOCK);
    expect(put(10, -0x8000)).toBe(-EFAULT);
    expect(readEnd.pipe.bytes).toBe(0);
    expect(put(8192 + 10, (1 << 21) - 8192)).toBe(8192);
    expect(get(10, (1 << 21) - 4)).toBe(-EFAULT);
    expect(readEnd.pipe.bytes).toBe(8192);
  });

  it('changes its size', () => {
    const { task, put, get, readEnd, bytes } = setup(O_NONBLOCK);
    bytes.fill(7, 0, 10_000);
    put(10_000);
    expect(result(() => readEnd.pipe.resize(task, 4096))).toBe(-EBUSY);
    expect(readEnd.pipe.resize(task, 100_000)).toBe(131_072);
    expect(put(100_000)).toBe(100_000);
    expect(get(10_000)).toBe(10_000);
    expect(bytes[0x100000 + 9_999]).toBe(7);
  });
});

describe('FIFO open', () => {
  const fifo = () => {
    const kernel = fakeKernel();
    const task = fakeTask(kernel);
    return { task, inode: new PseudoInode(pseudoFs(kernel).pipefs, 0o010644, 0, 0) };
  };
  it('waits for the partner, who need not stay', () => {
    const { task, inode } = fifo();
    const reader = openFifo(inode, O_RDONLY, task);
    expect(reader.openPending()).toBe(true);
    const writer = openFifo(inode, O_WRONLY, task);
    expect(writer.openPending()).toBe(false);
    writer.release();
    expect(reader.openPending()).toBe(false);
    expect(reader.read(task, buffer(task, 0, 1, true))).toBe(0);
    reader.release();
    expect(inode.pipe).toBeNull();
  });
  it('is ENXIO for a non-blocking writer alone, never blocks O_RDWR, and shows no POLLHUP before a writer came', () => {
    const { task, inode } = fifo();
    expect(result(() => openFifo(inode, O_WRONLY | O_NONBLOCK, task) && 0)).toBe(-ENXIO);
    const reader = openFifo(inode, O_RDONLY | O_NONBLOCK, task);
    expect(reader.openPending()).toBe(false);
    expect(reader.poll()).toBe(0);
    const writer = openFifo(inode, O_WRONLY | O_NONBLOCK, task);
    writer.release();
    expect(reader.poll()).toBe(POLLHUP);
    reader.release();
    const both = openFifo(inode, O_RDWR, task);
    expect(both.openPending()).toBe(false);
    both.release();
  });
  it('can be given up', () => {
    const { task, inode } = fifo();
    const writer = openFifo(inode, O_WRONLY, task);
    expect(writer.openPending()).toBe(true);
    writer.release();
    expect(inode.pipe).toBeNull();
  });
});
