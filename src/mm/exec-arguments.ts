/**
 * argv and envp of execve(2): copying them in and their limits (fs/exec.c bprm_stack_limits, copy_strings).
 *
 * A string may have 128 KiB with its NUL; all strings and pointers together a quarter of RLIMIT_STACK, at most 6 MiB and at
 * least 128 KiB. Strings of a program usually lie side by side, so guest memory is read a page at a time and kept.
 */
import { E2BIG, errno } from '../abi/errno.js';
import type { MemoryMap } from './memory-map.js';

const MAX_STRINGS = 0x7fff_ffff;
const MAX_TOTAL = 6 * 1024 * 1024;
const MIN_TOTAL = 128 * 1024;
/** MAX_ARG_STRLEN, in pages. */
const MAX_STRING_PAGES = 32;

/** What strings may still take; takes from it and throws E2BIG. */
export class ArgumentBudget {
  private left: number;
  readonly maxString: number;

  constructor(stackLimit: number, argc: number, envc: number, pageSize: number) {
    this.maxString = MAX_STRING_PAGES * pageSize;
    const limit = Math.max(Math.min(MAX_TOTAL, stackLimit / 4), MIN_TOTAL);
    const pointers = (Math.max(argc, 1) + envc) * 8;
    if (limit <= pointers) throw errno(E2BIG);
    this.left = limit - pointers;
  }
  /** One string of `length` bytes without its NUL. */
  take(length: number): void {
    this.left -= length + 1;
    if (length + 1 > this.maxString || this.left < 0) throw errno(E2BIG);
  }
}

/** Checks strings that are not in guest memory (the first program, a script's interpreter); throws E2BIG. */
export function checkArguments(
  execfn: string,
  argv: readonly string[],
  envp: readonly string[],
  stackLimit: number,
  pageSize: number,
): void {
  const budget = new ArgumentBudget(stackLimit, argv.length, envp.length, pageSize);
  budget.take(execfn.length);
  for (const text of envp) budget.take(text.length);
  for (const text of argv) budget.take(text.length);
}

/** Copies argv and envp in; EFAULT, E2BIG. A null pointer is an empty list. */
export function readArguments(
  map: MemoryMap,
  execfn: string,
  argvAddr: number,
  envpAddr: number,
  stackLimit: number,
): { argv: string[]; envp: string[] } {
  const reader = new PageReader(map);
  const argvPointers = readPointers(reader, argvAddr);
  const envpPointers = readPointers(reader, envpAddr);
  const budget = new ArgumentBudget(stackLimit, argvPointers.length, envpPointers.length, map.platform.pageSize);
  budget.take(execfn.length);
  const read = (pointer: number): string => {
    const text = reader.string(pointer, budget.maxString);
    budget.take(text.length);
    return text;
  };
  const envp = envpPointers.map(read);
  return { argv: argvPointers.map(read), envp };
}

function readPointers(reader: PageReader, addr: number): number[] {
  const pointers: number[] = [];
  if (addr === 0) return pointers;
  for (let at = addr; ; at += 8) {
    const pointer = reader.u64(at);
    if (pointer === 0) return pointers;
    if (pointers.length === MAX_STRINGS) throw errno(E2BIG);
    pointers.push(pointer);
    // More pointers than any limit allows strings for: no need to read a gigabyte of them.
    if (pointers.length * 8 > MAX_TOTAL) throw errno(E2BIG);
  }
}

/** Reads guest memory through a copy of the last page touched. */
class PageReader {
  private readonly map: MemoryMap;
  private readonly pageSize: number;
  private readonly bytes: Buffer;
  private page = -1;

  constructor(map: MemoryMap) {
    this.map = map;
    this.pageSize = map.platform.pageSize;
    this.bytes = Buffer.alloc(this.pageSize);
  }
  private load(addr: number): number {
    const within = addr % this.pageSize;
    const page = addr - within;
    if (page !== this.page) {
      this.page = -1;
      this.map.copyIn(page, this.bytes, 0, this.pageSize);
      this.page = page;
    }
    return within;
  }
  u64(addr: number): number {
    const within = this.load(addr);
    if (within + 8 > this.pageSize) return this.map.readU64(addr);
    return this.bytes.readUInt32LE(within + 4) * 2 ** 32 + this.bytes.readUInt32LE(within);
  }
  /** E2BIG when longer than `max` with its NUL. */
  string(addr: number, max: number): string {
    let text = '';
    let at = addr;
    for (;;) {
      const within = this.load(at);
      const nul = this.bytes.indexOf(0, within);
      text += this.bytes.toString('latin1', within, nul < 0 ? this.pageSize : nul);
      if (text.length >= max) throw errno(E2BIG);
      if (nul >= 0) return text;
      at += this.pageSize - within;
    }
  }
}
