/** A model of an address space that knows nothing but pages, and a property that compares a memory map with it. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { EFAULT, EINVAL, ENOMEM } from '../../src/abi/errno.js';
import type { AddressSpace, HostThread } from '../../src/platform/platform.js';
import type { AddressMap } from '../../src/mm/map.js';
import { anonymous, errnoOf, ofFile, PAGE, TestFile, type Machine } from './harness.js';

/** A machine whose space may not know what it permits (real processes). */
export type ModelMachine = Omit<Machine, 'platform' | 'space' | 'thread'> & {
  space: AddressSpace & { permits?(addr: number, access: number): boolean };
  thread: HostThread;
  close(): void;
};

const BASE = 0x10_0000_0000;
const PAGES = 48;
const FILE_PAGES = 20;

/** What one page of the model is: its protection, where its content comes from, and the content. */
interface ModelPage {
  prot: number;
  kind: 'anonymous' | 'private' | 'shared';
  /** Page of the file, for file kinds. */
  filePage: number;
  /** Own content (anonymous, or private after a write); null: as the file, or zero. */
  value: number | null;
}

class Model {
  pages: (ModelPage | undefined)[] = [];
  readonly file: number[] = [];

  read(i: number): number | null {
    const page = this.pages[i];
    if (page === undefined || page.prot === 0) return null;
    if (page.kind === 'anonymous') return page.value ?? 0;
    if (page.filePage >= FILE_PAGES) return null;
    return page.value ?? this.file[page.filePage];
  }
  write(i: number, value: number): boolean {
    const page = this.pages[i];
    if (page === undefined || (page.prot & 2) === 0) return false;
    if (page.kind !== 'anonymous' && page.filePage >= FILE_PAGES) return false;
    if (page.kind === 'shared') this.file[page.filePage] = value;
    else page.value = value;
    return true;
  }
}

const page = fc.integer({ min: 0, max: PAGES - 1 });
const count = fc.integer({ min: 1, max: 16 });
const prot = fc.constantFrom(0, 1, 3, 5, 7);
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('map' as const), page, count, prot }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('file' as const),
      page,
      count,
      prot,
      filePage: fc.nat(24),
      shared: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('unmap' as const), page, count }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('protect' as const), page, count, prot }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('remap' as const),
      page,
      count,
      newCount: count,
      target: page,
      fixed: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('write' as const), page, value: fc.integer({ min: 1, max: 255 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('discard' as const), page, count }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fork' as const) }) },
);

const address = (i: number): number => BASE + i * PAGE;

function remap(
  m: Model,
  map: AddressMap,
  c: { page: number; count: number; newCount: number; target: number; fixed: boolean },
): void {
  const { page: from, count: oldCount, newCount, target } = c;
  const flags = c.fixed ? 3 : 0;
  const error = errnoOf(() => map.mremap(address(from), oldCount * PAGE, newCount * PAGE, flags, address(target)));
  const overlaps = c.fixed && from < target + newCount && target < from + oldCount;
  const sameVma = (to: number): boolean => {
    // One VMA: the model cannot know where merging stops, so it asks.
    const vma = map.find(address(from));
    return vma !== null && vma.end >= address(to);
  };
  if (overlaps) {
    expect(error).toBe(EINVAL);
    return;
  }
  if (m.pages[from] === undefined) {
    expect(error).toBe(EFAULT);
    return;
  }
  if (error !== 0) {
    expect([EFAULT, ENOMEM]).toContain(error);
    if (error === EFAULT) expect(sameVma(from + oldCount)).toBe(false);
    return;
  }
  if (!c.fixed) {
    if (newCount < oldCount) for (let i = newCount; i < oldCount; i++) m.pages[from + i] = undefined;
    else
      for (let i = oldCount; i < newCount; i++)
        m.pages[from + i] = grown(m.pages[from + oldCount - 1]!, i - oldCount + 1);
    return;
  }
  const moved: (ModelPage | undefined)[] = [];
  for (let i = 0; i < newCount; i++)
    moved.push(i < oldCount ? m.pages[from + i] : grown(m.pages[from + oldCount - 1]!, i - oldCount + 1));
  for (let i = 0; i < oldCount; i++) m.pages[from + i] = undefined;
  // Mappings move one by one: where there was a hole, the target keeps what it has.
  for (let i = 0; i < newCount; i++) if (moved[i] !== undefined) m.pages[target + i] = moved[i];
}
function grown(last: ModelPage, distance: number): ModelPage {
  return { ...last, value: null, filePage: last.filePage + distance };
}

/** expect() costs too much for every page after every step. */
function same(page: number, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`page ${page}: ${String(actual)} instead of ${String(expected)}`);
}

function check(m: Model, machineNow: ModelMachine): void {
  const { map, space, account } = machineNow;
  const byte = new Uint8Array(1);
  let total = 0;
  for (let i = 0; i < 2 * PAGES; i++) {
    const expected = m.read(i);
    const readable = map.readable(address(i), 1);
    same(i, readable, expected === null ? 0 : 1);
    if (expected !== null) {
      map.copyIn(address(i), byte, 0, 1);
      same(i, byte[0], expected);
    }
    const page = m.pages[i];
    const vma = map.find(address(i));
    same(i, vma?.prot ?? -1, page?.prot ?? -1);
    if (page !== undefined) total += PAGE;
    if (page === undefined) same(i, space.permits?.(address(i), 0) ?? false, false);
    // The host never allows more than the VMA.
    if (page !== undefined && (page.prot & 2) === 0) same(i, space.permits?.(address(i), 1) ?? false, false);
  }
  expect(map.virtualBytes).toBe(total);
  let end = 0;
  let data = 0;
  let committed = 0;
  for (const vma of map.list.items) {
    expect(vma.start).toBeGreaterThanOrEqual(end);
    expect(vma.end).toBeGreaterThan(vma.start);
    end = vma.end;
    if ((vma.prot & 2) !== 0 && (vma.flags & 1) === 0) data += vma.end - vma.start;
    if ((vma.flags & 512) !== 0) committed += vma.end - vma.start;
  }
  expect(map.dataBytes).toBe(data);
  expect(account.committedBytes).toBe(committed);
}

/** Runs random sequences of calls on a map of `make()` and on the model. */
export function agreesWithModel(make: () => ModelMachine, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      let now = make();
      const file = new TestFile(now.frames, FILE_PAGES * PAGE, (p) => p + 1);
      const m = new Model();
      for (let i = 0; i < FILE_PAGES; i++) m.file.push(i + 1);
      for (const c of commands) {
        const { map } = now;
        if (c.op === 'map') {
          map.mmap(anonymous({ addr: address(c.page), length: c.count * PAGE, prot: c.prot, fixed: true }));
          for (let i = 0; i < c.count; i++)
            m.pages[c.page + i] = { prot: c.prot, kind: 'anonymous', filePage: 0, value: null };
        } else if (c.op === 'file') {
          const { shared, prot: p, filePage } = c;
          const offset = filePage * PAGE;
          map.mmap(
            ofFile(file, { addr: address(c.page), length: c.count * PAGE, prot: p, offset, shared, fixed: true }),
          );
          for (let i = 0; i < c.count; i++)
            m.pages[c.page + i] = {
              prot: p,
              kind: shared ? 'shared' : 'private',
              filePage: filePage + i,
              value: null,
            };
        } else if (c.op === 'unmap') {
          map.munmap(address(c.page), c.count * PAGE);
          for (let i = 0; i < c.count; i++) m.pages[c.page + i] = undefined;
        } else if (c.op === 'protect') {
          const error = errnoOf(() => map.mprotect(address(c.page), c.count * PAGE, c.prot));
          let i = 0;
          while (i < c.count && m.pages[c.page + i] !== undefined) m.pages[c.page + i++]!.prot = c.prot;
          expect(error).toBe(i < c.count ? ENOMEM : 0);
        } else if (c.op === 'remap') remap(m, map, c);
        else if (c.op === 'write') {
          const ok = m.write(c.page, c.value);
          expect(errnoOf(() => map.writeU8(address(c.page), c.value))).toBe(ok ? 0 : EFAULT);
        } else if (c.op === 'discard') {
          errnoOf(() => map.madvise(address(c.page), c.count * PAGE, 4));
          for (let i = 0; i < c.count; i++) {
            const p = m.pages[c.page + i];
            if (p !== undefined) p.value = null;
          }
        } else {
          // fork: the child goes on, the parent ends.
          const thread = now.thread.fork();
          const child = map.forkInto(thread.space);
          now.thread.exit();
          map.release();
          now = { ...now, thread, space: thread.space, map: child };
        }
        check(m, now);
      }
      now.thread.exit();
      now.map.release();
      expect(now.account.committedBytes).toBe(0);
      expect(file.listeners.size).toBe(0);
      expect(file.writers).toBe(0);
      file.dispose();
      expect(now.frames.usedBytes).toBe(0);
      now.close();
    }),
    { numRuns },
  );
}
