/**
 * The printer of each argument kind: what a row says is all that most calls need.
 *
 * Whether an argument is printed on entry or on return follows from its direction; everything after the first late one waits
 * with it, as in strace, so that an unfinished call shows exactly the same beginning.
 */
import { FLAG_SETS } from '../../abi/flags/index.js';
import { signalName } from '../../abi/signals.js';
import type { ArgType, LengthSource } from '../../../syscalls/row.js';
import { readBig, viewOf, type Call } from '../call.js';
import {
  address,
  enumeration,
  flags,
  hex,
  id,
  octal,
  signalText,
  signed,
  symbol,
  toInt,
  toUint,
  unsigned,
} from '../text.js';
import { printStruct } from './structs.js';
import { sockaddr } from './sockaddr.js';
import type { Print } from './types.js';

/** Whether the kernel writes through this argument. */
export const isOut = (arg: ArgType): boolean => 'dir' in arg && arg.dir === 'out';

function lengthOf(c: Call, source: LengthSource): bigint {
  if (source === 'ret') return BigInt(c.result);
  return 'fixed' in source ? BigInt(source.fixed) : c.arg(source.arg);
}

/** Scatter lists: each piece as a string of at most what is left of `total` (null: all), or as an address. */
export function iovec(c: Call, addr: bigint, count: bigint, total: bigint | null, asStrings = true): string {
  if (count > 1n << 32n) return address(addr);
  let left = total;
  return c.array(
    addr,
    Number(count),
    16,
    (bytes) => {
      const view = viewOf(bytes);
      const base = view.getBigUint64(0, true);
      const length = view.getBigUint64(8, true);
      const shown = left !== null && length > left ? left : length;
      if (left !== null) left -= shown;
      return `{iov_base=${asStrings ? c.buffer(base, shown) : address(base)}, iov_len=${length}}`;
    },
    true,
  );
}

const U32 = 0xffff_ffffn;
/** Names of signals in sets. */
const SIGNALS: string[] = [];
function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
/** Signal sets: `[HUP INT]`, `[]`, or inverted `~[]` when more than two thirds are in. */
export function sigmask(c: Call, bits: bigint, bytes = 8): string {
  const words = bytes > 4 ? [Number(bits & U32), Number((bits >> 32n) & U32)] : [Number(bits & U32)];
  const count = words.reduce((sum, word) => sum + bitCount(word), 0);
  const inverted = count >= Math.floor((words.length * 64) / 3);
  const names: string[] = [];
  words.forEach((word, i) => {
    for (let rest = inverted ? ~word : word; rest !== 0; rest &= rest - 1) {
      const signal = 32 * i + 32 - Math.clz32(rest & -rest);
      names.push(symbol(c, String(signal), (SIGNALS[signal] ??= signalName(signal).replace(/^SIG/, ''))));
    }
  });
  return `${inverted ? '~' : ''}[${names.join(' ')}]`;
}
export function sigset(c: Call, addr: bigint, length: bigint, least = 8n): string {
  if (length < least || length > 8n) return address(addr);
  const bytes = c.fetch(addr, Number(length));
  if (bytes === null) return address(addr);
  const padded = new Uint8Array(8);
  padded.set(bytes);
  return sigmask(c, readBig(viewOf(padded), 0, 'u64'), Number(length));
}

function fdset(c: Call, addr: bigint, count: number): string {
  const size = Math.ceil(Math.max(0, count) / 64) * 8;
  if (size === 0) return address(addr);
  const bytes = c.fetch(addr, size);
  return bytes === null
    ? address(addr)
    : `[${setBits(bytes, count)
        .map((fd) => c.fd(fd))
        .join(' ')}]`;
}
export function setBits(bytes: Uint8Array, count: number): number[] {
  const set: number[] = [];
  for (let i = 0; i < count; i++) if (bytes[i >> 3] & (1 << (i & 7))) set.push(i);
  return set;
}

function strings(c: Call, addr: bigint): string {
  if (addr === 0n) return 'NULL';
  const parts: string[] = [];
  const limit = c.elements;
  for (let n = 0; ; n++) {
    const at = addr + BigInt(8 * n);
    const word = c.peek(at, 8);
    if (word === null) {
      if (n === 0) return address(addr);
      parts.push(`... /* ${address(at)} */`);
      break;
    }
    const pointer = viewOf(word).getBigUint64(0, true);
    if (pointer === 0n) break;
    if (n >= limit) {
      parts.push('...');
      break;
    }
    parts.push(c.string(pointer));
  }
  return `[${parts.join(', ')}]`;
}
/** As many pointers as execve(2) takes: past that, something else is wrong with the list. */
const MAX_STRINGS = 1 << 18;
function environ(c: Call, addr: bigint): string {
  if (addr === 0n) return 'NULL';
  let n = 0;
  let terminated = false;
  while (n < MAX_STRINGS && !terminated) {
    const at = addr + BigInt(8 * n);
    // A page at a time; a pointer that straddles two pages is read alone.
    const words = Math.max(1, Math.floor((4096 - Number(at & 4095n)) / 8));
    const bytes = c.peek(at, 8 * words);
    if (bytes === null) break;
    const view = viewOf(bytes);
    let i = 0;
    while (i < words && view.getBigUint64(8 * i, true) !== 0n) i++;
    n += i;
    terminated = i < words;
  }
  if (n === 0 && !terminated) return address(addr);
  return `${address(addr)} /* ${n} var${n === 1 ? '' : 's'}${terminated ? '' : ', unterminated'} */`;
}

function word(c: Call, addr: bigint, arg: Extract<ArgType, { kind: 'word' }>): string {
  switch (arg.of) {
    case 'int':
      return c.indirect(addr, 'i32');
    case 'fd':
      return c.indirect(addr, 'i32', (fd) => c.fd(fd));
    case 'uint':
      return c.indirect(addr, 'u32');
    case 'long':
    case 'off':
      return c.indirect(addr, 'i64');
    case 'ulong':
    case 'size':
      return c.indirect(addr, 'u64');
    case 'fdpair':
      return c.array(addr, 2, 4, (bytes) => c.fd(viewOf(bytes).getInt32(0, true)));
  }
}

const flagBits = (v: bigint, as: string): bigint => (as === 'ulong' ? BigInt.asUintN(64, v) : BigInt.asUintN(32, v));

export const printKind: Print = (c, v, arg) => {
  switch (arg.kind) {
    case 'fd':
      return c.fd(v);
    case 'int':
    case 'pid':
      return String(toInt(v));
    case 'uint':
      return String(toUint(v));
    case 'long':
    case 'off':
      return signed(v);
    case 'ulong':
    case 'size':
      return unsigned(v);
    case 'hex':
      return hex(v);
    case 'hex32':
      return hex(toUint(v));
    case 'dirfd':
      return c.dirfd(v);
    case 'uid':
    case 'gid':
      return id(toUint(v));
    case 'mode':
      return octal(toUint(v) & 0xffff);
    case 'signal':
      return signalText(c, toInt(v));
    case 'addr':
      return address(v);
    case 'path':
      return c.path(v);
    case 'string':
      return c.string(v);
    case 'strings':
      return strings(c, v);
    case 'environ':
      return c.style.verbose ? strings(c, v) : environ(c, v);
    case 'flags':
      return flags(FLAG_SETS[arg.set], c, flagBits(v, arg.as));
    case 'enum':
      return enumeration(FLAG_SETS[arg.set], c, flagBits(v, arg.as === 'long' ? 'ulong' : 'uint'));
    case 'buffer':
      return c.exiting && arg.dir === 'out' && c.failed ? address(v) : c.buffer(v, lengthOf(c, arg.length));
    case 'iovec':
      if (arg.dir === 'in') return iovec(c, v, lengthOf(c, arg.length), null);
      return iovec(c, v, lengthOf(c, arg.length), BigInt(c.result), !c.failed);
    case 'sockaddr':
      return sockaddr(c, v, toInt(lengthOf(c, arg.length))).text;
    case 'struct':
      return printStruct(c, v, arg.layout);
    case 'sigset':
      return sigset(c, v, 8n);
    case 'fdset':
      return fdset(c, v, Math.min(toInt(c.args[0]), 1 << 20));
    case 'word':
      return word(c, v, arg);
    case 'msghdr':
    case 'dynamic':
      return hex(v);
    case 'unused':
      return '';
  }
};
