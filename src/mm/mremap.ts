/**
 * mremap(2) (mm/mremap.c): shrink, grow in place, move, duplicate a shared mapping (old size 0), MREMAP_DONTUNMAP.
 *
 * Contents move with the host's own mremap; shared pages are mapped again at the new place, which costs the same. The host may
 * have split what is one VMA here (its rules for merging look at more), so a refused move is done by copying.
 */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, Errno, errno } from '../abi/errno.js';
import { MAP_FIXED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../abi/flags/memory.js';
import { MAX_MAP_COUNT, type MapCore } from './map-core.js';
import { VM_ACCOUNT, VM_LOCKED, VM_LOCKONFAULT, VM_SHARED } from './memory-map.js';
import { munmap } from './mmap.js';
import { unmappedArea } from './placement.js';
import { VmaRecord } from './vma-list.js';

export function mremap(
  map: MapCore,
  addr: number,
  oldLength: number,
  newLength: number,
  flags: number,
  newAddr: number,
): number {
  const { taskSize } = map.platform;
  const oldLen = map.pageUp(oldLength);
  const newLen = map.pageUp(newLength);
  const placed = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) throw errno(EINVAL);
  if (!map.aligned(addr) || newLen === 0 || newLen > taskSize) throw errno(EINVAL);
  if (placed) {
    if ((flags & MREMAP_FIXED) !== 0 && (newAddr > taskSize - newLen || !map.aligned(newAddr))) throw errno(EINVAL);
    if ((flags & MREMAP_MAYMOVE) === 0) throw errno(EINVAL);
    if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLen !== newLen) throw errno(EINVAL);
    if ((flags & MREMAP_FIXED) !== 0 && addr + oldLen > newAddr && newAddr + newLen > addr) throw errno(EINVAL);
    if (map.list.size + 2 >= MAX_MAP_COUNT - 3) throw errno(ENOMEM);
  }
  if ((flags & MREMAP_FIXED) !== 0 && oldLen === newLen) return remapMove(map, addr, oldLen, flags, newAddr);
  const vma = map.list.find(addr);
  if (vma === null) throw errno(EFAULT);
  if (placed || newLen > oldLen) checkGrowOrMove(map, vma, addr, oldLen, newLen);
  if (placed) return remapTo(map, addr, oldLen, newLen, flags, newAddr);
  if (newLen === oldLen) return addr;
  if (newLen < oldLen) {
    munmap(map, addr + newLen, oldLen - newLen);
    return addr;
  }
  if (oldLen > 0 && addr + oldLen === vma.end && growsInPlace(map, vma, addr + newLen)) return addr;
  if ((flags & MREMAP_MAYMOVE) === 0) throw errno(ENOMEM);
  const target = unmappedArea(map, 0, newLen, 0);
  return moveVma(map, addr, oldLen, target, newLen, false);
}

/** check_prep_vma */
function checkGrowOrMove(map: MapCore, vma: VmaRecord, addr: number, oldLen: number, newLen: number): void {
  if (oldLen === 0 && (vma.flags & VM_SHARED) === 0) throw errno(EINVAL);
  // What is cut off first may lie beyond the VMA.
  if (Math.min(oldLen, newLen) > vma.end - addr) throw errno(EFAULT);
  if (newLen <= oldLen) return;
  if (!map.mayLock(vma.flags, newLen - oldLen)) throw errno(EAGAIN);
  if (!map.mayExpand(vma.prot, vma.flags, newLen - oldLen)) throw errno(ENOMEM);
}

/** remap_move: a move without resizing takes every VMA of the range along (since 6.17), gaps included. */
function remapMove(map: MapCore, addr: number, length: number, flags: number, newAddr: number): number {
  const vmas = map.list.within(addr, addr + length).map(({ start, end }) => ({ start, end }));
  if (vmas.length === 0 || vmas[0].start > addr) throw errno(EFAULT);
  for (const { start, end } of vmas) {
    const from = Math.max(start, addr);
    const bytes = Math.min(end, addr + length) - from;
    remapTo(map, from, bytes, bytes, flags, newAddr + (from - addr));
  }
  return newAddr;
}

/** mremap_to: the target is given (FIXED), or any (DONTUNMAP alone; then newAddr is a hint). */
function remapTo(map: MapCore, addr: number, oldLen: number, newLen: number, flags: number, newAddr: number): number {
  const fixed = (flags & MREMAP_FIXED) !== 0;
  const dontUnmap = (flags & MREMAP_DONTUNMAP) !== 0;
  const target = unmappedArea(map, fixed || dontUnmap ? newAddr : 0, newLen, fixed ? MAP_FIXED : 0);
  if (fixed && map.list.intersects(target, target + newLen)) map.removeRange(target, target + newLen);
  if (oldLen > newLen) {
    munmap(map, addr + newLen, oldLen - newLen);
    oldLen = newLen;
  }
  const vma = map.list.find(addr)!;
  if (dontUnmap && !map.mayExpand(vma.prot, vma.flags, oldLen)) throw errno(ENOMEM);
  return moveVma(map, addr, oldLen, target, newLen, dontUnmap);
}

/** expand_vma_in_place: the VMA grows up to `end` when nothing is in the way. */
function growsInPlace(map: MapCore, vma: VmaRecord, end: number): boolean {
  const from = vma.end;
  const bytes = end - from;
  const next = map.list.findFrom(from);
  if (end > map.platform.taskSize || (next !== null && next.start < end)) return false;
  const accounted = (vma.flags & VM_ACCOUNT) !== 0;
  if (accounted) map.charge(bytes);
  try {
    if (vma.file === null) {
      map.space.mapAnonymous(from, bytes, map.hostProt(vma.prot));
      map.commit();
    }
  } catch (error) {
    if (accounted) map.uncharge(bytes);
    throw error;
  }
  vma.end = end;
  map.count(vma.prot, vma.flags, bytes);
  map.list.mergeAt(end);
  return true;
}

function moveVma(
  map: MapCore,
  addr: number,
  oldLen: number,
  target: number,
  newLen: number,
  dontUnmap: boolean,
): number {
  const vma = map.list.find(addr)!;
  if (map.list.size >= MAX_MAP_COUNT - 3) throw errno(ENOMEM);
  // Rewritten code jumps to a fixed distance.
  if (vma.file !== null) map.restoreCode(addr, addr + oldLen);
  const accounted = (vma.flags & VM_ACCOUNT) !== 0;
  const offset = vma.file === null ? 0 : vma.fileOffset(addr);
  const moved = new VmaRecord(target, target + newLen, vma.prot, vma.flags, vma.file, offset, vma.label);
  if (accounted) map.charge(newLen);
  map.addVma(moved);
  try {
    moveHost(map, vma, addr, oldLen, moved);
  } catch (error) {
    map.dropRange(target, target + newLen);
    map.commitQuietly();
    throw error;
  }
  if (dontUnmap) {
    leaveEmpty(map, addr, oldLen);
  } else if (oldLen > 0) {
    map.dropRange(addr, addr + oldLen, true);
    map.commit();
  }
  map.mergeRange(target, target + newLen);
  return target;
}

/** Moves what the host has of [addr, addr+oldLen) to the new VMA, and unmaps the rest. */
function moveHost(map: MapCore, vma: VmaRecord, addr: number, oldLen: number, moved: VmaRecord): void {
  const { space, populated } = map;
  const to = moved.start;
  const newLen = moved.end - moved.start;
  if (vma.file === null) {
    try {
      space.move(addr, oldLen, to, newLen);
      map.commit();
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      copyAnonymous(map, addr, oldLen, moved);
    }
    return;
  }
  if ((vma.flags & VM_SHARED) === 0) {
    // Pages that were written are the host's own: they have to move. One run of frames is one host mapping.
    const runs: [number, number][] = [];
    populated.each(addr, addr + oldLen, (from, end) => {
      for (let at = from; at < end;) {
        const length = Math.min(end - at, vma.file!.contiguous(vma.fileOffset(at), end - at));
        runs.push([at, length]);
        at += length;
      }
    });
    for (const [from, length] of runs) {
      space.move(from, length, to + (from - addr), length);
      map.commit();
      populated.remove(from, from + length);
      populated.add(to + (from - addr), to + (from - addr) + length);
    }
    return;
  }
  if (oldLen > 0 && populated.overlaps(addr, addr + oldLen)) {
    space.unmap(addr, oldLen);
    populated.remove(addr, addr + oldLen);
  }
  if (vma.prot !== 0) map.populate(moved, moved.start, Math.min(moved.end, moved.start + oldLen));
  map.commit();
}

/** The slow way: new pages, contents through the supervisor. */
function copyAnonymous(map: MapCore, addr: number, oldLen: number, moved: VmaRecord): void {
  const { space } = map;
  space.mapAnonymous(moved.start, moved.end - moved.start, 3);
  space.protect(addr, oldLen, 3);
  map.commit();
  const buffer = new Uint8Array(Math.min(1 << 20, oldLen));
  const resident = new Uint8Array(1);
  for (let done = 0; done < oldLen; done += buffer.length) {
    const n = Math.min(buffer.length, oldLen - done);
    if (space.resident(addr + done, n, n === map.pageSize ? resident : undefined) === 0) continue;
    space.read(addr + done, buffer, 0, n);
    space.write(moved.start + done, buffer, 0, n);
  }
  space.unmap(addr, oldLen);
  space.protect(moved.start, moved.end - moved.start, map.hostProt(moved.prot));
  map.commit();
}

/** MREMAP_DONTUNMAP: the old VMA stays, without the moved pages and, all of it, without its lock. Linux merges nothing. */
function leaveEmpty(map: MapCore, addr: number, length: number): void {
  const old = map.list.find(addr)!;
  const bytes = old.end - old.start;
  map.count(old.prot, old.flags, -bytes);
  old.flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
  map.count(old.prot, old.flags, bytes);
  if (old.file === null) map.space.mapAnonymous(addr, length, map.hostProt(old.prot));
  map.commit();
}
