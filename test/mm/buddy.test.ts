import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ENOMEM } from '../../src/abi/errno.js';
import { BuddyAllocator } from '../../src/mm/buddy.js';
import type { Extent } from '../../src/mm/frames.js';
import { ScriptPhysical } from '../../src/platform/script/physical.js';
import { errnoOf, PAGE } from './harness.js';

const freePages = (frames: BuddyAllocator): number =>
  frames.statistics.freeBlocks.reduce((sum, count, order) => sum + count * 2 ** order, 0);

describe('buddy allocator', () => {
  test('an extent has exactly the length asked for; everything comes back as the largest blocks', () => {
    const physical = new ScriptPhysical(1024 * PAGE, PAGE);
    const frames = new BuddyAllocator(physical, PAGE);
    const before = frames.statistics.freeBlocks;
    const extents = [1, 3, 7, 100, 512].map((pages) => frames.allocate(pages * PAGE));
    expect(extents.map((list) => list.map((e) => e.length / PAGE))).toEqual([[1], [3], [7], [100], [512]]);
    expect(frames.usedBytes).toBe(623 * PAGE);
    for (const list of extents) for (const extent of list) frames.free(extent);
    expect(frames.statistics.freeBlocks).toEqual(before);
    expect(frames.usedBytes).toBe(0);
  });
  test('limit, physical size and promised memory give ENOMEM and change nothing', () => {
    const account = { committedBytes: 0, limitBytes: Infinity, strict: false };
    const frames = new BuddyAllocator(new ScriptPhysical(64 * PAGE, PAGE), PAGE, { limitBytes: 32 * PAGE, account });
    expect(errnoOf(() => frames.allocate(33 * PAGE))).toBe(ENOMEM);
    frames.limitBytes = Infinity;
    account.committedBytes = 0;
    frames.allocate(60 * PAGE);
    expect(errnoOf(() => frames.allocate(5 * PAGE))).toBe(ENOMEM);
    frames.limitBytes = 62 * PAGE;
    expect(frames.freeBytes).toBe(2 * PAGE);
    account.committedBytes = PAGE;
    expect(errnoOf(() => frames.allocate(2 * PAGE))).toBe(ENOMEM);
    expect(frames.allocate(PAGE)).toHaveLength(1);
  });
  test('double free and free of what was never allocated are caught', () => {
    const frames = new BuddyAllocator(new ScriptPhysical(64 * PAGE, PAGE), PAGE);
    const [extent] = frames.allocate(4 * PAGE);
    frames.free(extent);
    expect(() => frames.free(extent)).toThrow(/double free/);
    const [again] = frames.allocate(4 * PAGE);
    expect(() => frames.free({ offset: again.offset, length: 8 * PAGE })).toThrow(/double free/);
    expect(() => frames.free({ offset: again.offset + 1, length: PAGE })).toThrow(RangeError);
  });
  test('long frees keep what the host has up to a limit, and not what is allocated again', () => {
    const given: string[] = [];
    const physical = new (class extends ScriptPhysical {
      override release(offset: number, length: number): void {
        given.push(`release ${length / PAGE}`);
        super.release(offset, length);
      }
      override clear(offset: number, length: number): void {
        given.push(`clear ${length / PAGE}`);
        this.bytes.fill(0, offset, offset + length);
      }
    })(40_000 * PAGE, PAGE);
    const frames = new BuddyAllocator(physical, PAGE);
    const a = frames.allocate(10_000 * PAGE);
    const b = frames.allocate(10_000 * PAGE);
    const free = (list: Extent[]): void => list.forEach((extent) => frames.free(extent));
    free(a);
    free(b);
    expect(given.splice(0)).toEqual(['clear 10000', 'release 10000']);
    const c = frames.allocate(20_000 * PAGE);
    free(c);
    expect(given.splice(0)).toEqual(['release 20000']);
    free(frames.allocate(16_384 * PAGE));
    expect(given).toEqual(['clear 16384']);
  });
  test('property: no overlap, zero-filled, exact accounting, all memory can be had', () => {
    const command = fc.oneof(
      fc.record({ allocate: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ free: fc.nat(1000), part: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(command, { maxLength: 80 }), (pages, commands) => {
        const physical = new ScriptPhysical(pages * PAGE, PAGE);
        const frames = new BuddyAllocator(physical, PAGE);
        const owned: Extent[] = [];
        const owner = new Uint8Array(pages);
        for (const c of commands) {
          if ('allocate' in c) {
            const used = frames.usedBytes;
            const possible = used + c.allocate * PAGE <= pages * PAGE;
            let extents: Extent[] = [];
            expect(errnoOf(() => (extents = frames.allocate(c.allocate * PAGE)))).toBe(possible ? 0 : ENOMEM);
            expect(extents.reduce((sum, e) => sum + e.length, 0)).toBe(possible ? c.allocate * PAGE : 0);
            for (const e of extents) {
              for (let page = e.offset / PAGE; page < (e.offset + e.length) / PAGE; page++) {
                expect(owner[page]++).toBe(0);
              }
              expect(physical.bytes.subarray(e.offset, e.offset + e.length).every((byte) => byte === 0)).toBe(true);
              physical.bytes.fill(0xaa, e.offset, e.offset + e.length);
              owned.push(e);
            }
          } else if (owned.length > 0) {
            const i = c.free % owned.length;
            const whole = owned[i];
            let gone = whole;
            if (c.part && whole.length > PAGE) {
              gone = { offset: whole.offset, length: PAGE };
              owned[i] = { offset: whole.offset + PAGE, length: whole.length - PAGE };
            } else owned.splice(i, 1);
            frames.free(gone);
            owner.fill(0, gone.offset / PAGE, (gone.offset + gone.length) / PAGE);
          }
          const inUse = owner.reduce((sum, n) => sum + n, 0);
          expect(frames.usedBytes).toBe(inUse * PAGE);
          expect(freePages(frames)).toBe(pages - inUse);
        }
        for (const extent of owned) frames.free(extent);
        const rest = frames.allocate(pages * PAGE);
        expect(rest.reduce((sum, e) => sum + e.length, 0)).toBe(pages * PAGE);
      }),
      { numRuns: 150 },
    );
  });
});
