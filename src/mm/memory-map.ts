/**
 * MemoryMap (mm_struct): the VMAs of one address space, and the only way to guest memory.
 *
 * VMAs are the truth: every access check, /proc/PID/maps, limits and fault decision comes from them; host mappings are
 * derived. Shared by the tasks of a CLONE_VM family through `users`.
 */
import type { AddressSpace, Platform } from '../platform/platform.js';
import type { FileMapping } from './file-mapping.js';
import type { FrameAllocator } from './frames.js';

export interface Vma {
  start: number;
  end: number;
  /** PROT_* bits. */
  prot: number;
  /** VM_* bits, see below. */
  flags: number;
  /** Null: private anonymous. */
  file: FileMapping | null;
  /** Byte offset into `file` of `start`. */
  offset: number;
  /** '[heap]', '[stack]', '[vdso]' or a PR_SET_VMA name for maps; else ''. */
  name: string;
}

export const VM_SHARED = 1;
export const VM_GROWSDOWN = 2;
export const VM_LOCKED = 4;
export const VM_NORESERVE = 8;
/** The mapping may get PROT_WRITE later (a shared mapping of a file opened read-only may not). */
export const VM_MAYWRITE = 16;
export const VM_DONTFORK = 32;
export const VM_WIPEONFORK = 64;
export const VM_DONTDUMP = 128;
export const VM_STACK = 256;
/** Promised to the guest: counted in MemoryAccount. Kept when it becomes read-only, as in Linux. */
export const VM_ACCOUNT = 512;
/** mlock2(MLOCK_ONFAULT). */
export const VM_LOCKONFAULT = 1024;
/** From a noexec mount: mprotect may not add PROT_EXEC. */
export const VM_NOEXEC = 2048;
/** madvise: kept because they are part of what must agree for VMAs to merge. */
export const VM_HUGEPAGE = 4096;
export const VM_NOHUGEPAGE = 8192;
export const VM_MERGEABLE = 16384;
export const VM_SEQ_READ = 32768;
export const VM_RAND_READ = 65536;

/** What a fault means. */
export type FaultResult = { retry: true } | { retry: false; signal: number; code: number };

export interface MemoryLimits {
  /** RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK of the calling group, bytes (Infinity: none). */
  addressSpace: number;
  data: number;
  stack: number;
  memlock: number;
}

export interface MmapRequest {
  addr: number;
  length: number;
  prot: number;
  /** MAP_* bits as the guest gave them. */
  flags: number;
  file: FileMapping | null;
  offset: number;
  /** Whether a shared mapping may become writable (file open for writing). */
  mayWrite: boolean;
  /** mmap(2) of a descriptor: checked where Linux checks them. Absent for mappings made by the kernel. */
  descriptor?: {
    readable: boolean;
    writable: boolean;
    /** Opened with O_APPEND semantics of an append-only inode. */
    appendOnly?: boolean;
    /** On a mount with noexec. */
    noexec?: boolean;
    /** Throws ENODEV or EACCES; null: anonymous memory (/dev/zero). Called after the access checks; `file` is ignored. */
    open(): FileMapping | null;
  };
}

/** Layout of a program, for /proc and prctl(PR_SET_MM). */
export interface MemoryLayout {
  startCode: number;
  endCode: number;
  startData: number;
  endData: number;
  startBrk: number;
  brk: number;
  startStack: number;
  argStart: number;
  argEnd: number;
  envStart: number;
  envEnd: number;
  auxv: Uint8Array;
  mmapBase: number;
}

/** System-wide memory accounting of one kernel: sums over its maps, against Limits.memoryBytes. */
export interface MemoryAccount {
  /** Bytes of private writable memory promised to guests. */
  committedBytes: number;
  limitBytes: number;
  /** MAP_NORESERVE memory counts too, so that the limit cannot be passed by. */
  readonly strict: boolean;
}

/** The public face of a memory map; the class is in src/mm/map.ts. */
export interface MemoryMap {
  readonly platform: Platform;
  readonly frames: FrameAllocator;
  space: AddressSpace;
  /** How many tasks use it. */
  users: number;
  limits: MemoryLimits;
  /** Layout, for /proc and prctl(PR_SET_MM). */
  layout: MemoryLayout;

  // --- system calls; all validate as Linux does, throw errno, and leave the host in step
  mmap(request: MmapRequest): number;
  munmap(addr: number, length: number): void;
  mprotect(addr: number, length: number, prot: number): void;
  mremap(addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number;
  /** brk(2): returns the new or, on failure, the unchanged break. */
  brk(addr: number): number;
  madvise(addr: number, length: number, advice: number): void;
  msync(addr: number, length: number, flags: number): void;
  /** One byte a page, bit 0 = resident. */
  mincore(addr: number, length: number): Uint8Array;
  mlock(addr: number, length: number, onfault: boolean): void;
  munlock(addr: number, length: number): void;
  mlockall(flags: number): void;
  munlockall(): void;

  // --- faults and iteration
  fault(address: number, access: number, stackPointer: number): FaultResult;
  vmas(): readonly Vma[];
  find(address: number): Vma | null;
  readonly virtualBytes: number;
  rssBytes(): number;
  /** Its high-water mark; programs that ran in it before an exec count. */
  peakRssBytes(): number;
  /** VmLck. */
  readonly lockedBytes: number;
  /** prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME): '' takes the name away; EBADF for file mappings. */
  setName(addr: number, length: number, name: string): void;

  // --- life
  /** Copies the VMAs for a child whose host address space is already a copy of this one's (fork). */
  /** Before a second thread comes: private code that the gate has rewritten has its own bytes again. */
  becomeShared(): void;
  /** Before a fork of the host thread: code that the gate has rewritten since it was mapped is mapped anew. */
  renewCode(): void;
  forkInto(space: AddressSpace): MemoryMap;
  /** Forgets every VMA and host mapping (exec of a sole user); the host work stays queued until `space.flush()`. */
  clear(): void;
  /**
   * The last user is gone: releases file references and accounting. The caller has ended the host process already: frames of
   * shared memory may be reused from here on.
   */
  release(): void;
  /** Whether work waits for a stopped thread of this space (a file was truncated while all were running). */
  readonly pendingSync: boolean;
  /** To be called by the kernel loop when a thread of this map has stopped and `pendingSync` is true. */
  syncHost(): void;

  // --- guest memory. All throw EFAULT when the first byte is not accessible; see each for partial results.
  /** Length of the prefix of [addr, addr+len) that may be read, 0 to len. */
  readable(addr: number, len: number): number;
  /** How many bytes from `addr` on can be copied in without a host call; 0: nobody knows. */
  handy(addr: number): number;
  /** The same for writing; grows stacks and populates file pages. */
  writable(addr: number, len: number): number;
  /** Copies in all of it or throws EFAULT. */
  copyIn(addr: number, dst: Uint8Array, dstOffset: number, len: number): void;
  /** Copies in all of it, if it lies in one anonymous mapping; else returns false and has had no effect on the guest. */
  tryCopyIn(addr: number, dst: Uint8Array, dstOffset: number, len: number): boolean;
  /** Copies out all of it or throws EFAULT (a valid prefix may have been written, as in Linux). */
  copyOut(addr: number, src: Uint8Array, srcOffset: number, len: number): void;
  /** Between guest memory and physical pages; returns bytes moved, less than len at the first bad page; EFAULT if 0. */
  copyInPhysical(addr: number, physOffset: number, len: number): number;
  copyOutPhysical(addr: number, physOffset: number, len: number): number;
  /** Zeroes guest memory; all or EFAULT. */
  clearOut(addr: number, len: number): void;
  /** NUL-terminated string as a byte string; ENAMETOOLONG (or `tooLong`) beyond `max` bytes including the NUL. */
  readString(addr: number, max: number, tooLong?: number): string;
  readU8(addr: number): number;
  readU16(addr: number): number;
  readU32(addr: number): number;
  readI32(addr: number): number;
  /** 64 bits as a number: unsigned / signed, exact below 2^53. */
  readU64(addr: number): number;
  readI64(addr: number): number;
  writeU8(addr: number, value: number): void;
  writeU16(addr: number, value: number): void;
  writeU32(addr: number, value: number): void;
  /** Any integer of magnitude below 2^53. */
  writeU64(addr: number, value: number): void;
  /**
   * Scratch for struct copies: `view`/`bytes` alias one 64 KiB buffer. `readStruct` fills it from guest memory and returns
   * the view; `writeStruct` copies it out. Valid until the next call on any MemoryMap.
   */
  readonly scratch: Uint8Array;
  readonly scratchView: DataView;
  readStruct(addr: number, len: number): DataView;
  /**
   * Like readStruct, a struct whose size the caller states, of which this kernel knows the first `known` bytes; what a
   * smaller one lacks is zero. EINVAL: under `least`. E2BIG: over a page, or set bytes behind what is known.
   * Source: copy_struct_from_user.
   */
  readSizedStruct(addr: number, size: number, least: number, known: number): DataView;
  writeStruct(addr: number, len: number): void;
  /**
   * Compare-and-exchange on a guest word (futex); returns the old value. EFAULT, EAGAIN never. Atomic against running guest
   * threads only on MAP_SHARED pages (which the supervisor has mapped, too). On private memory it is read, compare, write:
   * call it only when no sibling thread of this map runs, or interrupt them first. (FUTEX_WAIT and CMP_REQUEUE only read.)
   */
  cmpxchgU32(addr: number, expected: number, value: number): number;
  /** Key of the page behind an address for shared futexes: (object identity, offset). */
  futexKey(addr: number, shared: boolean): { object: object; offset: number };
}
