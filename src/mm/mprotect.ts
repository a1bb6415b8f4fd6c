/**
 * mprotect, msync, mincore, the mlock family and names: calls that walk the VMAs of a range and change them in place.
 *
 * Oddity kept: over a hole they do their work on what lies before it, then return ENOMEM. An empty range is fine for
 * mprotect, msync and mlock even where nothing is mapped.
 */
import { EACCES, EAGAIN, EBADF, EBUSY, EINVAL, ENOMEM, EPERM, Errno, errno } from '../abi/errno.js';
import {
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_SEM,
} from '../abi/flags/memory.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../platform/platform.js';
import type { MapCore } from './map-core.js';
import { isData } from './map-core.js';
import {
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYWRITE,
  VM_NOEXEC,
  VM_NORESERVE,
  VM_SHARED,
} from './memory-map.js';
import type { VmaRecord } from './vma-list.js';

const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;
/** Whether larger memory was touched is too much to ask the host. */
const MAX_ASKED = 16 * 1024 * 1024;
const LOCK_FLAGS = VM_LOCKED | VM_LOCKONFAULT;

export function mprotect(map: MapCore, addr: number, length: number, prot: number): void {
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  prot &= ~grows;
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP) || !map.aligned(addr)) throw errno(EINVAL);
  if (length === 0) return;
  const end = addr + map.pageUp(length);
  if (length >= 2 ** 64 - map.pageSize || end > 2 ** 64) throw errno(ENOMEM);
  if ((prot & ~(PROT_ALL | PROT_SEM)) !== 0) throw errno(EINVAL);
  const first = map.list.findFrom(addr);
  if (first === null) throw errno(ENOMEM);
  let start = addr;
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if (first.start >= end) throw errno(ENOMEM);
    if ((first.flags & VM_GROWSDOWN) === 0) throw errno(EINVAL);
    start = first.start;
  } else {
    if (first.start > addr) throw errno(ENOMEM);
    if ((grows & PROT_GROWSUP) !== 0) throw errno(EINVAL);
  }
  prot &= PROT_ALL;
  let failure: Errno | null = null;
  let at = start;
  try {
    for (const vma of map.list.within(start, end)) {
      if (vma.start > at) throw errno(ENOMEM);
      checkProtect(vma, prot);
      const to = Math.min(end, vma.end); // the VMA is split below
      protectOne(map, at, to, prot);
      at = to;
    }
    if (at < end) throw errno(ENOMEM);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    failure = error;
  }
  map.mergeRange(start, at);
  if (failure !== null) throw failure;
}

function checkProtect(vma: VmaRecord, prot: number): void {
  if ((prot & PROT_WRITE) !== 0 && (vma.flags & VM_MAYWRITE) === 0) throw errno(EACCES);
  if ((prot & PROT_EXEC) !== 0 && (vma.flags & VM_NOEXEC) !== 0) throw errno(EACCES);
}

/** mprotect_fixup for [from, to) of one VMA; the host first, so that its refusal leaves everything as it was. */
function protectOne(map: MapCore, from: number, to: number, prot: number): void {
  const vma = map.list.find(from)!;
  const bytes = to - from;
  const { flags } = vma;
  if (vma.prot === prot) return;
  let newFlags = flags;
  if ((prot & PROT_WRITE) !== 0) {
    if (!map.mayExpand(prot, flags, isData(prot, flags) && !isData(vma.prot, flags) ? bytes : 0)) throw errno(ENOMEM);
    if ((vma.prot & PROT_WRITE) === 0 && (flags & (VM_ACCOUNT | VM_SHARED | VM_NORESERVE)) === 0) {
      map.charge(bytes);
      newFlags |= VM_ACCOUNT;
    }
  } else if ((flags & VM_ACCOUNT) !== 0 && vma.file === null && isUntouched(map, vma)) newFlags &= ~VM_ACCOUNT;
  if ((prot & PROT_WRITE) !== 0 && vma.file !== null) map.restoreCode(from, to);
  try {
    if (vma.file === null) map.space.protect(from, bytes, map.hostProt(prot));
    else map.populated.each(from, to, (a, b) => map.space.protect(a, b - a, map.hostProt(prot)));
    map.commit();
  } catch (error) {
    if ((newFlags & ~flags & VM_ACCOUNT) !== 0) map.uncharge(bytes);
    if (vma.file === null) map.space.protect(from, bytes, map.hostProt(vma.prot));
    else map.populated.each(from, to, (a, b) => map.space.protect(a, b - a, map.hostProt(vma.prot)));
    map.commitQuietly();
    throw error;
  }
  if ((flags & ~newFlags & VM_ACCOUNT) !== 0) map.uncharge(bytes);
  changeRange(map, from, to, (part) => {
    map.count(part.prot, part.flags, -bytes);
    part.prot = prot;
    part.flags = newFlags;
    map.count(part.prot, part.flags, bytes);
  });
}

/** Anonymous memory that never had a page stops being promised when it becomes read-only (Linux asks for its anon_vma). */
function isUntouched(map: MapCore, { start, end }: VmaRecord): boolean {
  return end - start <= MAX_ASKED && map.space.resident(start, end - start) === 0;
}

/** Splits at the ends of [from, to), which lies in one VMA, and hands the part to `change`. */
export function changeRange(map: MapCore, from: number, to: number, change: (vma: VmaRecord) => void): void {
  map.list.split(from);
  map.list.split(to);
  change(map.list.find(from)!);
}

export function msync(map: MapCore, addr: number, length: number, flags: number): void {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || !map.aligned(addr)) throw errno(EINVAL);
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) throw errno(EINVAL);
  const end = addr + map.pageUp(length);
  if (end > 2 ** 64) throw errno(ENOMEM);
  let at = addr;
  let hole = false;
  for (const vma of map.list.within(addr, end)) {
    if (vma.start > at) hole = true;
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) throw errno(EBUSY);
    const from = Math.max(at, vma.start);
    const shared = (vma.flags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE);
    if ((flags & MS_SYNC) !== 0 && shared) vma.file!.written?.(vma.fileOffset(from), Math.min(end, vma.end) - from);
    at = vma.end;
  }
  if (hole || at < end) throw errno(ENOMEM);
}

/** mincore(2): one byte a page; ENOMEM at the first hole, after `emit` of what lies before it. */
export function mincore(map: MapCore, addr: number, length: number): Uint8Array {
  if (!map.aligned(addr)) throw errno(EINVAL);
  if (addr + length > map.platform.taskSize) throw errno(ENOMEM);
  const end = addr + map.pageUp(length);
  const out = new Uint8Array((end - addr) / map.pageSize);
  let at = addr;
  for (const vma of map.list.within(addr, end)) {
    if (vma.start > at) break;
    const to = Math.min(end, vma.end);
    const part = out.subarray((at - addr) / map.pageSize, (to - addr) / map.pageSize);
    if (vma.file === null) map.space.resident(at, to - at, part);
    else for (let i = 0; i < part.length; i++) part[i] = vma.file.cached(vma.fileOffset(at + i * map.pageSize)) ? 1 : 0;
    at = to;
  }
  if (at < end) throw errno(ENOMEM);
  return out;
}

/** mlock and mlock2. Nothing is locked on the host: guests may not pin its memory; the accounting is Linux's. */
export function mlock(map: MapCore, addr: number, length: number, onfault: boolean): void {
  const { memlock } = map.limits;
  if (memlock === 0) throw errno(EPERM);
  const start = map.pageDown(addr);
  const end = start + map.pageUp(length + (addr - start));
  let locked = map.lockedBytes + (end - start);
  if (locked > memlock)
    for (const vma of map.list.within(start, end))
      if ((vma.flags & VM_LOCKED) !== 0) locked -= overlap(vma, start, end);
  if (locked > memlock) throw errno(ENOMEM);
  applyLock(map, start, end, onfault ? LOCK_FLAGS : VM_LOCKED);
  // Populating what may not be touched fails (__mm_populate), though it is locked.
  if (onfault) return;
  for (const vma of map.list.within(start, end))
    if ((vma.prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) === 0) throw errno(ENOMEM);
}
export function munlock(map: MapCore, addr: number, length: number): void {
  const start = map.pageDown(addr);
  applyLock(map, start, start + map.pageUp(length + (addr - start)), 0);
}
export function mlockall(map: MapCore, flags: number): void {
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT)
    throw errno(EINVAL);
  const { memlock } = map.limits;
  if (memlock === 0) throw errno(EPERM);
  if ((flags & MCL_CURRENT) !== 0 && map.totalBytes > memlock) throw errno(ENOMEM);
  const lock = (flags & MCL_ONFAULT) !== 0 ? LOCK_FLAGS : VM_LOCKED;
  map.defaultFlags = (flags & MCL_FUTURE) !== 0 ? lock : 0;
  if ((flags & MCL_CURRENT) !== 0) lockAll(map, lock);
}
export function munlockall(map: MapCore): void {
  map.defaultFlags = 0;
  lockAll(map, 0);
}

function lockAll(map: MapCore, lock: number): void {
  for (const vma of map.list.within(0, map.platform.taskSize)) setFlags(map, vma, vma.start, vma.end, lock, LOCK_FLAGS);
  map.mergeRange(0, map.platform.taskSize);
  map.commit();
}
function applyLock(map: MapCore, start: number, end: number, lock: number): void {
  if (end > 2 ** 64) throw errno(EINVAL);
  if (end === start) return;
  let at = start;
  for (const vma of map.list.within(start, end)) {
    if (vma.start > at) break;
    const to = Math.min(end, vma.end);
    setFlags(map, vma, at, to, lock, LOCK_FLAGS);
    at = to;
  }
  map.mergeRange(start, at);
  if (at < end) throw errno(ENOMEM);
  if ((lock & VM_LOCKONFAULT) !== 0 || lock === 0) return;
  for (const vma of map.list.within(start, end))
    if (vma.file !== null && vma.prot !== 0) {
      const to = Math.min(end, vma.end);
      const reached = tryPopulate(map, vma, Math.max(start, vma.start), to);
      if (reached < to) throw errno(ENOMEM);
    }
}
function tryPopulate(map: MapCore, vma: VmaRecord, from: number, to: number): number {
  try {
    const reached = map.populate(vma, from, to);
    map.commit();
    return reached;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw errno(EAGAIN);
  }
}

/** Replaces the bits of `mask` in [from, to) of a VMA, counted; the caller merges. */
export function setFlags(map: MapCore, vma: VmaRecord, from: number, to: number, bits: number, mask: number): void {
  const flags = (vma.flags & ~mask) | bits;
  if (flags === vma.flags) return;
  changeRange(map, from, to, (part) => {
    map.count(part.prot, part.flags, from - to);
    part.flags = flags;
    map.count(part.prot, part.flags, to - from);
  });
}
function overlap(vma: VmaRecord, start: number, end: number): number {
  return Math.min(end, vma.end) - Math.max(start, vma.start);
}

/** prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME). */
export function setName(map: MapCore, addr: number, length: number, name: string): void {
  if (!map.aligned(addr)) throw errno(EINVAL);
  const end = addr + map.pageUp(length);
  if (end > 2 ** 64) throw errno(EINVAL);
  let at = addr;
  let hole = false;
  for (const vma of map.list.within(addr, end)) {
    if (vma.start > at) hole = true;
    if (vma.file !== null && (vma.flags & VM_SHARED) === 0) throw errno(EBADF);
    const to = Math.min(end, vma.end);
    if (vma.label !== name)
      changeRange(map, Math.max(at, vma.start), to, (part) => {
        part.label = name;
      });
    at = to;
  }
  map.mergeRange(addr, end);
  if (hole || at < end) throw errno(ENOMEM);
}
