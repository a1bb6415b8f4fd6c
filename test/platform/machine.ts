/**
 * Helpers of the platform suites: a platform per test with a leak check, and a few instructions as bytes (x86_64 only;
 * the suites skip themselves elsewhere).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { X86 } from '../../src/abi/registers.js';
import { createPtracePlatform, type PtraceOptions, type PtracePlatform } from '../../src/platform/ptrace/index.js';
import type { AddressSpace, HostThread } from '../../src/platform/platform.js';
import { STOP_NONE } from '../../src/platform/platform.js';

export const CODE = 0x10000;
export const DATA = 0x40000;
export const STACK = 0x80000;
export const R = X86;

const open = new Set<PtracePlatform>();

export function platform(options: PtraceOptions = {}): PtracePlatform {
  const p = createPtracePlatform({ physicalBytes: 64 << 20, ...options });
  open.add(p);
  return p;
}

/** Closes every platform of the test, and fails when a host process is left over. */
export function closeAll(): void {
  for (const p of open) p.close();
  open.clear();
  const left = children();
  if (left.length > 0) throw new Error(`left-over host processes: ${left.join(', ')}`);
}

/** Our child processes (of all our threads), as "pid (name) state". */
export function children(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      continue;
    }
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[1]) === process.pid && stat.includes('levitate-')) found.push(`${pid} ${fields[0]}`);
  }
  return found;
}

export interface Guest {
  p: PtracePlatform;
  space: AddressSpace;
  thread: HostThread;
}

/** A new process with `code` at CODE, two writable pages at DATA and a stack below STACK; not started. */
export function guest(code: number[], p: PtracePlatform = platform()): Guest {
  const { space, thread } = p.createAddressSpace();
  space.mapAnonymous(CODE, 0x4000, 7);
  space.mapAnonymous(DATA, 0x2000, 3);
  space.mapAnonymous(STACK - 0x4000, 0x4000, 3);
  if (space.flush() !== 0) throw new Error('mapping failed');
  put(space, CODE, code);
  thread.regs.ip = CODE;
  thread.regs.sp = STACK - 64;
  return { p, space, thread };
}

export function put(space: AddressSpace, addr: number, bytes: number[]): void {
  const data = Uint8Array.from(bytes);
  const done = space.write(addr, data, 0, data.length);
  if (done !== data.length) throw new Error(`wrote ${done} of ${data.length}`);
}

export function peek(space: AddressSpace, addr: number, len: number): number[] {
  const data = new Uint8Array(len);
  return [...data.subarray(0, space.read(addr, data, 0, len))];
}

/** Waits for a stop, whatever Node's event loop wants. */
export function next(p: PtracePlatform, timeoutMs = 5000): number {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const kind = p.wait(Math.max(end - performance.now(), 0));
    if (kind !== STOP_NONE || performance.now() >= end) return kind;
    p.native.arm(true);
  }
}

export function step(g: Guest, timeoutMs?: number): number {
  g.thread.resume();
  return next(g.p, timeoutMs);
}

const le32 = (v: number): number[] => [v & 255, (v >> 8) & 255, (v >> 16) & 255, (v >>> 24) & 255];

// Instructions.
export const movEax = (v: number): number[] => [0xb8, ...le32(v)];
export const movEdi = (v: number): number[] => [0xbf, ...le32(v)];
export const SYSCALL = [0x0f, 0x05];
export const INT80 = [0xcd, 0x80];
export const INT3 = [0xcc];
export const UD2 = [0x0f, 0x0b];
export const jmpBack = (n: number): number[] => [0xeb, 256 - n - 2];
/** `jmp .` */
export const SPIN = [0xeb, 0xfe];
export const INC_RBX = [0x48, 0xff, 0xc3];
/** mov rax, [rdi] */
export const LOAD_RDI = [0x48, 0x8b, 0x07];
/** mov [rdi], rsi */
export const STORE_RSI = [0x48, 0x89, 0x37];
/** syscall forever, counting in rbx */
export const SYSCALL_LOOP = [...INC_RBX, ...movEax(39), ...SYSCALL, ...jmpBack(10)];
