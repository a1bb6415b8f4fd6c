/**
 * Indices into the memory shared with the native addon (native/context.h draws the control block).
 *
 *   Int32Array control
 *   0        1     2       3     4       5       6       7          8            9        10           11
 *   result | slot| signal| code| addrLo| addrHi| access| timeoutUs| resumeCount| running| loopPending| hostTid
 *   12 via (see VIA_SITE) | 13 calls handed over | 14 times polling began | 15 who | 16..21 three doubles
 *   22, 24, 25 length and address of what a handed-over call brought along | 23 how many copies its answer carries
 *   32 .. 32+MAX_SLOTS: the resume queue, slot numbers
 *   then MAX_SLOTS words: per space, the peak RSS of its process in KiB, written when it has been collected
 *
 * Functions that are called often take a slot or space in `who`, arguments and results in the doubles. Copies: address,
 * offset, length; the length becomes what was copied. CPU time: user, system nanoseconds come back. Others: an argument if any;
 * 0 or errno takes its place.
 *
 * registers: BLOCK_WORDS 64-bit words a slot. batchPage: entries of ENTRY_WORDS 64-bit words: number, six arguments, one unused.
 */
export const RESULT = 0;
export const SLOT = 1;
export const SIGNAL = 2;
export const CODE = 3;
export const ADDR_LO = 4;
export const ADDR_HI = 5;
export const ACCESS = 6;
export const TIMEOUT_US = 7;
export const RESUME_COUNT = 8;
export const RUNNING = 9;
export const LOOP_PENDING = 10;
export const HOST_TID = 11;
export const VIA = 12;
export const GATED_CALLS = 13;
export const POLLING_TIMES = 14;
export const WHO = 15;
export const IN_LENGTH = 22;
export const OUT_COUNT = 23;
export const IN_ADDR_LO = 24;
export const IN_ADDR_HI = 25;
export const RESUME_QUEUE = 32;

/** How a system call came: from an ordinary site, as a stop inside the gate, handed over through the channel. */
export const VIA_SITE = 0;
export const VIA_GATE = 1;
export const VIA_CHANNEL = 2;

export const MAX_SLOTS = 16383;
export const PEAKS = RESUME_QUEUE + MAX_SLOTS;

/** The doubles: byte offset and count in the control block, and their indices. */
export const ARGUMENTS_AT = 64;
export const ARGUMENTS = 3;
export const ADDRESS = 0;
export const OFFSET = 1;
export const LENGTH = 2;
export const FAILED = 0;
/** setFp: of the image. */
export const FP_LENGTH = 0;
/** What the state is: resetFp takes it, getFp finds it. */
export const FP_FROM = 0;
export const FP_KIND = 1;
export const USER_NS = 0;
export const SYSTEM_NS = 1;
export const BLOCK_WORDS = 40;
export const ENTRY_WORDS = 8;
export const BATCH_ENTRIES = 64;

/** Host call numbers the stub may make. */
export interface HostCalls {
  readonly mmap: number;
  readonly munmap: number;
  readonly mprotect: number;
  readonly mremap: number;
  readonly madvise: number;
}
export const HOST_CALLS: Readonly<Record<'x86_64' | 'aarch64', HostCalls>> = {
  x86_64: { mmap: 9, munmap: 11, mprotect: 10, mremap: 25, madvise: 28 },
  aarch64: { mmap: 222, munmap: 215, mprotect: 226, mremap: 216, madvise: 233 },
};

export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MADV_DONTNEED = 4;
/** Descriptor of physical memory in every guest process. */
export const PHYSICAL_FD = 3;
