/**
 * MapCore: the state of one address space and the few primitives all memory calls are made of: putting a VMA in, taking a
 * range out, mapping file pages on the host, accounting, and committing the host queue.
 *
 * Invariants: private anonymous VMAs are mapped on the host in full; of file and shared VMAs exactly the pages in `populated`
 * are (the rest is a hole on the host, so touching it comes back as a fault). Host work is queued by the primitives and
 * executed by `commit`; a caller that cannot live with a failed commit undoes its change, then throws ENOMEM.
 */
import { EFAULT, ENOMEM, errno, errnoOf } from '../abi/errno.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE, type AddressSpace, type Platform } from '../platform/platform.js';
import { charge, uncharge } from './account.js';
import type { FileMapping, MappingListener } from './file-mapping.js';
import type { FrameAllocator } from './frames.js';
import {
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  type MemoryAccount,
  type MemoryLayout,
  type MemoryLimits,
} from './memory-map.js';
import { RewrittenCode, type Island, type IslandHost, type SharedFrames } from './rewritten-code.js';
import { SearchHint, widenHint } from './placement.js';
import { RangeSet } from './range-set.js';
import { VmaList, VmaRecord } from './vma-list.js';

/** Source of chance (sched/clock.ts has the same shape). */
export interface RandomSource {
  fill(dst: Uint8Array, offset: number, length: number): void;
}

export interface MapOptions {
  platform: Platform;
  frames: FrameAllocator;
  space: AddressSpace;
  account: MemoryAccount;
  random: RandomSource;
  /** Of the map this one is a copy of. The limits may be shared: a change replaces them. */
  limits?: MemoryLimits;
  layout?: MemoryLayout;
}

const MIB = 1024 * 1024;
/** So many pages rewritten one by one are mapped in one piece before the next fork. */
const MANY_FRAGMENTS = 3;
/** vm.max_map_count */
export const MAX_MAP_COUNT = 65530;
/** Lowest address a guest may map (vm.mmap_min_addr). */
export const MMAP_MIN_ADDR = 0x10000;
/** Pages kept free below a stack (stack_guard_gap). */
export const STACK_GUARD_PAGES = 256;

class Attachment implements MappingListener {
  readonly map: MapCore;
  readonly file: FileMapping;
  /** How many VMAs it stands for. */
  count = 0;

  constructor(map: MapCore, file: FileMapping) {
    this.map = map;
    this.file = file;
  }
  invalidate(fromOffset: number, toOffset: number): void {
    this.map.invalidate(this.file, fromOffset, toOffset);
  }
  privateCopies(fromOffset: number, toOffset: number, visit: (from: number, to: number) => void): void {
    this.map.privateCopies(this.file, fromOffset, toOffset, visit);
  }
  whenSettled(then: () => void): void {
    this.map.whenSettled(then);
  }
  codeChanged(): void {
    this.map.restoreFile(this.file);
  }
}

export abstract class MapCore implements IslandHost {
  readonly platform: Platform;
  readonly frames: FrameAllocator;
  readonly account: MemoryAccount;
  readonly random: RandomSource;
  readonly pageSize: number;
  space: AddressSpace;
  users = 1;
  limits: MemoryLimits;
  layout: MemoryLayout;
  readonly list: VmaList;
  readonly searchHint = new SearchHint();
  /** Addresses of file and shared mappings that are mapped on the host. */
  readonly populated = new RangeSet();
  readonly code = new RewrittenCode(this);
  /** total_vm, data_vm and locked_vm in bytes. */
  totalBytes = 0;
  dataBytes = 0;
  lockedBytes = 0;
  /** VM_ flags every new mapping gets: mlockall(MCL_FUTURE). */
  defaultFlags = 0;
  /** Index 1: for shared writable VMAs. Made when needed. */
  private readonly attachments: [Map<FileMapping, Attachment> | null, Map<FileMapping, Attachment> | null] = [
    null,
    null,
  ];
  /** File ranges queued since the last commit, to be taken back when it fails. */
  private populating: [number, number][] = [];
  private settling: (() => void)[] = [];
  /** Truncated while every thread was running: still mapped on the host, out of `populated`. */
  private late: [number, number][] = [];
  private deferred = 0;

  constructor(options: MapOptions) {
    this.platform = options.platform;
    this.frames = options.frames;
    this.account = options.account;
    this.random = options.random;
    this.space = options.space;
    this.pageSize = options.platform.pageSize;
    this.limits = options.limits ?? { addressSpace: Infinity, data: Infinity, stack: 8 * MIB, memlock: 8 * MIB };
    this.layout = options.layout ?? emptyLayout(options.platform.taskSize);
    this.list = new VmaList(this);
  }

  pageUp(value: number): number {
    return Math.ceil(value / this.pageSize) * this.pageSize;
  }
  pageDown(value: number): number {
    return Math.floor(value / this.pageSize) * this.pageSize;
  }
  aligned(value: number): boolean {
    return value % this.pageSize === 0;
  }
  /** Where the space kept for `vma` begins: below a stack is its guard gap (vm_start_gap). */
  startGap(vma: VmaRecord): number {
    return (vma.flags & VM_GROWSDOWN) === 0 ? vma.start : Math.max(0, vma.start - STACK_GUARD_PAGES * this.pageSize);
  }

  // --- limits

  /** may_expand_vm: RLIMIT_AS, and RLIMIT_DATA for private writable memory. */
  mayExpand(prot: number, flags: number, bytes: number): boolean {
    if (this.totalBytes + bytes > this.limits.addressSpace) return false;
    return !isData(prot, flags) || this.dataBytes + bytes <= this.limits.data;
  }
  /** mlock_future_ok: whether `bytes` more may be locked. */
  mayLock(flags: number, bytes: number): boolean {
    return (flags & VM_LOCKED) === 0 || this.lockedBytes + bytes <= this.limits.memlock;
  }
  charge(bytes: number): void {
    charge(this.account, this.frames, bytes);
  }
  uncharge(bytes: number): void {
    uncharge(this.account, bytes);
  }

  // --- VMAs

  /** Puts a VMA into a free range, without merging. VM_ACCOUNT must have been charged by the caller. */
  addVma(vma: VmaRecord): void {
    if (this.code.islands.length > 0) this.evictIslands(vma.start, vma.end);
    this.list.insert(vma);
    this.attach(vma);
    this.count(vma.prot, vma.flags, vma.end - vma.start);
  }
  /** The same above all others: for a copy of a whole map. */
  protected appendVma(vma: VmaRecord): void {
    this.list.append(vma);
    this.attach(vma);
    this.count(vma.prot, vma.flags, vma.end - vma.start);
  }
  /** Adds to (or with negative bytes takes from) the counters what a range of this kind counts. */
  count(prot: number, flags: number, bytes: number): void {
    this.totalBytes += bytes;
    if (isData(prot, flags)) this.dataBytes += bytes;
    if ((flags & VM_LOCKED) !== 0) this.lockedBytes += bytes;
  }
  /**
   * Takes [start, end) out of the VMAs and gives back what it held. Host pages are unmapped unless `keepHost` (the caller
   * maps over all of them, or has unmapped or moved them). A commit must follow.
   */
  dropRange(start: number, end: number, keepHost = false): void {
    const { list } = this;
    this.queueLate();
    list.split(start);
    list.split(end);
    for (const vma of list.removeRange(start, end)) this.forget(vma, keepHost);
    widenHint(this, end);
  }
  private forget(vma: VmaRecord, keepHost: boolean): void {
    const bytes = vma.end - vma.start;
    this.count(vma.prot, vma.flags, -bytes);
    if ((vma.flags & VM_ACCOUNT) !== 0) this.uncharge(bytes);
    if (vma.file === null) {
      if (!keepHost) this.space.unmap(vma.start, bytes);
      return;
    }
    if (!keepHost && this.populated.overlaps(vma.start, vma.end)) this.space.unmap(vma.start, bytes);
    if ((vma.flags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE)) vma.file.written?.(vma.offset, bytes);
    this.populated.remove(vma.start, vma.end);
    this.code.ranges.remove(vma.start, vma.end);
    this.detach(vma);
  }
  /** Whether the host has anything mapped in [start, end). */
  hasHostPages(start: number, end: number): boolean {
    for (const vma of this.list.within(start, end)) if (vma.file === null) return true;
    return this.populated.overlaps(start, end);
  }
  /**
   * Unmaps [start, end) on the host in one operation, then forgets its VMAs. The host goes first: when it refuses (too many
   * maps to punch a hole), nothing has happened and ENOMEM is thrown.
   */
  removeRange(start: number, end: number): void {
    if (this.hasHostPages(start, end)) {
      this.space.unmap(start, end - start);
      this.commit();
    }
    this.dropRange(start, end, true);
    this.commit();
  }
  /** Forgets everything, host side untouched. */
  dropAll(): void {
    for (const vma of this.list.removeAll()) {
      if ((vma.flags & VM_ACCOUNT) !== 0) this.uncharge(vma.end - vma.start);
      if (vma.file === null) continue;
      if ((vma.flags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE))
        vma.file.written?.(vma.offset, vma.end - vma.start);
    }
    this.searchHint.reset();
    const code = this.code.clear();
    if (code !== null) this.settling.push(code);
    this.populated.clear();
    if (this.late.length > 0) this.late.length = 0;
    this.totalBytes = this.dataBytes = this.lockedBytes = 0;
  }
  /** Changes protection or flags of whole VMAs in [start, end), which must be split there; then merges at the edges. */
  mergeRange(start: number, end: number): void {
    this.list.mergeAt(end);
    for (const vma of this.list.within(start, end)) if (vma.start > start) this.list.mergeAt(vma.start);
    this.list.mergeAt(start);
  }

  attach(vma: VmaRecord): void {
    if (vma.file === null) return;
    const writable = isSharedWritable(vma);
    const attachments = (this.attachments[writable ? 1 : 0] ??= new Map<FileMapping, Attachment>());
    let attachment = attachments.get(vma.file);
    if (attachment === undefined) {
      attachment = new Attachment(this, vma.file);
      attachments.set(vma.file, attachment);
      vma.file.attach(attachment, writable);
    }
    attachment.count++;
  }
  detach(vma: VmaRecord): void {
    if (vma.file === null) return;
    const writable = isSharedWritable(vma);
    const attachments = this.attachments[writable ? 1 : 0]!;
    const attachment = attachments.get(vma.file)!;
    if (--attachment.count > 0) return;
    attachments.delete(vma.file);
    this.detachLater(attachment, writable);
  }
  /** The object may free its frames when detached: not before the host has unmapped them, so the next commit does it. */
  private detachLater(attachment: Attachment, writable: boolean): void {
    this.settling.push(() => attachment.file.detach(attachment, writable));
  }
  /** Detaches from every file (at the next commit). */
  protected detachAll(): void {
    for (let kind = 0; kind < 2; kind++) {
      const attachments = this.attachments[kind];
      if (attachments === null) continue;
      for (const attachment of attachments.values()) this.detachLater(attachment, kind === 1);
      this.attachments[kind] = null;
    }
  }

  // --- the host

  /** PROT_WRITE and PROT_EXEC imply reading in Linux's fault handler; process_vm_readv wants it spelled out. */
  hostProt(prot: number): number {
    return (prot & (PROT_WRITE | PROT_EXEC)) !== 0 ? prot | PROT_READ : prot;
  }
  /**
   * Queues the pages of [from, to) of a file VMA that exist and are not mapped yet. Returns the address of the first page
   * that could not be mapped: `to`, or a page beyond the end of the file. Throws what the file throws on its first page, and
   * EFAULT when every thread of the space is running (only another process's accesses can meet that).
   */
  populate(vma: VmaRecord, from: number, to: number): number {
    const { populated, space } = this;
    if (!this.canFlush) throw errno(EFAULT);
    this.queueLate();
    const file = vma.file!;
    const shared = (vma.flags & VM_SHARED) !== 0;
    const eof = this.pageUp(file.size);
    let at = from;
    while (at < to) {
      const covered = populated.coveredTo(at);
      if (covered > at) {
        at = covered;
        continue;
      }
      const offset = vma.fileOffset(at);
      const max = Math.min(populated.nextCovered(at, to) - at, eof - offset);
      if (max <= 0) break;
      let frame: number;
      let length: number;
      try {
        const piece = file.shadow && runsFromStandIns(vma) ? file.shadow.pieceAt(this.code, at, offset, max) : null;
        if (piece !== null && piece.frame >= 0) {
          ({ frame, length } = piece);
          this.code.ranges.add(at, at + length);
        } else {
          frame = file.frameAt(offset);
          length = Math.min(piece?.length ?? max, file.contiguous(offset, max));
        }
      } catch (error) {
        errnoOf(error);
        if (at === from) throw error;
        break;
      }
      space.mapPhysical(at, length, this.hostProt(vma.prot), frame, shared);
      populated.add(at, at + length);
      this.populating.push([at, at + length]);
      at += length;
    }
    return Math.min(at, to);
  }
  /** Runs `build` with every commit inside put off to one at the end. */
  batch(build: () => void): void {
    this.deferred++;
    try {
      build();
    } finally {
      this.deferred--;
    }
    this.commit();
  }
  /** Executes the queued host work; throws ENOMEM when the host refuses, after taking back file pages it may not have. */
  commit(): void {
    if (this.deferred > 0) return;
    const { space } = this;
    if (space.dirty) {
      const error = space.flush();
      if (error !== 0) {
        for (const [from, to] of this.populating) {
          this.populated.remove(from, to);
          space.unmap(from, to - from);
        }
        this.populating.length = 0;
        if (space.dirty) space.flush();
        this.settled();
        throw errno(ENOMEM);
      }
    }
    if (this.populating.length > 0) this.populating.length = 0;
    if (this.settling.length > 0 && this.late.length === 0) this.settled();
  }
  /** A commit whose failure cannot be helped (undo, unmapping): the VMAs stay the truth. */
  commitQuietly(): void {
    try {
      this.commit();
    } catch (error) {
      errnoOf(error);
    }
  }
  /** The host has nothing queued: what waited for that happens. */
  protected settled(): void {
    if (this.settling.length === 0) return;
    const callbacks = this.settling;
    this.settling = [];
    for (const callback of callbacks) callback();
  }

  // --- rewritten code

  /** Before a fork: sites that children have found since are mapped here, so that the next ones have them. */
  renewCode(): void {
    const { islands } = this.code;
    if (islands.length === 0) return;
    for (const island of islands) {
      const { owner, version, codeStart } = island;
      if (version === owner.version) continue;
      island.version = owner.version;
      owner.changes(version, (offset, frames) => {
        const address = codeStart + offset;
        const vma = this.list.find(address);
        // Only over what it stands for: the guest may have mapped something else there since, or changed the page.
        if (vma === null || !isCodeOf(vma, island) || this.populated.coveredTo(address) === address) return;
        this.mapStandIn(address, frames);
      });
    }
    for (const island of islands) if (island.fragments >= MANY_FRAGMENTS) this.mapWhole(island);
    this.commitQuietly();
  }
  /** The code of `island` in one piece again. */
  private mapWhole(island: Island): void {
    const { codeStart: from, codeEnd: to } = island;
    island.fragments = 0;
    const vma = this.list.find(from);
    if (vma === null || vma.end < to || !isCodeOf(vma, island)) return;
    const image = island.owner.newest();
    if (image === null) return;
    island.version = island.owner.version;
    this.code.use(image);
    this.space.mapPhysical(from, to - from, PROT_READ | PROT_EXEC, image.extent.offset, false);
    this.code.ranges.add(from, to);
    this.populated.add(from, to);
    this.populating.push([from, to]);
  }
  /** Queues a rewritten page over the one that is there. */
  mapStandIn(address: number, frames: SharedFrames): void {
    this.code.use(frames);
    const island = this.code.islands.find(({ codeStart, codeEnd }) => address >= codeStart && address < codeEnd);
    if (island !== undefined) island.fragments++;
    this.space.mapPhysical(address, this.pageSize, PROT_READ | PROT_EXEC, frames.extent.offset, false);
    this.code.ranges.add(address, address + this.pageSize);
    this.populated.add(address, address + this.pageSize);
  }

  /** [from, to) goes back to the file's own pages, at the next fault. */
  restoreCode(from: number, to: number): void {
    const parts: [number, number][] = [];
    this.code.ranges.each(from, to, (a, b) => parts.push([a, b]));
    for (const [a, b] of parts) {
      this.code.ranges.remove(a, b);
      this.populated.remove(a, b);
      this.late.push([a, b]);
    }
    if (parts.length > 0) this.queueLate();
  }
  /** FileMapping.shadow of `file` is not true any more. */
  restoreFile(file: FileMapping): void {
    for (const vma of this.list.items) if (vma.file === file) this.restoreCode(vma.start, vma.end);
    this.syncHost();
  }
  private evictIslands(start: number, end: number): void {
    for (const island of [...this.code.islands]) {
      if (island.start >= end || island.end <= start) continue;
      this.restoreCode(island.codeStart, island.codeEnd);
      this.code.evict(island);
    }
  }

  // --- truncation

  /** MappingListener.invalidate for one file: its pages in [fromOffset, toOffset) leave the host. */
  invalidate(file: FileMapping, fromOffset: number, toOffset: number): void {
    const from = this.pageUp(fromOffset);
    for (const vma of this.list.items) {
      if (vma.file !== file) continue;
      const start = Math.max(vma.start, vma.start + (from - vma.offset));
      const end = Math.min(vma.end, vma.start + (toOffset - vma.offset));
      if (start >= end || !this.populated.overlaps(start, end)) continue;
      this.populated.remove(start, this.pageUp(end));
      this.code.ranges.remove(start, this.pageUp(end));
      this.late.push([start, this.pageUp(end)]);
    }
    this.syncHost();
  }
  /** MappingListener.privateCopies for one file. */
  privateCopies(
    file: FileMapping,
    fromOffset: number,
    toOffset: number,
    visit: (from: number, to: number) => void,
  ): void {
    for (const vma of this.list.items) {
      if (vma.file !== file || (vma.flags & VM_SHARED) !== 0 || !wasWritable(vma)) continue;
      const shift = vma.offset - vma.start;
      const start = Math.max(vma.start, fromOffset - shift);
      const end = Math.min(vma.end, toOffset - shift);
      this.populated.each(start, end, (from, to) => visit(from + shift, to + shift));
    }
  }
  /** Queues what truncation left; before anything else may be mapped there. */
  private queueLate(): void {
    if (this.late.length === 0 || !this.canFlush) return;
    for (const [from, to] of this.late) this.space.unmap(from, to - from);
    this.late.length = 0;
  }
  /** Calls `then` when no host mapping made before may still reach what was invalidated. */
  whenSettled(then: () => void): void {
    if (this.late.length > 0 || this.space.dirty) this.settling.push(then);
    else then();
  }
  /** The kernel loop calls this when a thread of this space has stopped and `pendingSync` is true. */
  syncHost(): void {
    this.queueLate();
    if (this.space.dirty) this.commitQuietly();
    else if (this.settling.length > 0 && this.late.length === 0) this.settled();
  }
  get pendingSync(): boolean {
    return this.late.length > 0;
  }
  /** Whether some thread of the space is stopped, which host work needs. */
  get canFlush(): boolean {
    for (const thread of this.space.threads) if (!thread.running) return true;
    return false;
  }

  // --- IslandHost

  get alone(): boolean {
    return this.space.threads.size <= 1;
  }
  canMapIsland({ start, end }: Pick<Island, 'start' | 'end'>): boolean {
    return start >= MMAP_MIN_ADDR && end <= this.platform.taskSize && !this.list.intersects(start, end);
  }
  mapIsland({ start, end }: Island, frame: number): void {
    this.space.mapPhysical(start, end - start, PROT_READ | PROT_EXEC, frame, false);
  }
  unmapIsland({ start, end }: Island): void {
    this.space.unmap(start, end - start);
  }
  poke(address: number, bytes: Uint8Array): void {
    this.space.poke!(address, bytes);
  }
}

export function isData(prot: number, flags: number): boolean {
  return (prot & PROT_WRITE) !== 0 && (flags & (VM_SHARED | VM_GROWSDOWN)) === 0;
}
/** Private code that cannot have changed. */
export function runsFromStandIns(vma: VmaRecord): boolean {
  return vma.file !== null && (vma.prot & PROT_EXEC) !== 0 && (vma.flags & VM_SHARED) === 0 && !wasWritable(vma);
}
/** Whether `vma`, wherever it covers the code of `island`, maps that very code of that very file. */
function isCodeOf(vma: VmaRecord, island: Island): boolean {
  const { owner, codeStart } = island;
  return runsFromStandIns(vma) && vma.file === owner.file && vma.fileOffset(codeStart) === owner.from;
}
/** Whether a private mapping can ever have been written to: VM_ACCOUNT stays on one that was writable; without VM_ACCOUNT (MAP_NORESERVE) nothing tells. */
function wasWritable(vma: VmaRecord): boolean {
  return (vma.prot & PROT_WRITE) !== 0 || (vma.flags & (VM_ACCOUNT | VM_NORESERVE)) !== 0;
}
function isSharedWritable(vma: VmaRecord): boolean {
  return (vma.flags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE);
}
function emptyLayout(top: number): MemoryLayout {
  return {
    startCode: 0,
    endCode: 0,
    startData: 0,
    endData: 0,
    startBrk: 0,
    brk: 0,
    startStack: 0,
    argStart: 0,
    argEnd: 0,
    envStart: 0,
    envEnd: 0,
    auxv: new Uint8Array(0),
    mmapBase: top,
  };
}
