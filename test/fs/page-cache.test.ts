/** The page cache against a byte array. */
import fc from 'fast-check';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, SEEK_DATA, SEEK_HOLE } from '../../src/abi/flags/file.js';
import { O_APPEND, O_CREAT, O_RDWR } from '../../src/abi/flags/open.js';
import { ftruncate, fallocate } from '../../syscalls/attributes.js';
import { AT_FDCWD } from '../../src/abi/flags/open.js';
import { KernelBuffer } from '../../fs/guest-buffer.js';
import { unlink } from '../../fs/namespace-ops.js';
import { TmpfsFile } from '../../fs/tmpfs/inode.js';
import type { MappingListener } from '../../src/mm/file-mapping.js';
import { close, open, outcome, readBytes, testKernel, writeBytes } from './fake.js';

const MAX = 5 << 20;
const offset = fc.oneof(
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: MAX / 4096 }).map((page) => page * 4096),
  fc.integer({ min: 0, max: MAX }),
);
const length = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 300_000 }));
const operation = fc.oneof(
  fc.record({ op: fc.constant('write' as const), offset, length }),
  fc.record({ op: fc.constant('append' as const), offset, length }),
  fc.record({ op: fc.constant('read' as const), offset, length }),
  fc.record({ op: fc.constant('truncate' as const), offset, length }),
  fc.record({ op: fc.constant('punch' as const), offset, length }),
  fc.record({ op: fc.constant('allocate' as const), offset, length }),
  fc.record({ op: fc.constant('map' as const), offset, length }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
const BASE = Buffer.from(Array.from({ length: 255 }, (_, i) => 1 + ((i * 7) % 255)));
const pattern = (seed: number, n: number): Uint8Array => Buffer.alloc(n + (seed % 255), BASE).subarray(seed % 255);

/** Content that remembers what was asked of it. */
const content = (bytes: Uint8Array, extents?: { offset: number; length: number }[]) => ({
  size: bytes.length,
  read(dst: Uint8Array, at: number, from: number, n: number) {
    const part = bytes.subarray(from, from + n);
    dst.set(part, at);
    return part.length;
  },
  ...(extents === undefined ? {} : { extents: () => extents }),
});

function run(operations: Operation[], backed: Uint8Array | null): void {
  const { task, frames } = testKernel({ memory: 16 << 20 });
  const before = frames.usedBytes;
  const file = open(task, '/f', O_RDWR | O_CREAT);
  const fd = task.files.install(file, false, 10);
  const inode = file.inode as TmpfsFile;
  let model = new Uint8Array(0);
  if (backed !== null) {
    inode.cache.setContent(content(backed));
    model = Uint8Array.from(backed);
  }
  const resize = (size: number): void => {
    const next = new Uint8Array(size);
    next.set(model.subarray(0, size));
    model = next;
  };
  operations.forEach(({ op, offset: at, length: n }, step) => {
    if (op === 'append') at = model.length;
    if (op === 'write' || op === 'append') {
      const data = pattern(step, n);
      expect(writeBytes(task, file, data, at)).toBe(n);
      if (at + n > model.length) resize(at + n);
      model.set(data, at);
    } else if (op === 'read') {
      expect(readBytes(task, file, n, at).equals(model.subarray(at, at + n))).toBe(true);
    } else if (op === 'truncate') {
      ftruncate(task, fd, at);
      resize(at);
    } else if (op === 'punch') {
      fallocate(task, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n);
      model.fill(0, at, at + n);
    } else if (op === 'allocate') {
      fallocate(task, fd, 0, at, n);
      if (at + n > model.length) resize(at + n);
    } else if (at < model.length) {
      // What a mapping sees, and may write to behind the end in the last page.
      const page = at - (at % 4096);
      const phys = inode.cache.frameAt(page);
      const seen = frames.physical.bytes.subarray(phys, phys + Math.min(4096, model.length - page));
      expect(Buffer.from(seen).equals(model.subarray(page, page + seen.length))).toBe(true);
      if (model.length - page < 4096) frames.physical.bytes.fill(0x55, phys + (model.length - page), phys + 4096);
    }
    expect(inode.size).toBe(model.length);
  });
  expect(readBytes(task, file, model.length + 10, 0).equals(model)).toBe(true);
  unlink(task, AT_FDCWD, '/f');
  expect(frames.usedBytes).toBeGreaterThanOrEqual(before);
  task.files.close(fd, task);
  close(file);
  expect(frames.usedBytes).toBe(before);
}

describe('page cache', () => {
  test('behaves as an array of bytes', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 25 }), (operations) => run(operations, null)),
      { numRuns: 60 },
    );
  });
  test('behaves as an array of bytes over lazy content', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 15 }), fc.integer({ min: 0, max: 3 << 20 }), (operations, size) =>
        run(operations, pattern(3, size)),
      ),
      { numRuns: 40 },
    );
  });

  test('a file written in pieces is contiguous enough for one or two copies per 64 KiB', () => {
    const { task } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    const piece = pattern(0, 4096);
    for (let i = 0; i < 1024; i++) writeBytes(task, file, piece);
    const { physical } = task.kernel.frames;
    let most = 0;
    for (let at = 0; at < 4 << 20; at += 65536) {
      let copies = 0;
      const buffer = new KernelBuffer(new Uint8Array(65536), physical);
      const put = buffer.putPhysical.bind(buffer);
      buffer.putPhysical = (from, n) => (copies++, put(from, n));
      expect(file.read(task, buffer, at)).toBe(65536);
      most = Math.max(most, copies);
    }
    expect(most).toBeLessThanOrEqual(5);
    expect(file.inode.blocks).toBe((4 << 20) / 512);
    close(file);
  });

  test('frames kept for growth go back at the last close', () => {
    const { task, frames } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    for (let i = 0; i < 5; i++) writeBytes(task, file, pattern(0, 4096));
    close(file);
    expect(frames.usedBytes).toBe(5 * 4096);
  });

  test('holes: blocks, SEEK_DATA, SEEK_HOLE', () => {
    const { task } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    writeBytes(task, file, 'x', 1_000_000);
    expect(file.inode.blocks).toBe(8);
    expect(file.seek(task, 0, SEEK_DATA)).toBe(999_424);
    expect(file.seek(task, 0, SEEK_HOLE)).toBe(0);
    expect(file.seek(task, 999_500, SEEK_HOLE)).toBe(1_000_001);
    expect(outcome(() => file.seek(task, 1_000_001, SEEK_DATA))).toBe('ENXIO');
    expect(outcome(() => file.seek(task, -1, SEEK_DATA))).toBe('ENXIO');
    expect([...readBytes(task, file, 4, 500)]).toEqual([0, 0, 0, 0]);
    expect(file.inode.blocks).toBe(8);
    close(file);
  });

  test('lazy content: ten gigabytes of hole cost nothing, only touched pieces are read', () => {
    const { task, frames } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    const inode = file.inode as TmpfsFile;
    const reads: number[] = [];
    inode.cache.setContent({
      size: 10 * 2 ** 30,
      read(dst, at, from, n) {
        reads.push(from);
        dst.fill(0x41, at, at + n);
        return n;
      },
      extents: () => [{ offset: 5 * 2 ** 30, length: 3 << 20 }],
    });
    expect(inode.blocks).toBe((3 << 20) / 512);
    expect(readBytes(task, file, 3, 0).toString()).toBe('\0\0\0');
    expect(reads).toEqual([]);
    expect(readBytes(task, file, 3, 5 * 2 ** 30 + (1 << 20)).toString()).toBe('AAA');
    expect(reads).toEqual([5 * 2 ** 30 + (1 << 20)]);
    expect(frames.usedBytes).toBe(1 << 20);
    expect(file.seek(task, 10, SEEK_DATA)).toBe(5 * 2 ** 30);
    expect(file.seek(task, 5 * 2 ** 30, SEEK_HOLE)).toBe(5 * 2 ** 30 + (3 << 20));
    close(file);
  });

  test('size limit', () => {
    const { task } = testKernel({ rootOptions: 'size=64k,nr_inodes=3' });
    const file = open(task, '/f', O_RDWR | O_CREAT);
    expect(writeBytes(task, file, pattern(0, 70_000))).toBe(65536);
    expect(outcome(() => writeBytes(task, file, 'x'))).toBe('ENOSPC');
    expect(outcome(() => fallocate(task, task.files.install(file, false, 9), 0, 0, 70_000))).toBe('ENOSPC');
    file.inode.truncate!(0);
    expect(writeBytes(task, file, 'x', 0)).toBe(1);
    expect(outcome(() => open(task, '/g', O_RDWR | O_CREAT))).not.toBe('ENOSPC');
    expect(outcome(() => open(task, '/h', O_RDWR | O_CREAT))).toBe('ENOSPC');
  });

  test('out of frames is ENOSPC for writes, and truncation gives them back', () => {
    const { task, frames } = testKernel({ memory: 1 << 20, rootOptions: 'size=0' });
    const file = open(task, '/f', O_RDWR | O_CREAT);
    expect(writeBytes(task, file, pattern(0, 2 << 20))).toBe(1 << 20);
    expect(outcome(() => writeBytes(task, file, 'x'))).toBe('ENOSPC');
    file.inode.truncate!(0);
    expect(frames.usedBytes).toBe(0);
    close(file);
  });

  test('mappings hear of truncation and hole punching before the frames go', () => {
    const { task, frames } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    writeBytes(task, file, pattern(0, 40_000));
    const mapping = file.mapping(task);
    const heard: [number, number, number][] = [];
    const listener: MappingListener = { invalidate: (from, to) => void heard.push([from, to, frames.usedBytes]) };
    mapping.attach(listener, true);
    file.inode.truncate!(10_000);
    expect(heard).toEqual([[12288, Infinity, expect.any(Number)]]);
    expect(heard[0][2]).toBeGreaterThanOrEqual(40_960);
    expect(frames.usedBytes).toBe(12288);
    unlink(task, AT_FDCWD, '/f');
    close(file);
    expect(frames.usedBytes).toBe(12288);
    expect(mapping.describe().path).toBe('/f (deleted)');
    mapping.detach(listener, true);
    expect(frames.usedBytes).toBe(0);
  });

  test.each(['write', 'truncate', 'fallocate'])('what a mapping left behind the end is not seen after %s', (how) => {
    const { task, frames } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT);
    const fd = task.files.install(file, false, 10);
    writeBytes(task, file, 'abc');
    const phys = (file.inode as TmpfsFile).cache.frameAt(0);
    frames.physical.bytes.fill(0x55, phys + 3, phys + 4096);
    if (how === 'write') writeBytes(task, file, 'd', 10);
    else if (how === 'truncate') ftruncate(task, fd, 11);
    else fallocate(task, fd, 0, 0, 11);
    expect(readBytes(task, file, 10, 0).toString()).toBe('abc\0\0\0\0\0\0\0');
  });

  test('O_APPEND writes at the end whatever the offset', () => {
    const { task } = testKernel();
    const file = open(task, '/f', O_RDWR | O_CREAT | O_APPEND);
    writeBytes(task, file, 'abc');
    writeBytes(task, file, 'def', 0);
    expect(readBytes(task, file, 10, 0).toString()).toBe('abcdef');
    close(file);
  });

  test('RLIMIT_FSIZE: short, then EFBIG and SIGXFSZ', () => {
    const { task } = testKernel();
    task.group.limits[1].soft = 10;
    const file = open(task, '/f', O_RDWR | O_CREAT);
    expect(writeBytes(task, file, pattern(0, 20))).toBe(10);
    expect(outcome(() => writeBytes(task, file, 'x'))).toBe('EFBIG');
    expect(task.pending.set.has(25)).toBe(true);
    close(file);
  });
});
