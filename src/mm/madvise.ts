/**
 * madvise(2). Advice about paging that means nothing here is accepted where Linux accepts it; advice that changes contents or
 * fork behaviour is carried out. A hole gives ENOMEM after the rest of the range was done, as in Linux.
 *
 * MADV_GUARD_INSTALL, MADV_COLLAPSE and hwpoison are EINVAL: what a Linux without them says, and callers fall back.
 */
import { EACCES, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, errno } from '../abi/errno.js';
import {
  MADV_COLD,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_UNMERGEABLE,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from '../abi/flags/memory.js';
import { PROT_WRITE } from '../platform/platform.js';
import type { MapCore } from './map-core.js';
import {
  VM_DONTDUMP,
  VM_DONTFORK,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
} from './memory-map.js';
import { setFlags } from './mprotect.js';
import type { VmaRecord } from './vma-list.js';

/** Advice that only sets and clears VM_ bits: [set, mask]. */
const FLAG_ADVICE = new Map<number, readonly [number, number]>([
  [MADV_NORMAL, [0, VM_RAND_READ | VM_SEQ_READ]],
  [MADV_SEQUENTIAL, [VM_SEQ_READ, VM_RAND_READ | VM_SEQ_READ]],
  [MADV_RANDOM, [VM_RAND_READ, VM_RAND_READ | VM_SEQ_READ]],
  [MADV_DONTFORK, [VM_DONTFORK, VM_DONTFORK]],
  [MADV_DOFORK, [0, VM_DONTFORK]],
  [MADV_WIPEONFORK, [VM_WIPEONFORK, VM_WIPEONFORK]],
  [MADV_KEEPONFORK, [0, VM_WIPEONFORK]],
  [MADV_DONTDUMP, [VM_DONTDUMP, VM_DONTDUMP]],
  [MADV_DODUMP, [0, VM_DONTDUMP]],
  [MADV_MERGEABLE, [VM_MERGEABLE, VM_MERGEABLE]],
  [MADV_UNMERGEABLE, [0, VM_MERGEABLE]],
  [MADV_HUGEPAGE, [VM_HUGEPAGE, VM_HUGEPAGE | VM_NOHUGEPAGE]],
  [MADV_NOHUGEPAGE, [VM_NOHUGEPAGE, VM_HUGEPAGE | VM_NOHUGEPAGE]],
]);
const OTHER_ADVICE = new Set<number>([
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
]);

export function isAdvice(advice: number): boolean {
  return FLAG_ADVICE.has(advice) || OTHER_ADVICE.has(advice);
}

export function madvise(map: MapCore, addr: number, length: number, advice: number): void {
  if (!isAdvice(advice) || !map.aligned(addr)) throw errno(EINVAL);
  const end = addr + map.pageUp(length);
  if (length >= 2 ** 64 - map.pageSize || end > 2 ** 64) throw errno(EINVAL);
  if (end === addr) return;
  const populate = advice === MADV_POPULATE_READ || advice === MADV_POPULATE_WRITE;
  const bits = FLAG_ADVICE.get(advice);
  let at = addr;
  let hole = false;
  try {
    for (const vma of map.list.within(addr, end)) {
      if (vma.start > at) {
        hole = true;
        if (populate) throw errno(ENOMEM);
      }
      const from = Math.max(at, vma.start);
      const to = Math.min(end, vma.end);
      if (bits !== undefined) adviseFlags(map, vma, from, to, advice, bits);
      else adviseContents(map, vma, from, to, advice);
      at = to;
    }
  } finally {
    map.mergeRange(addr, at);
    map.commitQuietly();
  }
  if (hole || at < end) throw errno(ENOMEM);
}

function adviseFlags(
  map: MapCore,
  vma: VmaRecord,
  from: number,
  to: number,
  advice: number,
  [set, mask]: readonly [number, number],
): void {
  if (advice === MADV_WIPEONFORK && vma.file !== null) throw errno(EINVAL);
  setFlags(map, vma, from, to, set, mask);
}

function adviseContents(map: MapCore, vma: VmaRecord, from: number, to: number, advice: number): void {
  const locked = (vma.flags & VM_LOCKED) !== 0;
  switch (advice) {
    case MADV_DONTNEED:
      if (locked) throw errno(EINVAL);
      discard(map, vma, from, to);
      break;
    case MADV_DONTNEED_LOCKED:
      discard(map, vma, from, to);
      break;
    case MADV_FREE:
      // May free at any time; at once is one of the times.
      if (locked || vma.file !== null) throw errno(EINVAL);
      map.space.discard(from, to - from);
      break;
    case MADV_COLD:
    case MADV_PAGEOUT:
      if (locked) throw errno(EINVAL);
      break;
    case MADV_WILLNEED:
      if (vma.file !== null && vma.prot !== 0) map.populate(vma, from, to);
      break;
    case MADV_REMOVE:
      if (locked || vma.file === null) throw errno(EINVAL);
      if ((vma.flags & (VM_SHARED | VM_MAYWRITE)) !== (VM_SHARED | VM_MAYWRITE)) throw errno(EACCES);
      if (vma.file.punch === undefined) throw errno(EOPNOTSUPP);
      vma.file.punch(vma.fileOffset(from), vma.fileOffset(to));
      break;
    default:
      // MADV_POPULATE_READ, MADV_POPULATE_WRITE
      if (vma.prot === 0 || (advice === MADV_POPULATE_WRITE && (vma.prot & PROT_WRITE) === 0)) throw errno(EINVAL);
      if (vma.file !== null && map.populate(vma, from, to) < to) throw errno(EFAULT);
  }
}

/** Anonymous pages read as zeros again, private file pages as the file; shared pages are the object's and stay. */
function discard(map: MapCore, vma: VmaRecord, from: number, to: number): void {
  if (vma.file === null) map.space.discard(from, to - from);
  else if ((vma.flags & VM_SHARED) === 0) map.populated.each(from, to, (a, b) => map.space.discard(a, b - a));
}
