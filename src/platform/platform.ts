/**
 * The Platform seam: what the kernel needs of a host, and nothing else. Two implementations: `ptrace/` runs real binaries,
 * `script/` has no processes at all and plays system calls from a script.
 *
 * One AddressSpace is one host process; every guest thread that shares it (also a vfork child) is a host thread of that
 * process. A thread runs only between `resume()` and its next stop; all calls on a HostThread except `interrupt()`,
 * `running` and `cpuTimeNs()` require that it is stopped.
 *
 * Host mapping calls are queued and executed by the stub in one go by `flush()`; guest memory copies flush first.
 */
import type { ArchName } from '../abi/types.js';
import type { FpArea } from './fp-area.js';
import type { Registers } from './registers.js';
import type { Scratch } from './scratch.js';

/** Why `wait` returned. */
export const STOP_NONE = 0; // nothing stopped: the deadline passed or Node's event loop has work
export const STOP_SYSCALL = 1; // at a system call, not executed; return value goes into registers
export const STOP_SIGNAL = 2; // a fault or trap of the thread itself: see `stop.signal`
export const STOP_INTERRUPTED = 3; // after `interrupt()`: between two guest instructions
export const STOP_GONE = 4; // the host thread died unasked (host OOM killer, someone's kill -9)

/** PROT_* of mman.h, the same on every architecture. */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** What the last `wait` found. One object per platform, overwritten by each wait. */
export interface StopInfo {
  /** Null when the kind is STOP_NONE. */
  thread: HostThread | null;
  /** STOP_SIGNAL: the host's siginfo. */
  signal: number;
  code: number;
  /** STOP_SIGNAL: faulting address, si_addr (exact: faults above 2^53 are reported as the nearest number). */
  address: number;
  /** STOP_SIGNAL on a page fault: 1 write, 2 execute, 0 read, -1 the host does not say. */
  access: number;
}

/** The host refused something a guest may run into: no more processes, threads or mappings. */
export class HostError extends Error {
  readonly errno: number;
  constructor(message: string, errno: number) {
    super(message);
    this.name = 'HostError';
    this.errno = errno;
  }
}

/** Memory that every guest has without a VMA of ours: the vDSO, its data, the vsyscall page; `mode` as in /proc/PID/maps. */
export interface HostArea {
  readonly start: number;
  readonly end: number;
  readonly mode: string;
  readonly name: string;
}

/** Page sizes of Linux on the architectures there are, in bytes. */
export const PAGE_SIZES: readonly number[] = [4096, 16384, 65536];

export interface Platform {
  readonly arch: ArchName;
  /** Host page size in bytes. */
  readonly pageSize: number;
  /** First address guests must not map: the stub, its batch page and the vDSO live from here up. */
  readonly taskSize: number;
  /** Address of the vDSO's ELF image (AT_SYSINFO_EHDR), or 0 when clocks trap. */
  readonly vdso: number;
  /** Where a handler without SA_RESTORER returns to, in the vDSO, or 0: nowhere. */
  readonly sigreturn: number;
  /** By address. */
  readonly hostAreas: readonly HostArea[];
  /** AT_HWCAP, AT_HWCAP2, AT_MINSIGSTKSZ, AT_PLATFORM for new programs. */
  readonly auxv: { hwcap: number; hwcap2: number; minsigstksz: number; platform: string };
  readonly physical: PhysicalPages;
  readonly scratch: Scratch;
  readonly fp: FpArea;
  readonly stop: StopInfo;
  /** Null or absent: every call is a stop. */
  readonly gate?: GatePort | null;

  /** A new host process with nothing mapped below `taskSize` and one stopped thread. */
  createAddressSpace(): { space: AddressSpace; thread: HostThread };
  /** Resumes every thread queued by `resume()` now, so that something can be done while they run; the next `wait` does it otherwise. */
  send(): void;
  /**
   * Resumes every thread queued by `resume()`, then waits for the next stop of any thread.
   * `timeoutMs`: 0 polls, Infinity waits. Returns a STOP_ constant; details in `stop`.
   */
  wait(timeoutMs: number): number;
  /** How many threads are running or queued to run. */
  readonly runningCount: number;
  /** The kernel has nothing to run: host resources held only while guests run may be let go (CPU pinning). */
  idle(): void;
  /** Node's event loop has work: let it turn before the next wait. */
  readonly loopPending: boolean;
  /** Ends every host process and waits for it. Idempotent. */
  close(): void;
}

/** Where a thread inside a trampoline has the registers that the trampoline uses. */
export const KEPT_NOWHERE = 0;
export const KEPT_ON_STACK = 1;
export const KEPT_IN_CHANNEL = 2;
export type Kept = typeof KEPT_NOWHERE | typeof KEPT_ON_STACK | typeof KEPT_IN_CHANNEL;

/** System calls without a stop, where the platform has that (src/gate decides what is rewritten). */
export interface GatePort {
  readonly arch: ArchName;
  /** Address of the gate's code and of the first channel, the same in every guest. */
  readonly address: number;
  readonly channels: number;
  /**
   * For each of the first 512 system call numbers: 0 always a stop; 2 (rt_sigprocmask), 0x80 + n (fact n), 0xc0 (set_tid_address)
   * and 0xc1 (ARCH_SET_FS) are answered without the kernel; else it may be handed over, 3: with the string or structure
   * the first argument points to, 5: the second, 7: with a buffer that the second points to, its length in the third.
   */
  readonly classes: Uint8Array;
  /** Calls handed over so far, and how often the platform began to poll for them. */
  readonly handedOver: number;
  readonly pollingTimes: number;
  client: GateClient | null;
  /** A stopped thread that resumes at `ret` goes on at `at`, which stands for it. Only saves it a trap. */
  continues(thread: HostThread, ret: number, at: number): void;
}
export interface GateClient {
  /** A stop for call `nr`, which could have been handed over, at an ordinary instruction that ends at `ret`. */
  stopped(thread: HostThread, ret: number, nr: number): void;
  /** Where to go on after a trap at `address`, or 0: a trap of the guest's own. */
  landing(thread: HostThread, address: number): number;
  /** Where to go on after a fault at `address`, where a trampoline was; or 0. */
  escape(thread: HostThread, address: number): number;
  /** The guest's own code that `address` stands for, or 0: it is the guest's own. */
  original(thread: HostThread, address: number): number;
  /** Where a thread at `address` has the registers that trampolines use: in their place unless it is in one. */
  kept(thread: HostThread, address: number): Kept;
  /** Where to go on after a fault at `address` of a trampoline's own, or 0. */
  bypass(thread: HostThread, address: number): number;
}

/** Host-side pages that hold file data and shared memory: one memfd, mapped whole into the supervisor. */
export interface PhysicalPages {
  /**
   * Physical memory as far as it has been reached; index = physical offset. Never-touched and released pages read as zeros.
   * To be looked up anew after every allocation: it may be another, longer view then.
   */
  readonly bytes: Uint8Array;
  /** Size in bytes, a multiple of the page size. */
  readonly size: number;
  /** `bytes` goes at least to `end` from now on: for whoever hands pages out. */
  reach(end: number): void;
  /** Gives pages back to the host; they read as zeros afterwards. Page aligned. */
  release(offset: number, length: number): void;
  /** What has been written there is code in a page that may be mapped to be executed already: mapping it sees to the rest. */
  codeWritten(offset: number, length: number): void;
  /** Zeroes pages and keeps those the host has. Page aligned. */
  clear(offset: number, length: number): void;
  /** Bytes really in use on the host. */
  residentBytes(): number;
}

export interface AddressSpace {
  readonly threads: ReadonlySet<HostThread>;
  /** Queue: private zero-filled memory at [addr, addr+len), replacing what was there. */
  mapAnonymous(addr: number, len: number, prot: number): void;
  /** Queue: physical pages at addr; `shared` writes through, otherwise copy-on-write. Replaces what was there. */
  mapPhysical(addr: number, len: number, prot: number, offset: number, shared: boolean): void;
  unmap(addr: number, len: number): void;
  protect(addr: number, len: number, prot: number): void;
  /** Queue: mremap(MAYMOVE|FIXED): moves pages (anonymous or physical), contents included. */
  move(from: number, oldLen: number, to: number, newLen: number): void;
  /** Queue: MADV_DONTNEED: anonymous pages read as zeros again, private file pages as the file. */
  discard(addr: number, len: number): void;
  /** Queue: drops every mapping below taskSize (exec). */
  clear(): void;
  /**
   * Executes the queue through the stub, on any stopped thread of this space.
   * Returns 0 or the host's errno of the first operation that failed (the rest of the queue is dropped).
   */
  flush(): number;
  /** True when the queue is not empty. */
  readonly dirty: boolean;

  /** How many bytes from `addr` on read() has at hand, without a host call; 0 or absent: none. */
  handy?(addr: number): number;
  /** Copies guest memory out; returns the bytes copied, less than `len` at the first page that the host refuses. */
  read(addr: number, dst: Uint8Array, dstOffset: number, len: number): number;
  write(addr: number, src: Uint8Array, srcOffset: number, len: number): number;
  /** The same between guest memory and physical pages (file data), without passing through JS. */
  readToPhysical(addr: number, physOffset: number, len: number): number;
  writeFromPhysical(addr: number, physOffset: number, len: number): number;
  /** Writes over private memory whatever its protection, while no thread runs there; absent where there is no gate. */
  poke?(addr: number, bytes: Uint8Array): void;
  /** How many host pages of [addr, addr+len) are resident; for mincore, RSS. `out` gets one byte a page if given. */
  resident(addr: number, len: number, out?: Uint8Array): number;
  /** Resident set in bytes, for ps and top. */
  rssBytes(): number;
  /** Its high-water mark, also after the end of the space; then it may take as long as the host process takes to die. */
  peakRssBytes(): number;
  /** The space has ended and its peak is known: asking costs nothing. */
  readonly peakSettled: boolean;
}

/** What HostThread.share shares. */
export interface SharedState {
  /** Blocked signals, two halves. */
  readonly mask: { lo: number; hi: number };
  readonly pid: number;
  readonly tid: number;
  /** A new object whenever one of its ids changes. */
  readonly creds: { readonly uid: number; readonly euid: number; readonly gid: number; readonly egid: number };
  /** set_tid_address(2). */
  tidAddress: number;
  /** Whether any signal is pending, blocked or not. */
  anyPending(): boolean;
}

export interface HostThread {
  readonly space: AddressSpace;
  readonly regs: Registers;
  /** Whether it is running (or queued to run). */
  readonly running: boolean;
  /** The host's thread id: for logs only. */
  readonly hostTid: number;

  /** Queues the thread to run with its registers; it starts at the next `Platform.wait`. */
  resume(): void;
  /** Asks a running thread to stop soon (STOP_INTERRUPTED, unless it stops by itself first). */
  interrupt(): void;
  /**
   * Makes every register true and writable: also those that a system call stop hides (aarch64: x7), and those of a call that
   * came without a stop. Called before a signal frame is built or restored, and before a call is restarted. A platform without
   * such registers leaves it out.
   */
  sync?(): void;
  /** New stopped thread in the same address space (HostError when the host refuses); registers and FP state start as a copy of this one's. */
  cloneThread(): HostThread;
  /** New stopped thread in a copy-on-write copy of the address space (host fork; HostError when refused). Flushes first. */
  fork(): HostThread;
  /**
   * Lets calls that only look at this state, or change its mask or address, be answered without the kernel: those two are then in
   * memory shared with the thread while it runs, and the kernel calls `refresh` before it looks at them. A platform that cannot leaves both out.
   */
  share?(state: SharedState): void;
  /** Brings mask and address up to date, and sees to it that a thread that runs and unblocks a signal from now on stops. */
  refresh?(): void;
  /** Ends the host thread; with the last one, the host process. Works on running threads too. */
  exit(): void;
  /**
   * FP and vector state into `platform.fp`, in the host's signal-frame form (x86_64: XSAVE area, NT_X86_XSTATE; aarch64: struct
   * user_fpsimd_state). Returns what it is: FP_INITIAL, FP_LEGACY, FP_FULL.
   */
  loadFp(): number;
  /** From `platform.fp`. Returns 0 or errno: EINVAL for an image the host refuses (a hostile sigreturn frame). */
  storeFp(): number;
  /** FP state of a freshly exec'd program; `from`: what loadFp() has just found, which may save work. */
  resetFpState(from?: number): void;
  /** The same with a buffer of the caller's; a short legacy image leaves all else in its initial state. */
  getFpState(): Uint8Array;
  setFpState(state: Uint8Array): number;
  /** CPU time used by the host thread, in nanoseconds; user and system as far as the host tells them apart. */
  cpuTimeNs(): { user: number; system: number };
}
