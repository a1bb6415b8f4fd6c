/**
 * A program that runs on the host itself, its system calls carried out by the host's kernel and shown one by one: the native
 * side of levitate-diff. Only one at a time, and none while a ptrace platform of the same thread has guests.
 *
 * `next` resumes the task it showed last, so whatever is to be read from its memory is read before.
 */
import { loadNative, type HostLaunch, type NativeHostTracer } from './native.js';

export const TRACE_NONE = 0;
export const TRACE_ENTER = 1;
export const TRACE_LEAVE = 2;
export const TRACE_SIGNAL = 3;
export const TRACE_GROUP_STOP = 4;
export const TRACE_BIRTH = 5;
export const TRACE_EXEC = 6;
export const TRACE_EXIT = 7;
export const TRACE_FINISHED = 8;

// Words of the event block (native/tracer.h).
const TID = 0;
const NR = 1;
const ARGS = 2;
const RESULT = 8;
const FAILED = 9;
const SP = 10;
const STATUS = 11;
const OTHER = 12;
const INFO_BYTE = 16 * 8;
const INFO_BYTES = 128;

export class HostTracer {
  private readonly native: NativeHostTracer;
  private readonly words: BigUint64Array;

  constructor() {
    this.native = loadNative().addon.createHostTracer();
    this.words = new BigUint64Array(this.native.event);
  }

  /** 0 or errno, and which step failed. */
  start(launch: HostLaunch): { error: number; step: string } {
    return this.native.start(launch);
  }
  /** The next event, one of TRACE_*; TRACE_NONE after `timeoutMs` without one, or when a signal came. */
  next(timeoutMs: number): number {
    return this.native.next(timeoutMs);
  }

  get tid(): number {
    return Number(this.words[TID]);
  }
  /** Number of the call; -1 for one that came in by the 32-bit entry. */
  get nr(): number {
    return Number(BigInt.asIntN(32, this.words[NR]));
  }
  /** The six argument registers. */
  get args(): bigint[] {
    return Array.from(this.words.subarray(ARGS, ARGS + 6));
  }
  get result(): number {
    return Number(BigInt.asIntN(64, this.words[RESULT]));
  }
  get failed(): boolean {
    return this.words[FAILED] !== 0n;
  }
  get sp(): bigint {
    return this.words[SP];
  }
  /** A signal's number, or a wait status. */
  get status(): number {
    return Number(this.words[STATUS]);
  }
  /** The new task of TRACE_BIRTH; the former tid of the thread that called execve. */
  get other(): number {
    return Number(this.words[OTHER]);
  }
  get siginfo(): Uint8Array {
    return new Uint8Array(this.native.event.slice(INFO_BYTE, INFO_BYTE + INFO_BYTES));
  }

  /** Bytes of a task's memory, or null when any of them cannot be read. */
  read(tid: number, addr: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.native.read(tid, addr, bytes) === 0 ? bytes : null;
  }
  /** What the program wrote to descriptor 1 or 2 so far. */
  output(fd: 1 | 2): Buffer {
    return this.native.output(fd);
  }
  /** SIGKILL to all; their ends are still shown. */
  kill(): void {
    this.native.kill();
  }
  /** Kills and collects whatever is left. */
  close(): void {
    this.native.close();
  }
}
