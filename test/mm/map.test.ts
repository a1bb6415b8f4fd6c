/** Single calls on the script platform: errors in Linux's order, limits, faults, undo, batching. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EFAULT,
  EINVAL,
  EIO,
  Errno,
  ENAMETOOLONG,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
} from '../../src/abi/errno.js';
import {
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_POPULATE_WRITE,
  MADV_REMOVE,
  MADV_WIPEONFORK,
  MAP_32BIT,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MCL_FUTURE,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  MS_ASYNC,
  MS_SYNC,
} from '../../src/abi/flags/memory.js';
import type { AddressMap } from '../../src/mm/map.js';
import type { MmapRequest } from '../../src/mm/memory-map.js';
import { anonymous, errnoOf, machine, ofFile, PAGE, R, shape, TestFile, touch, W, X } from './harness.js';

const BASE = 0x2000_0000;
const at = (page: number): number => BASE + page * PAGE;
const fixed = (page: number, pages: number, prot = R | W): MmapRequest =>
  anonymous({ addr: at(page), length: pages * PAGE, prot, fixed: true });
/** Gap after gap from the top; a stack keeps its guard free of the gap right below it. */
function highestGap(map: AddressMap, top: number, length: number): number {
  const above = [...map.list.items].reverse();
  const gaps = [
    ...above.map((vma, i) => [vma.end, i === 0 ? top : map.startGap(above[i - 1])]),
    [0, above.length === 0 ? top : map.startGap(above.at(-1)!)],
  ];
  const [, end] = gaps.find(([floor, ceiling]) => ceiling - floor >= length)!;
  return end - length;
}
const SEGV_MAPERR = '11 1';
const SEGV_ACCERR = '11 2';
const BUS_ADRERR = '7 2';

describe('mmap', () => {
  test('errors, and which comes first', () => {
    const { map, frames, platform } = machine();
    const file = new TestFile(frames, 4 * PAGE);
    const descriptor = (readable: boolean, writable: boolean, more = {}) => ({
      readable,
      writable,
      open: () => file,
      ...more,
    });
    const cases: [string, Partial<MmapRequest>, number][] = [
      ['length 0 before everything', { length: 0, flags: 0, addr: 1 }, EINVAL],
      ['longer than the address space', { length: platform.taskSize + PAGE }, ENOMEM],
      ['length that wraps', { length: 2 ** 64 - 1 }, ENOMEM],
      ['fixed and not aligned', { addr: BASE + 1, flags: MAP_FIXED | 2 }, EINVAL],
      ['fixed at the top', { addr: platform.taskSize, flags: MAP_FIXED | 2 }, ENOMEM],
      ['fixed below the lowest address', { addr: 0, flags: MAP_FIXED | 2 }, EPERM],
      ['no type', { flags: 0x20 }, EINVAL],
      ['shared-validate anonymous', { flags: 0x23 }, EINVAL],
      ['shared stack', { flags: 0x21 | MAP_GROWSDOWN }, EINVAL],
      ['huge pages', { flags: 0x22 | MAP_HUGETLB }, ENOMEM],
      ['huge pages of a size that does not exist', { flags: 0x22 | MAP_HUGETLB | (20 << 26) }, EINVAL],
      ['huge pages of a file', { flags: 2 | MAP_HUGETLB, descriptor: descriptor(true, true) }, EINVAL],
      ['offset overflow', { flags: 2, offset: 2 ** 63, descriptor: descriptor(true, true) }, EOVERFLOW],
      ['shared and writable, read-only file', { flags: 1, descriptor: descriptor(true, false) }, EACCES],
      ['private of a write-only file', { flags: 2, descriptor: descriptor(false, true) }, EACCES],
      ['executable of noexec', { flags: 2, prot: X, descriptor: descriptor(true, true, { noexec: true }) }, EPERM],
      ['private file stack', { flags: 2 | MAP_GROWSDOWN, descriptor: descriptor(true, true) }, EINVAL],
      ['validate with an unknown flag', { flags: 3 | 0x0200_0000, descriptor: descriptor(true, true) }, EOPNOTSUPP],
      ['a file of no type', { flags: 0, descriptor: descriptor(true, true) }, EINVAL],
    ];
    for (const [name, request, expected] of cases) {
      const full = {
        addr: 0,
        length: PAGE,
        prot: R | W,
        flags: 0x22,
        file: null,
        offset: 0,
        mayWrite: true,
        ...request,
      };
      expect([name, errnoOf(() => map.mmap(full))]).toEqual([name, expected]);
    }
    expect(map.vmas()).toHaveLength(0);
    map.mmap(fixed(0, 2));
    expect(errnoOf(() => map.mmap(anonymous({ addr: at(1), flags: MAP_FIXED_NOREPLACE })))).toBe(EEXIST);
    expect(map.mmap(anonymous({ addr: at(2), flags: MAP_FIXED_NOREPLACE }))).toBe(at(2));
  });
  test('placement: top-down, hints, hints in use, 32 bit, stack guard gap', () => {
    const { map, platform } = machine();
    map.layout.mmapBase = platform.taskSize - 0x1000_0000;
    const first = map.mmap(anonymous({ length: 3 * PAGE }));
    expect(first).toBe(map.layout.mmapBase - 3 * PAGE);
    expect(map.mmap(anonymous())).toBe(first - PAGE);
    expect(map.mmap(anonymous({ addr: BASE + 123 }))).toBe(BASE);
    expect(map.mmap(anonymous({ addr: BASE }))).toBe(first - 2 * PAGE);
    expect(map.mmap(anonymous({ addr: PAGE }))).toBe(0x10000);
    const low = map.mmap(anonymous({ flags: MAP_32BIT.x86_64 }));
    expect(low).toBeGreaterThanOrEqual(0x4000_0000);
    expect(low).toBeLessThan(0x8000_0000);
    const stack = map.mmap(anonymous({ addr: BASE + 0x1000_0000, flags: MAP_GROWSDOWN }));
    expect(map.mmap(anonymous({ addr: stack - 10 * PAGE }))).not.toBe(stack - 10 * PAGE);
    expect(map.mmap(anonymous({ addr: stack - 257 * PAGE }))).toBe(stack - 257 * PAGE);
  });
  test('property: the highest gap that fits is found, whatever came before', () => {
    const step = fc.oneof(
      fc.record({ pages: fc.integer({ min: 1, max: 9 }), prot: fc.integer({ min: 0, max: 3 }), stack: fc.boolean() }),
      fc.record({ unmap: fc.integer({ min: 0, max: 700 }), pages: fc.integer({ min: 1, max: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { map } = machine({ physicalBytes: PAGE });
        const top = BASE + 2 ** 30;
        map.layout.mmapBase = top;
        for (const s of steps) {
          if ('unmap' in s) {
            map.munmap(top - (s.unmap + s.pages) * PAGE, s.pages * PAGE);
            continue;
          }
          const length = s.pages * PAGE;
          const expected = highestGap(map, top, length);
          const flags = s.stack ? MAP_GROWSDOWN : 0;
          expect(map.mmap(anonymous({ length, prot: s.prot, flags }))).toBe(expected);
        }
      }),
      { numRuns: 100 },
    );
  });
  test('neighbours merge exactly when everything agrees', () => {
    const { map, frames } = machine();
    map.mmap(fixed(0, 1));
    map.mmap(fixed(2, 1));
    map.mmap(fixed(1, 1));
    expect(shape(map, BASE)).toEqual([[0, 3, 3]]);
    map.mprotect(at(1), PAGE, R);
    // VM_ACCOUNT stays: the same kind of memory is one VMA again.
    map.mprotect(at(1), PAGE, R | W);
    expect(shape(map, BASE)).toEqual([[0, 3, 3]]);
    // Touched and then read-only: still promised, so it does not merge with what never was writable.
    map.writeU8(at(2), 1);
    map.mmap(fixed(3, 1, R));
    map.mprotect(at(2), PAGE, R);
    expect(shape(map, BASE)).toEqual([
      [0, 2, 3],
      [2, 3, 1],
      [3, 4, 1],
    ]);
    const file = new TestFile(frames, 8 * PAGE);
    map.mmap(ofFile(file, { addr: at(10), offset: 0, fixed: true }));
    map.mmap(ofFile(file, { addr: at(11), offset: PAGE, fixed: true }));
    map.mmap(ofFile(file, { addr: at(12), offset: 0, fixed: true }));
    expect(shape(map, BASE).slice(3)).toEqual([
      [10, 12, 3],
      [12, 13, 3],
    ]);
    expect([...file.listeners.values()]).toEqual([1]);
    map.munmap(at(10), 3 * PAGE);
    expect(file.listeners.size).toBe(0);
  });
  test('limits: address space, data, locked memory, the system', () => {
    const { map, account } = machine({ limitBytes: 100 * PAGE });
    map.limits.addressSpace = 10 * PAGE;
    expect(errnoOf(() => map.mmap(fixed(0, 11, 0)))).toBe(ENOMEM);
    map.mmap(fixed(0, 10, 0));
    // Replacing counts once.
    map.mmap(fixed(0, 10, R));
    map.limits.addressSpace = Infinity;
    map.limits.data = 4 * PAGE;
    expect(errnoOf(() => map.mmap(fixed(20, 5)))).toBe(ENOMEM);
    map.mmap(fixed(20, 4));
    expect(errnoOf(() => map.mprotect(at(0), PAGE, R | W))).toBe(ENOMEM);
    map.limits.data = Infinity;
    map.limits.memlock = 2 * PAGE;
    expect(errnoOf(() => map.mmap(anonymous({ length: 3 * PAGE, flags: MAP_LOCKED })))).toBe(EAGAIN);
    map.limits.memlock = 0;
    expect(errnoOf(() => map.mmap(anonymous({ flags: MAP_LOCKED })))).toBe(EPERM);
    expect(errnoOf(() => map.mmap(fixed(50, 97)))).toBe(ENOMEM);
    expect(map.find(at(50))).toBeNull();
    map.mmap(fixed(50, 500, 0));
    map.mmap({ ...fixed(600, 500), flags: fixed(0, 1).flags | MAP_NORESERVE });
    expect(account.committedBytes).toBe(4 * PAGE);
    expect(errnoOf(() => map.mprotect(at(50), 97 * PAGE, R | W))).toBe(ENOMEM);
    map.mprotect(at(50), 96 * PAGE, R | W);
    expect(account.committedBytes).toBe(100 * PAGE);
    map.mprotect(at(50), 96 * PAGE, R);
    map.munmap(at(50), 500 * PAGE);
    expect(account.committedBytes).toBe(4 * PAGE);
  });
  test('a host that refuses leaves everything as it was', () => {
    const { map, space, account, frames } = machine();
    const file = new TestFile(frames, 4 * PAGE, (page) => page + 1);
    map.mmap(fixed(0, 4));
    map.writeU8(at(1), 9);
    const before = [shape(map), account.committedBytes, map.virtualBytes];
    for (const call of [
      () => map.mmap(fixed(10, 4)),
      () => map.mmap(ofFile(file, { addr: at(10), length: 4 * PAGE, fixed: true })),
      () => map.munmap(at(1), PAGE),
      () => map.mprotect(at(1), PAGE, R),
      () => map.mremap(at(0), 4 * PAGE, 8 * PAGE, 0, 0),
    ]) {
      space.failErrno = ENOMEM;
      expect(errnoOf(call)).toBe(ENOMEM);
      expect([shape(map), account.committedBytes, map.virtualBytes]).toEqual(before);
      expect(map.readU8(at(1))).toBe(9);
      map.writeU8(at(1), 9);
    }
    expect(file.listeners.size).toBe(0);
    expect(space.layout().map(([start, end]) => [start, end])).toEqual([[at(0), at(4)]]);
  });
  test('one batch a call, one host operation for contiguous files', () => {
    const { map, space, frames } = machine();
    const file = new TestFile(frames, 64 * PAGE, () => 1);
    const spent = (call: () => unknown): [number, number] => {
      const [flushes, operations] = [space.flushes, space.operations];
      call();
      return [space.flushes - flushes, space.operations - operations];
    };
    expect(spent(() => map.mmap(fixed(0, 8)))).toEqual([1, 1]);
    expect(spent(() => map.mmap(fixed(2, 2)))).toEqual([1, 1]);
    expect(spent(() => map.mmap(ofFile(file, { addr: at(100), length: 64 * PAGE, fixed: true })))).toEqual([1, 1]);
    expect(spent(() => map.mmap(ofFile(file, { addr: at(100), length: 4 * PAGE, prot: R | X, fixed: true })))[0]).toBe(
      1,
    );
    expect(spent(() => map.munmap(at(0), 200 * PAGE))).toEqual([1, 1]);
    expect(spent(() => map.mmap(ofFile(file, { addr: at(100), length: 64 * PAGE, prot: 0, fixed: true })))).toEqual([
      0, 0,
    ]);
  });
});

describe('faults', () => {
  test('what is SIGSEGV and what SIGBUS', () => {
    const m = machine();
    const { map, frames } = m;
    const file = new TestFile(frames, 2 * PAGE + 5, (page) => page + 1);
    map.mmap(fixed(0, 1, R));
    map.mmap(fixed(1, 1, 0));
    map.mmap(ofFile(file, { addr: at(10), length: 6 * PAGE, prot: R, fixed: true }));
    expect(touch(m, at(0), 0)).toBe('ok');
    expect(touch(m, at(0), 1)).toBe(SEGV_ACCERR);
    expect(touch(m, at(0), 2)).toBe(SEGV_ACCERR);
    expect(touch(m, at(1), 0)).toBe(SEGV_ACCERR);
    expect(touch(m, at(5), 0)).toBe(SEGV_MAPERR);
    expect(touch(m, 2 ** 60, 0)).toBe(SEGV_MAPERR);
    expect(touch(m, at(12), 0)).toBe('ok');
    expect(touch(m, at(13), 0)).toBe(BUS_ADRERR);
    expect(touch(m, at(13), 1)).toBe(SEGV_ACCERR);
    expect(errnoOf(() => map.readU8(at(13)))).toBe(EFAULT);
    // The file grows: the page is there.
    file.size = 4 * PAGE;
    expect(touch(m, at(13), 0)).toBe('ok');
  });
  test('large files come in windows, and a written private page is never mapped over', () => {
    const m = machine({ physicalBytes: 64 << 20 });
    const { map, frames, space } = m;
    const pages = 4096;
    const file = new TestFile(frames, pages * PAGE);
    map.mmap(ofFile(file, { addr: at(0), length: pages * PAGE, fixed: true }));
    expect(space.layout().map(([start, end]) => (end - start) / PAGE)).toEqual([1024]);
    expect(touch(m, at(3000) + 7, 1)).toBe('ok');
    map.writeU8(at(3000), 77);
    for (let page = 2900; page < 3100; page += 50) expect(touch(m, at(page), 0)).toBe('ok');
    expect(map.readU8(at(3000))).toBe(77);
    expect(frames.physical.bytes[file.frameAt(3000 * PAGE)]).toBe(0);
    expect(file.pages.size).toBeLessThan(1024 + 6 * 64);
  });
  test('frames run out: SIGKILL; the backing store fails: SIGBUS', () => {
    const m = machine({ physicalBytes: 16 * PAGE });
    const file = new TestFile(m.frames, 2000 * PAGE);
    m.map.mmap(ofFile(file, { addr: at(0), length: 2000 * PAGE, prot: 0, fixed: true }));
    m.map.mprotect(at(0), 2000 * PAGE, R);
    m.frames.allocate(16 * PAGE);
    expect(touch(m, at(100), 0)).toBe('9 128');
    file.failure = new Errno(EIO);
    expect(touch(m, at(100), 0)).toBe(BUS_ADRERR);
  });
  test('stacks grow to their limit, keep their distance, and are accounted', () => {
    const m = machine();
    const { map, account } = m;
    map.limits.stack = 100 * PAGE;
    const top = at(5000);
    map.mmap(anonymous({ addr: top - 4 * PAGE, length: 4 * PAGE, fixed: true, flags: MAP_GROWSDOWN }));
    expect(touch(m, top - 5 * PAGE, 1)).toBe('ok');
    expect(touch(m, top - 90 * PAGE, 0)).toBe('ok');
    expect(touch(m, top - 100 * PAGE, 1)).toBe('ok');
    expect(touch(m, top - 101 * PAGE, 1)).toBe(SEGV_MAPERR);
    expect(map.virtualBytes).toBe(100 * PAGE);
    expect(account.committedBytes).toBe(100 * PAGE);
    map.limits.stack = Infinity;
    map.mmap(anonymous({ addr: top - 400 * PAGE, fixed: true }));
    expect(touch(m, top - 143 * PAGE, 1)).toBe('ok');
    expect(touch(m, top - 144 * PAGE, 1)).toBe(SEGV_MAPERR);
    // The kernel's own copies grow it, too.
    map.munmap(top - 400 * PAGE, PAGE);
    map.writeU32(top - 200 * PAGE, 1);
    expect(map.readU32(top - 200 * PAGE)).toBe(1);
  });
  test('a host that goes on faulting ends as SIGBUS, not as a loop', () => {
    const m = machine();
    m.map.mmap(fixed(0, 1));
    m.space.unmap(at(0), PAGE);
    m.space.flush();
    expect(touch(m, at(0), 0)).toBe(BUS_ADRERR);
  });
});

describe('files', () => {
  test('shared mappings are the file, private ones a copy; both count as Linux counts', () => {
    const { map, frames, account } = machine();
    const file = new TestFile(frames, 4 * PAGE, (page) => page + 1);
    map.mmap(ofFile(file, { addr: at(0), length: 4 * PAGE, shared: true, fixed: true }));
    map.mmap(ofFile(file, { addr: at(10), length: 4 * PAGE, fixed: true }));
    map.mmap(ofFile(file, { addr: at(20), length: 4 * PAGE, prot: R, shared: true, fixed: true, mayWrite: false }));
    expect([...file.listeners.values()]).toEqual([1, 1]);
    expect(file.writers).toBe(1);
    map.writeU8(at(0), 50);
    map.writeU8(at(11), 51);
    expect([at(0), at(10), at(20), at(1), at(11), at(21)].map((a) => map.readU8(a))).toEqual([50, 50, 50, 2, 51, 2]);
    expect(errnoOf(() => map.mprotect(at(20), PAGE, R | W))).toBe(EACCES);
    expect(account.committedBytes).toBe(4 * PAGE);
    map.msync(at(0), PAGE, MS_SYNC);
    expect(file.writes).toBe(1);
    expect(errnoOf(() => map.msync(at(0), PAGE, MS_SYNC | MS_ASYNC))).toBe(EINVAL);
    expect(errnoOf(() => map.msync(at(0), 6 * PAGE, MS_SYNC))).toBe(ENOMEM);
    map.release();
    expect(file.listeners.size).toBe(0);
    expect(account.committedBytes).toBe(0);
  });
  test('truncation unmaps at once while a thread is stopped, and frees frames only then', () => {
    const m = machine();
    const { map, frames, thread } = m;
    const file = new TestFile(frames, 4 * PAGE, () => 7);
    map.mmap(ofFile(file, { addr: at(0), length: 4 * PAGE, shared: true, fixed: true }));
    file.truncate(PAGE);
    expect(frames.usedBytes).toBe(PAGE);
    expect(touch(m, at(1), 0)).toBe(BUS_ADRERR);
    expect(touch(m, at(0), 0)).toBe('ok');
    file.size = 4 * PAGE;
    expect(map.readU8(at(3))).toBe(0);
    // All threads run: the frames stay until one stops.
    thread.running = true;
    const used = frames.usedBytes;
    file.truncate(0);
    expect(frames.usedBytes).toBe(used);
    expect(map.pendingSync).toBe(true);
    expect(errnoOf(() => map.readU8(at(0)))).toBe(EFAULT);
    thread.running = false;
    map.syncHost();
    expect(map.pendingSync).toBe(false);
    expect(frames.usedBytes).toBe(0);
    expect(touch(m, at(0), 0)).toBe(BUS_ADRERR);
  });
  test('what came in place of a truncated mapping survives the late unmapping', () => {
    const m = machine();
    const { map, frames, thread } = m;
    const file = new TestFile(frames, 4 * PAGE, () => 7);
    map.mmap(ofFile(file, { addr: at(0), length: 4 * PAGE, fixed: true }));
    thread.running = true;
    file.truncate(0);
    thread.running = false;
    map.mmap(fixed(0, 4));
    map.writeU8(at(2), 5);
    map.syncHost();
    expect(map.readU8(at(2))).toBe(5);
    expect(frames.usedBytes).toBe(0);
  });
  test('shared anonymous memory is shared by fork and freed with its last mapping', () => {
    const { map, thread, frames, account } = machine();
    map.mmap({ ...anonymous({ length: 40 * PAGE, shared: true, fixed: true }), addr: at(0) });
    expect(account.committedBytes + frames.usedBytes).toBe(40 * PAGE);
    const child = map.forkInto(thread.fork().space);
    child.writeU8(at(39), 5);
    expect(map.readU8(at(39))).toBe(5);
    expect(map.cmpxchgU32(at(39), 5, 6)).toBe(5);
    expect(child.readU8(at(39))).toBe(6);
    expect(map.cmpxchgU32(at(39), 5, 7)).toBe(6);
    const [a, b] = [map.futexKey(at(39), true), child.futexKey(at(39), true)];
    expect(a.object).toBe(b.object);
    expect(a.offset).toBe(39 * PAGE);
    map.release();
    expect(child.readU8(at(39))).toBe(6);
    child.release();
    expect(account.committedBytes + frames.usedBytes).toBe(0);
    expect(account.committedBytes).toBe(0);
  });
});

describe('mremap', () => {
  test('errors', () => {
    const { map, frames } = machine();
    const file = new TestFile(frames, 4 * PAGE);
    map.mmap(fixed(0, 4));
    map.mmap(ofFile(file, { addr: at(10), length: 4 * PAGE, shared: true, fixed: true }));
    const cases: [number, number, number, number, number, number][] = [
      [at(0), PAGE, PAGE, 8, 0, EINVAL],
      [at(0) + 1, PAGE, PAGE, 0, 0, EINVAL],
      [at(0), PAGE, 0, 0, 0, EINVAL],
      [at(0), PAGE, PAGE, MREMAP_FIXED, at(50), EINVAL],
      [at(0), PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at(50) + 1, EINVAL],
      [at(0), 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at(1), EINVAL],
      [at(0), 2 * PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, EINVAL],
      [at(0), 0, PAGE, MREMAP_MAYMOVE, 0, EINVAL],
      [at(5), PAGE, PAGE, 0, 0, EFAULT],
      [at(0), 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0, EFAULT],
      [at(0), 2 * PAGE, 3 * PAGE, 0, 0, ENOMEM],
      [at(10), 0, PAGE, 0, 0, ENOMEM],
    ];
    for (const [addr, oldLength, newLength, flags, to, expected] of cases)
      expect(errnoOf(() => map.mremap(addr, oldLength, newLength, flags, to))).toBe(expected);
  });
  test('grow in place, move, shrink, duplicate, leave behind', () => {
    const { map, frames, account } = machine();
    map.mmap(fixed(0, 2));
    map.writeU8(at(1), 5);
    expect(map.mremap(at(0), 2 * PAGE, 4 * PAGE, 0, 0)).toBe(at(0));
    map.mmap(fixed(4, 1));
    const moved = map.mremap(at(0), 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    expect(moved).not.toBe(at(0));
    expect(map.readU8(moved + PAGE)).toBe(5);
    expect(map.find(at(0))).toBeNull();
    expect(map.mremap(moved, 8 * PAGE, 2 * PAGE, 0, 0)).toBe(moved);
    expect(account.committedBytes).toBe(3 * PAGE);
    const left = map.mremap(moved, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    expect([map.readU8(moved + PAGE), map.readU8(left + PAGE)]).toEqual([0, 5]);
    const file = new TestFile(frames, 4 * PAGE, (page) => page + 1);
    map.mmap(ofFile(file, { addr: at(10), length: 4 * PAGE, shared: true, fixed: true }));
    const twin = map.mremap(at(11), 0, 2 * PAGE, MREMAP_MAYMOVE, 0);
    map.writeU8(twin, 60);
    expect([map.readU8(at(11)), map.readU8(twin + PAGE)]).toEqual([60, 3]);
    // Beyond the object: grows, but cannot be touched.
    expect(map.mremap(at(10), 4 * PAGE, 6 * PAGE, 0, 0)).toBe(at(10));
    expect(errnoOf(() => map.readU8(at(14)))).toBe(EFAULT);
  });
  test('what the host will not move is copied', () => {
    const { map, space } = machine();
    map.mmap(fixed(0, 4));
    map.mmap(fixed(4, 1, 0));
    map.writeU8(at(3), 8);
    space.failErrno = EFAULT;
    const moved = map.mremap(at(0), 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    expect([map.readU8(moved + 3 * PAGE), map.readU8(moved + 7 * PAGE)]).toEqual([8, 0]);
    expect(space.permits(at(0), 0)).toBe(false);
  });
});

describe('brk', () => {
  test('takes an address, answers with the break, and never fails loudly', () => {
    const { map } = machine();
    Object.assign(map.layout, { startBrk: BASE + 0x123, brk: BASE + 0x123, startData: 0, endData: 100 });
    expect(map.brk(0)).toBe(BASE + 0x123);
    expect(map.brk(BASE + 5)).toBe(BASE + 0x123);
    expect(map.brk(BASE + 3 * PAGE + 1)).toBe(BASE + 3 * PAGE + 1);
    expect(shape(map, BASE)).toEqual([[1, 4, 3]]);
    expect(map.vmas()[0].name).toBe('[heap]');
    map.writeU8(BASE + 3 * PAGE, 1);
    expect(map.brk(BASE + 2 * PAGE)).toBe(BASE + 2 * PAGE);
    expect(map.brk(BASE + 4 * PAGE)).toBe(BASE + 4 * PAGE);
    expect(map.readU8(BASE + 3 * PAGE)).toBe(0);
    map.limits.data = 8 * PAGE;
    expect(map.brk(BASE + 9 * PAGE)).toBe(BASE + 4 * PAGE);
    map.limits.data = Infinity;
    map.mmap(fixed(10, 1));
    // One page stays free below what comes next.
    expect(map.brk(BASE + 10 * PAGE)).toBe(BASE + 4 * PAGE);
    expect(map.brk(BASE + 9 * PAGE)).toBe(BASE + 9 * PAGE);
    expect(map.brk(2 ** 63)).toBe(BASE + 9 * PAGE);
  });
});

describe('madvise, mlock, mincore', () => {
  test('advice on contents', () => {
    const { map, frames, space } = machine();
    const file = new TestFile(frames, 4 * PAGE, (page) => page + 1);
    map.mmap(fixed(0, 4));
    map.mmap(ofFile(file, { addr: at(10), length: 4 * PAGE, fixed: true }));
    map.writeU8(at(0), 9);
    map.writeU8(at(10), 9);
    map.madvise(at(0), PAGE, MADV_DONTNEED);
    map.madvise(at(10), PAGE, MADV_DONTNEED);
    expect([map.readU8(at(0)), map.readU8(at(10))]).toEqual([0, 1]);
    expect(errnoOf(() => map.madvise(at(10), PAGE, MADV_FREE))).toBe(EINVAL);
    expect(errnoOf(() => map.madvise(at(0), PAGE, 999))).toBe(EINVAL);
    expect(errnoOf(() => map.madvise(at(0) + 1, PAGE, MADV_FREE))).toBe(EINVAL);
    expect(errnoOf(() => map.madvise(at(0), PAGE, MADV_REMOVE))).toBe(EINVAL);
    expect(errnoOf(() => map.madvise(at(10), PAGE, MADV_REMOVE))).toBe(EACCES);
    // Before and behind a hole it is done all the same.
    map.writeU8(at(10), 9);
    expect(errnoOf(() => map.madvise(at(0), 14 * PAGE, MADV_DONTNEED))).toBe(ENOMEM);
    expect(map.readU8(at(10))).toBe(1);
    map.mprotect(at(3), PAGE, R);
    expect(errnoOf(() => map.madvise(at(0), 4 * PAGE, MADV_POPULATE_WRITE))).toBe(EINVAL);
    map.mlock(at(0), PAGE, false);
    expect(errnoOf(() => map.madvise(at(0), PAGE, MADV_DONTNEED))).toBe(EINVAL);
    expect(space.dirty).toBe(false);
  });
  test('advice on fork', () => {
    const { map, thread } = machine();
    map.mmap(fixed(0, 3));
    for (let page = 0; page < 3; page++) map.writeU8(at(page), 1 + page);
    map.madvise(at(0), PAGE, MADV_DONTFORK);
    map.madvise(at(1), PAGE, MADV_WIPEONFORK);
    const child = map.forkInto(thread.fork().space);
    expect(shape(child, BASE)).toEqual([
      [1, 2, 3],
      [2, 3, 3],
    ]);
    expect([child.readU8(at(1)), child.readU8(at(2))]).toEqual([0, 3]);
    expect(child.virtualBytes).toBe(2 * PAGE);
    expect([0, 1, 2].map((page) => map.readU8(at(page)))).toEqual([1, 2, 3]);
  });
  test('locking is counted', () => {
    const { map, thread } = machine();
    map.mmap(fixed(0, 4));
    map.limits.memlock = 3 * PAGE;
    map.mlock(at(0) + 5, PAGE, false);
    expect(map.lockedBytes).toBe(2 * PAGE);
    expect(errnoOf(() => map.mlock(at(1), 3 * PAGE, false))).toBe(ENOMEM);
    map.mlock(at(0), 3 * PAGE, false);
    expect(map.lockedBytes).toBe(3 * PAGE);
    expect(errnoOf(() => map.mlock(at(4), PAGE, false))).toBe(ENOMEM);
    map.munlock(at(1), PAGE);
    expect(map.lockedBytes).toBe(2 * PAGE);
    expect(map.forkInto(thread.fork().space).lockedBytes).toBe(0);
    map.munlockall();
    expect(map.lockedBytes).toBe(0);
    map.mlockall(MCL_FUTURE);
    map.mmap(fixed(10, 1));
    expect(map.lockedBytes).toBe(PAGE);
    expect(errnoOf(() => map.mlockall(0))).toBe(EINVAL);
  });
  test('mincore tells what was touched', () => {
    const { map, frames } = machine();
    map.mmap(fixed(0, 4));
    map.writeU8(at(2), 1);
    expect([...map.mincore(at(0), 4 * PAGE)]).toEqual([0, 0, 1, 0]);
    expect(errnoOf(() => map.mincore(at(0), 5 * PAGE))).toBe(ENOMEM);
    expect(errnoOf(() => map.mincore(at(0) + 1, PAGE))).toBe(EINVAL);
    const file = new TestFile(frames, 2000 * PAGE);
    map.mmap(ofFile(file, { addr: at(10), length: 2 * PAGE, flags: MAP_POPULATE, fixed: true }));
    expect([...map.mincore(at(10), 2 * PAGE)]).toEqual([1, 1]);
  });
});

describe('guest memory', () => {
  test('strings end where their page ends', () => {
    const { map } = machine();
    map.mmap(fixed(0, 2));
    const text = 'x'.repeat(300);
    map.copyOut(at(1) - 100, Buffer.from(`${text}\0`), 0, 301);
    expect(map.readString(at(1) - 100, 4096)).toBe(text);
    expect(errnoOf(() => map.readString(at(1) - 100, 300))).toBe(ENAMETOOLONG);
    expect(map.readString(at(1) - 100, 301)).toBe(text);
    map.copyOut(at(2) - 3, Buffer.from('ab\0'), 0, 3);
    expect(map.readString(at(2) - 3, 4096)).toBe('ab');
    map.writeU8(at(2) - 1, 99);
    expect(errnoOf(() => map.readString(at(2) - 3, 4096))).toBe(EFAULT);
    expect(errnoOf(() => map.readString(2 ** 63, 10))).toBe(EFAULT);
  });
  test('copies across VMAs, up to the first bad page', () => {
    const { map, frames } = machine();
    map.mmap(fixed(0, 1));
    map.mmap(fixed(1, 1, R));
    const file = new TestFile(frames, PAGE, () => 3);
    map.mmap(ofFile(file, { addr: at(2), length: 2 * PAGE, fixed: true }));
    expect(map.readable(at(0), 10 * PAGE)).toBe(3 * PAGE);
    expect(map.readable(at(0) + 5, PAGE)).toBe(PAGE);
    expect(map.writable(at(0) + 5, 10 * PAGE)).toBe(PAGE - 5);
    expect(map.writable(at(1), 1)).toBe(0);
    expect(errnoOf(() => map.copyOut(at(0), new Uint8Array(2 * PAGE).fill(4), 0, 2 * PAGE))).toBe(EFAULT);
    expect(map.readU8(at(0) + PAGE - 1)).toBe(4);
    const [{ offset }] = frames.allocate(4 * PAGE);
    expect(map.copyInPhysical(at(0), offset, 4 * PAGE)).toBe(3 * PAGE);
    expect(frames.physical.bytes[offset + 2 * PAGE]).toBe(3);
    expect(map.copyOutPhysical(at(0) + 1, offset, 3 * PAGE)).toBe(PAGE - 1);
    expect(errnoOf(() => map.copyInPhysical(at(9), offset, 1))).toBe(EFAULT);
    map.writeU64(at(0), 2 ** 40 + 5);
    expect(map.readU64(at(0))).toBe(2 ** 40 + 5);
    map.writeU64(at(0), -2);
    expect([map.readI64(at(0)), map.readI32(at(0)), map.readU32(at(0) + 4)]).toEqual([-2, -2, 0xffff_ffff]);
    map.clearOut(at(0), PAGE);
    expect(map.readU64(at(0))).toBe(0);
    expect(errnoOf(() => map.cmpxchgU32(at(0) + 2, 0, 1))).toBe(EINVAL);
    expect(map.cmpxchgU32(at(0), 0, 0xffff_fff0)).toBe(0);
    expect(map.readU32(at(0))).toBe(0xffff_fff0);
    expect(map.futexKey(at(0), false)).toEqual({ object: map, offset: at(0) });
    expect(map.futexKey(at(0), true)).toEqual({ object: map, offset: at(0) + 2 });
    expect(errnoOf(() => map.futexKey(at(9), true))).toBe(EFAULT);
  });
  test('another page size and architecture', () => {
    const m = machine({ arch: 'aarch64', pageSize: 16384, physicalBytes: 1 << 20 });
    const { map, platform } = m;
    expect(platform.layout.arch).toBe('aarch64');
    const addr = map.mmap(anonymous({ length: 100, shared: true }));
    expect(addr % 16384).toBe(0);
    map.writeU8(addr + 16383, 4);
    expect(map.readU8(addr + 16383)).toBe(4);
    expect(touch(m, addr + 16384, 0)).toBe(SEGV_MAPERR);
    // MAP_32BIT does not exist there.
    expect(map.mmap(anonymous({ flags: MAP_32BIT.x86_64 }))).toBeGreaterThan(2 ** 32);
  });
});
