/**
 * What a page fault means (arch/x86/mm/fault.c do_user_addr_fault, mm/mmap.c expand_downwards): a page of a file to map, a
 * stack to grow, or SIGSEGV / SIGBUS. Guest accesses and the kernel's own copies come through the same functions.
 *
 * Oddities kept: since 5.0 a stack may be touched anywhere above its limit, not only near the stack pointer; a page wholly
 * beyond the end of its file is SIGBUS BUS_ADRERR even for a private mapping.
 */
import { ENOMEM, Errno } from '../abi/errno.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../platform/platform.js';
import { MMAP_MIN_ADDR, STACK_GUARD_PAGES, type MapCore } from './map-core.js';
import { VM_ACCOUNT, VM_GROWSDOWN, type FaultResult } from './memory-map.js';
import type { VmaRecord } from './vma-list.js';

const SIGBUS = 7;
const SIGKILL = 9;
const SIGSEGV = 11;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRERR = 2;
const SI_KERNEL = 128;

/** File pages mapped around a faulting one: an aligned window of this many. */
const WINDOW_PAGES = 64;
/** A stack grows by at least this much where its limit allows, to save stops. */
const STACK_STEP = 64 * 1024;
/** How often in a row one address may fault without any reason we know. */
const SPURIOUS_LIMIT = 64;

const RETRY: FaultResult = { retry: true };

/** Counts faults that the VMAs say should not happen (a sibling thread may just have mapped the page). */
export class SpuriousFaults {
  address = -1;
  count = 0;
}

export function fault(map: MapCore, spurious: SpuriousFaults, address: number, access: number): FaultResult {
  let vma = map.list.find(address);
  if (vma === null) {
    vma = growStack(map, address);
    if (vma === null) return { retry: false, signal: SIGSEGV, code: SEGV_MAPERR };
    return allows(vma, access) ? RETRY : { retry: false, signal: SIGSEGV, code: SEGV_ACCERR };
  }
  if (!allows(vma, access)) return { retry: false, signal: SIGSEGV, code: SEGV_ACCERR };
  const page = map.pageDown(address);
  if (vma.file !== null && map.populated.coveredTo(page) === page) {
    const code = faultFile(map, vma, page);
    if (code === 0) {
      spurious.address = -1;
      return RETRY;
    }
    return code === ENOMEM
      ? { retry: false, signal: SIGKILL, code: SI_KERNEL }
      : { retry: false, signal: SIGBUS, code: BUS_ADRERR };
  }
  if (spurious.address !== page) {
    spurious.address = page;
    spurious.count = 0;
  }
  // The host refuses what the VMA allows. Without an access kind it was the one that is not allowed, unless each of the
  // threads was on its way here when the page came.
  if (++spurious.count > map.users && access < 0) return { retry: false, signal: SIGSEGV, code: SEGV_ACCERR };
  if (spurious.count > SPURIOUS_LIMIT) return { retry: false, signal: SIGBUS, code: BUS_ADRERR };
  return RETRY;
}

function allows(vma: VmaRecord, access: number): boolean {
  if (access === 1) return (vma.prot & PROT_WRITE) !== 0;
  if (access === 2) return (vma.prot & PROT_EXEC) !== 0;
  return (vma.prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) !== 0;
}

/** Maps the window around a file page: 0, ENOMEM, or -1 for SIGBUS. */
function faultFile(map: MapCore, vma: VmaRecord, page: number): number {
  const window = WINDOW_PAGES * map.pageSize;
  const base = vma.start - (vma.offset % window);
  const from = Math.max(vma.start, base + Math.floor((page - base) / window) * window);
  const to = Math.min(vma.end, page + window);
  try {
    if (map.populate(vma, page, to) === page) return -1;
    if (from < page) map.populate(vma, from, page);
    map.commit();
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (map.populated.coveredTo(page) > page) {
      map.commitQuietly();
      return 0;
    }
    return error.errno === ENOMEM ? ENOMEM : -1;
  }
}

/** Grows the stack above `address` down to it; the VMA that now holds the address, or null when there is none. */
export function growStack(map: MapCore, address: number): VmaRecord | null {
  const { list, limits, pageSize } = map;
  const i = list.indexFrom(address);
  if (i === list.size || !map.canFlush) return null;
  const vma = list.items[i];
  if ((vma.flags & VM_GROWSDOWN) === 0) return null;
  const page = map.pageDown(address);
  if (page < MMAP_MIN_ADDR) return null;
  // An accessible mapping below keeps its distance; another stack or PROT_NONE may be right next to it.
  let floor = MMAP_MIN_ADDR;
  if (i > 0) {
    const below = list.items[i - 1];
    const guarded = (below.flags & VM_GROWSDOWN) === 0 && below.prot !== 0;
    floor = below.end + (guarded ? STACK_GUARD_PAGES * pageSize : 0);
  }
  floor = Math.max(floor, vma.end - Math.floor(limits.stack / pageSize) * pageSize);
  if (page < floor) return null;
  const wanted = Math.max(floor, Math.min(page, vma.start - STACK_STEP));
  return grow(map, vma, wanted) || (wanted < page && grow(map, vma, page)) ? vma : null;
}

function grow(map: MapCore, vma: VmaRecord, start: number): boolean {
  const bytes = vma.start - start;
  if (!map.mayExpand(vma.prot, vma.flags, bytes) || !map.mayLock(vma.flags, bytes)) return false;
  const accounted = (vma.flags & VM_ACCOUNT) !== 0;
  try {
    if (accounted) map.charge(bytes);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return false;
  }
  try {
    map.space.mapAnonymous(start, bytes, map.hostProt(vma.prot));
    map.commit();
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (accounted) map.uncharge(bytes);
    return false;
  }
  vma.start = start;
  map.count(vma.prot, vma.flags, bytes);
  return true;
}
