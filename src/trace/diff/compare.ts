/**
 * Whether one call on the host and one in levitate are the same call with the same outcome.
 *
 * Every argument and result has a class, which is its kind's: exact (names, flags, strings, counts, errors), relational
 * (descriptors, process ids, inode numbers, addresses: see maps.ts), or ignored (what the row says `varies`: times, random bytes,
 * usage). Values inside of structs have only their field's name to go by.
 */
import { classOf, type ValueClass } from '../classes.js';
import { isOut } from '../printers/kinds.js';
import { quote } from '../text.js';
import type { Maps } from './maps.js';
import type { CallRecord } from './record.js';
import { tokens, type Token } from './texts.js';

export interface Difference {
  /** Name of the argument, `result`, or `call` when it is another call or none. */
  readonly where: string;
  /** Index of the argument's text, or -1. */
  readonly index: number;
  readonly host: string;
  readonly ours: string;
  /** What the texts do not show. */
  readonly detail?: string;
}

type Class = ValueClass | 'inode' | 'ignored';

/** Fields of structs, which rows do not name one by one. */
const FIELDS: Readonly<Record<string, Class>> = {
  si_pid: 'pid',
  l_pid: 'pid',
  pid: 'pid',
  parent_tid: 'pid',
  child_tid: 'address',
  fd: 'fd',
  pidfd: 'fd',
  st_ino: 'inode',
  stx_ino: 'inode',
  d_ino: 'inode',
  si_utime: 'ignored',
  si_stime: 'ignored',
  left: 'ignored',
  // Which disk a file is on; inode numbers and fsids go with it.
  st_dev: 'ignored',
  stx_dev_major: 'ignored',
  stx_dev_minor: 'ignored',
  stx_mnt_id: 'ignored',
};

/** Smaller numbers are no addresses, even in hexadecimal. */
const LEAST_ADDRESS = 0x1000n;
const isAddress = (text: string): boolean => /^0x[0-9a-f]+$/.test(text) && BigInt(text) >= LEAST_ADDRESS;

/** Whether two values of this class may stand for each other; `makes`: the call has just made what they name. */
function sameValue(kind: Class, host: string, ours: string, maps: Maps, makes: boolean): boolean {
  if (kind === 'ignored') return true;
  if (isAddress(host) && isAddress(ours)) return maps.addresses.relate(BigInt(host), BigInt(ours));
  const [a, b] = [Number(host), Number(ours)];
  if (kind === 'exact' || kind === 'address' || !Number.isInteger(a) || !Number.isInteger(b)) return host === ours;
  if (a < 0 || b < 0) return a === b;
  const map = kind === 'fd' ? maps.fds : kind === 'pid' ? maps.pids : maps.inodes;
  if (makes) map.bind(a, b);
  if (kind === 'fd') return map.relateOrSame(a, b);
  // 0 means the caller itself.
  return kind === 'pid' && (a === 0 || b === 0) ? a === b : map.relate(a, b);
}

/** Numbers inside of strings that stand for something: process ids in paths, inode numbers of pipes and sockets. */
const NAMED = /(?<=\/(?:proc|task)\/)\d+|(?<=(?:pipe|socket|net|mnt|pid|uts|ipc|user):\[)\d+/g;

export function sameString(host: string, ours: string, maps: Maps): boolean {
  if (host === ours) return true;
  const found: [string[], string[]] = [[], []];
  const [a, b] = [host, ours].map((text, side) =>
    text.replace(NAMED, (number, at: number) => {
      found[side].push(number);
      return text[at - 1] === '[' ? '[#' : '#';
    }),
  );
  return (
    a === b &&
    found[0].every((number, i) =>
      (a.includes('[#') ? maps.inodes : maps.pids).relate(Number(number), Number(found[1][i])),
    )
  );
}

export function sameText(host: string, ours: string, outer: Class, maps: Maps, makes = false): boolean {
  if (outer === 'ignored') return true;
  if (host === ours && !/\d/.test(host)) return true;
  const [a, b] = [tokens(host), tokens(ours)];
  return a.length === b.length && a.every((token, i) => sameToken(token, b[i], outer, maps, makes));
}
function sameToken(host: Token, ours: Token, outer: Class, maps: Maps, makes: boolean): boolean {
  const kind = FIELDS[host.field] ?? outer;
  if (host.kind === 'number' && ours.kind === 'number') return sameValue(kind, host.text, ours.text, maps, makes);
  if (host.kind === 'string' && ours.kind === 'string') return sameString(host.text, ours.text, maps);
  return host.text === ours.text || kind === 'ignored';
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const sameBytes = (a: Uint8Array, b: Uint8Array, maps: Maps): boolean =>
  Buffer.compare(a, b) === 0 || sameString(latin1(a), latin1(b), maps);

const SHOWN = 24;
/** `from byte 40 on: "..." and "..."`. */
export function firstByte(host: Uint8Array, ours: Uint8Array): string {
  let at = 0;
  while (at < host.length && host[at] === ours[at]) at++;
  const from = Math.max(0, at - 4);
  const show = (bytes: Uint8Array): string => quote(bytes.subarray(from, at + SHOWN));
  return `from byte ${at} on: ${show(host)} on the host, ${show(ours)} in levitate`;
}

/** The first thing in which two calls of one name differ. Learns the relations that they bring about. */
export function compareCalls(host: CallRecord, ours: CallRecord, maps: Maps): Difference | null {
  const { row } = host;
  if (row !== ours.row) return { where: 'call', index: -1, host: row.name, ours: ours.row.name };
  const free = row.varies.includes('result');
  if (host.returned !== ours.returned || (host.errno !== ours.errno && !free)) return resultOf(host, ours);
  const shown = row.args.filter((arg) => arg.kind !== 'unused');
  const length = Math.max(host.args.length, ours.args.length);
  for (let i = 0; i < length; i++) {
    const arg = shown.at(i);
    const name = arg?.name ?? String(i + 1);
    const kind = row.varies.includes(name) ? 'ignored' : classOf(arg);
    const makes = arg !== undefined && isOut(arg) && host.errno === '';
    const index = arg === undefined ? -1 : row.args.indexOf(arg);
    const same =
      host.args.at(i) !== undefined &&
      ours.args.at(i) !== undefined &&
      sameText(host.args[i], ours.args[i], kind, maps, makes);
    // Where a printer of the whole call has its own order, it names its parts.
    const where = /^(\w+)=/.exec(host.args.at(i) ?? '')?.[1] ?? name;
    const difference = { where, index: i, host: host.args.at(i) ?? '', ours: ours.args.at(i) ?? '' };
    if (!same) return difference;
    const [a, b] = [host.data.get(index), ours.data.get(index)];
    if (kind !== 'ignored' && a !== undefined && b !== undefined && !sameBytes(a, b, maps))
      return { ...difference, detail: firstByte(a, b) };
  }
  const same = sameResult(host, ours, maps);
  if (same) learn(host, ours, maps);
  return same ? null : resultOf(host, ours);
}

const resultOf = (host: CallRecord, ours: CallRecord): Difference => ({
  where: 'result',
  index: -1,
  host: host.result,
  ours: ours.result,
});

function sameResult(host: CallRecord, ours: CallRecord, maps: Maps): boolean {
  const { row } = host;
  if (host.errno !== '' || !host.returned || row.varies.includes('result')) return true;
  switch (host.ret) {
    case 'none':
    case 'time':
      return true;
    case 'fd':
      return sameValue('fd', String(host.value), String(ours.value), maps, true);
    case 'pid':
      return sameValue('pid', String(host.value), String(ours.value), maps, false);
    case 'addr':
      return true;
    case 'size':
      return host.value - ours.value === stretch(host, ours);
    default:
      return sameText(host.result, ours.result, 'exact', maps);
  }
}

/** By how much the host's string is longer, where strings that stand for each other have numbers of other lengths in them. */
function stretch(host: CallRecord, ours: CallRecord): number {
  const strings = (call: CallRecord): string[] =>
    call.args.filter((text) => text.startsWith('"') && text.search(NAMED) >= 0);
  const length = (call: CallRecord): number => strings(call).join('').length;
  return length(host) - length(ours);
}

/** More than any program's heap. */
const HEAP = 1n << 28n;

function learn(host: CallRecord, ours: CallRecord, maps: Maps): void {
  const { name } = host.row;
  if (host.errno !== '') return;
  if (name === 'execve' || name === 'execveat') maps.executed();
  if (host.ret !== 'addr' || host.value === 0 || ours.value === 0) return;
  const [a, b] = [BigInt(host.value), BigInt(ours.value)];
  const size = host.row.args.findLastIndex((arg) => arg.kind === 'size' || arg.kind === 'ulong');
  if (name === 'brk') {
    if (host.raw[0] === 0n) maps.addresses.map(a, b, HEAP);
  } else if (name === 'mremap') maps.addresses.map(a, b, host.raw[2]);
  else maps.addresses.map(a, b, name === 'mmap' ? host.raw[1] : size < 0 ? 1n : host.raw[size]);
}
