/**
 * mmap, munmap, brk: new mappings and their end (mm/mmap.c do_mmap, do_munmap, do_brk_flags). The order of checks is
 * Linux's, because two things wrong at once show which errno comes first.
 *
 * Oddities kept: the address is placed before the type of the flags is looked at; MAP_SHARED ignores unknown flags and
 * MAP_SHARED_VALIDATE does not; brk returns the old break instead of an error and merges with the VMA below it only.
 */
import type { ArchName } from '../abi/types.js';
import { EACCES, EAGAIN, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM, Errno, errno } from '../abi/errno.js';
import {
  MAP_32BIT,
  MAP_ANONYMOUS,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_TYPE,
  MAP_UNINITIALIZED,
} from '../abi/flags/memory.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../platform/platform.js';
import type { FileMapping } from './file-mapping.js';
import { MAX_MAP_COUNT, MMAP_MIN_ADDR, type MapCore } from './map-core.js';
import {
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYWRITE,
  VM_NOEXEC,
  VM_NORESERVE,
  VM_SHARED,
  type MmapRequest,
} from './memory-map.js';
import { unmappedArea } from './placement.js';
import { SharedMemory } from './shared-anonymous.js';
import { VmaRecord } from './vma-list.js';

/** Pages of a file mapped at once, so that small programs and libraries never fault. */
const EAGER_BYTES = 4 * 1024 * 1024;
const HUGE_PAGE = 2 * 1024 * 1024;
const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;
/** MAX_LFS_FILESIZE + 1 */
const MAX_FILE_END = 2 ** 63;
const COMMON_FLAGS =
  MAP_SHARED |
  MAP_PRIVATE |
  MAP_FIXED |
  MAP_ANONYMOUS |
  MAP_DENYWRITE |
  MAP_EXECUTABLE |
  MAP_UNINITIALIZED |
  MAP_GROWSDOWN |
  MAP_LOCKED |
  MAP_NORESERVE |
  MAP_POPULATE |
  MAP_NONBLOCK |
  MAP_STACK |
  MAP_HUGETLB |
  (0x3f << 26);
const LEGACY_FLAGS: Readonly<Record<ArchName, number>> = {
  x86_64: COMMON_FLAGS | MAP_32BIT.x86_64,
  aarch64: COMMON_FLAGS,
};

export function mmap(map: MapCore, request: MmapRequest): number {
  const { prot, descriptor } = request;
  let { addr, length, flags } = request;
  const anonymous = request.file === null && descriptor === undefined;
  if ((flags & MAP_HUGETLB) !== 0) {
    // No huge pages: hugetlbfs does not exist (EINVAL for a file), and its pool of the default size is empty.
    if (!anonymous) throw errno(EINVAL);
    const sizeLog = (flags >>> 26) & 0x3f;
    if (sizeLog !== 0 && 2 ** sizeLog !== HUGE_PAGE) throw errno(EINVAL);
    if (length === 0) throw errno(EINVAL);
    throw errno(ENOMEM);
  }
  if (length === 0) throw errno(EINVAL);
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) flags |= MAP_FIXED;
  if ((flags & MAP_FIXED) === 0) {
    addr = map.pageDown(addr);
    if (addr !== 0 && addr < MMAP_MIN_ADDR) addr = MMAP_MIN_ADDR;
  }
  length = map.pageUp(length);
  if (length >= 2 ** 64) throw errno(ENOMEM);
  if (map.list.size > MAX_MAP_COUNT) throw errno(ENOMEM);
  addr = unmappedArea(map, addr, length, flags);
  if ((flags & MAP_FIXED_NOREPLACE) !== 0 && map.list.intersects(addr, addr + length)) throw errno(EEXIST);
  let vmFlags = map.defaultFlags | VM_MAYWRITE;
  if ((flags & MAP_LOCKED) !== 0) {
    if (map.limits.memlock === 0) throw errno(EPERM);
    vmFlags |= VM_LOCKED;
  }
  if (!map.mayLock(vmFlags, length)) throw errno(EAGAIN);
  if ((flags & MAP_GROWSDOWN) !== 0) vmFlags |= VM_GROWSDOWN;
  if ((flags & MAP_NORESERVE) !== 0 && !map.account.strict) vmFlags |= VM_NORESERVE;
  const file = anonymous ? null : fileForMapping(request, length, flags, map.platform.arch);
  vmFlags |= typeFlags(request, flags, anonymous);
  if ((vmFlags & VM_SHARED) !== 0 && !request.mayWrite) vmFlags &= ~VM_MAYWRITE;
  const offset = file === null ? 0 : request.offset;
  const populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  const vma = new VmaRecord(addr, addr + length, prot & PROT_ALL, vmFlags, file, offset);
  mapRegion(map, vma, populate || ((vmFlags & VM_LOCKED) !== 0 && (vmFlags & VM_LOCKONFAULT) === 0));
  return addr;
}

/** The checks of do_mmap that need the file, in its order. */
function fileForMapping(
  { descriptor, file, offset, prot }: MmapRequest,
  length: number,
  flags: number,
  arch: ArchName,
): FileMapping | null {
  if (offset >= MAX_FILE_END - length) throw errno(EOVERFLOW);
  if (descriptor === undefined) return file!;
  switch (flags & MAP_TYPE) {
    case MAP_SHARED:
    case MAP_SHARED_VALIDATE:
      if ((flags & MAP_TYPE) === MAP_SHARED_VALIDATE && (flags & ~LEGACY_FLAGS[arch]) !== 0) throw errno(EOPNOTSUPP);
      if ((prot & PROT_WRITE) !== 0 && !descriptor.writable) throw errno(EACCES);
      if (descriptor.appendOnly === true && descriptor.writable) throw errno(EACCES);
      break;
    case MAP_PRIVATE:
      break;
    default:
      throw errno(EINVAL);
  }
  if (!descriptor.readable) throw errno(EACCES);
  if (descriptor.noexec === true && (prot & PROT_EXEC) !== 0) throw errno(EPERM);
  const mapping = descriptor.open();
  if ((flags & MAP_GROWSDOWN) !== 0) throw errno(EINVAL);
  return mapping;
}

/** VM_ flags that follow from the mapping's type; throws EINVAL for a type that does not exist. */
function typeFlags(request: MmapRequest, flags: number, anonymous: boolean): number {
  switch (flags & MAP_TYPE) {
    case MAP_PRIVATE:
      return request.descriptor?.noexec === true ? VM_NOEXEC : 0;
    case MAP_SHARED_VALIDATE:
      if (anonymous) throw errno(EINVAL);
      return VM_SHARED | (request.descriptor?.noexec === true ? VM_NOEXEC : 0);
    case MAP_SHARED:
      if (anonymous && (flags & MAP_GROWSDOWN) !== 0) throw errno(EINVAL);
      return VM_SHARED | (request.descriptor?.noexec === true ? VM_NOEXEC : 0);
    default:
      throw errno(EINVAL);
  }
}

/** mmap_region: puts `vma` in place of whatever is there, counted, mapped on the host and merged. */
export function mapRegion(map: MapCore, vma: VmaRecord, populate: boolean): void {
  const { start, end, prot } = vma;
  const length = end - start;
  const replaced = map.list.overlap(start, end);
  if (!map.mayExpand(prot, vma.flags, length - replaced)) throw errno(ENOMEM);
  const accounted = isAccounted(vma);
  if (accounted) {
    map.charge(length);
    vma.flags |= VM_ACCOUNT;
  }
  try {
    if ((vma.flags & VM_SHARED) !== 0 && vma.file === null) {
      const noReserve = (vma.flags & VM_NORESERVE) !== 0;
      vma.file = new SharedMemory({ frames: map.frames, account: map.account, size: length, noReserve });
    }
    if (replaced > 0) replace(map, vma);
  } catch (error) {
    if (accounted) map.uncharge(length);
    throw error;
  }
  map.addVma(vma);
  try {
    if (vma.file === null) map.space.mapAnonymous(start, length, map.hostProt(prot));
    else populateEagerly(map, vma, populate);
    map.commit();
  } catch (error) {
    map.dropRange(start, end);
    map.commitQuietly();
    throw error;
  }
  map.mergeRange(start, end);
}

/** Maps the first megabytes of a file, or all of it; what cannot be had is left for the fault to report. */
function populateEagerly(map: MapCore, vma: VmaRecord, all: boolean): void {
  if (vma.prot === 0) return;
  const to = all ? vma.end : Math.min(vma.end, vma.start + EAGER_BYTES);
  try {
    map.populate(vma, vma.start, to);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
}

/** accountable_mapping */
export function isAccounted({ prot, flags }: VmaRecord): boolean {
  return (flags & (VM_NORESERVE | VM_SHARED)) === 0 && (prot & PROT_WRITE) !== 0;
}

/** Anonymous memory replaces on the host what was there; a file may leave pages unmapped. */
function replace(map: MapCore, { start, end, file }: VmaRecord): void {
  checkSplit(map, start, end);
  if (file !== null && map.hasHostPages(start, end)) map.space.unmap(start, end - start);
  map.dropRange(start, end, true);
}
/** A hole punched into the middle of one VMA makes two of it: ENOMEM at the limit. */
function checkSplit(map: MapCore, start: number, end: number): void {
  const vma = map.list.find(start);
  if (vma !== null && vma.start < start && vma.end > end && map.list.size >= MAX_MAP_COUNT) throw errno(ENOMEM);
}

export function munmap(map: MapCore, addr: number, length: number): void {
  const { taskSize } = map.platform;
  if (!map.aligned(addr) || addr > taskSize || length > taskSize - addr) throw errno(EINVAL);
  const end = addr + map.pageUp(length);
  if (end === addr) throw errno(EINVAL);
  if (!map.list.intersects(addr, end)) return;
  checkSplit(map, addr, end);
  map.removeRange(addr, end);
}

/** brk(2). Returns the break: the new one, or on any failure the old one. */
export function brk(map: MapCore, addr: number): number {
  const { layout, list, limits } = map;
  const current = layout.brk;
  if (addr < layout.startBrk) return current;
  if (addr - layout.startBrk + (layout.endData - layout.startData) > limits.data) return current;
  const oldEnd = map.pageUp(current);
  const newEnd = map.pageUp(addr);
  if (newEnd === oldEnd) return (layout.brk = addr);
  if (addr <= current) {
    const vma = list.findFrom(newEnd);
    if (vma === null || vma.start >= oldEnd) return current;
    try {
      map.removeRange(newEnd, oldEnd);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return current;
    }
    return (layout.brk = addr);
  }
  if (newEnd > map.platform.taskSize || !map.mayLock(map.defaultFlags, newEnd - oldEnd)) return current;
  const next = list.findFrom(oldEnd);
  if (next !== null && newEnd + map.pageSize > map.startGap(next)) return current;
  try {
    growBreak(map, oldEnd, newEnd);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return current;
  }
  return (layout.brk = addr);
}

/** do_brk_flags: anonymous memory joined to the VMA below, never to the one above. */
export function growBreak(map: MapCore, start: number, end: number, prot = PROT_READ | PROT_WRITE): void {
  const flags = map.defaultFlags | VM_MAYWRITE | VM_ACCOUNT;
  if (!map.mayExpand(prot, flags, end - start)) throw errno(ENOMEM);
  if (map.list.size > MAX_MAP_COUNT) throw errno(ENOMEM);
  map.charge(end - start);
  const vma = new VmaRecord(start, end, prot, flags, null, 0);
  map.addVma(vma);
  try {
    map.space.mapAnonymous(start, end - start, map.hostProt(prot));
    map.commit();
  } catch (error) {
    map.dropRange(start, end);
    map.commitQuietly();
    throw error;
  }
  map.list.mergeAt(start);
}
