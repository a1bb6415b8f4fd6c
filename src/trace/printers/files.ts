/** Files: open flags and modes, directory entries, times, handles, xattr values, offsets that move. */
import { O_CREAT, __O_TMPFILE } from '../../abi/flags/open.js';
import { S_IFBLK, S_IFCHR, S_IFMT } from '../../abi/flags/stat.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import { viewOf, type Call } from '../call.js';
import type { ArchName } from '../../abi/types.js';
import {
  address,
  device,
  enumeration,
  flagList,
  flags,
  hex,
  hexString,
  lookup,
  octal,
  symbol,
  toUint,
  unsigned,
} from '../text.js';
import { dated, fileMode, timespec } from './structs.js';
import { StructView } from '../call.js';
import { TIMESPEC, TIMEVAL } from '../../abi/layouts/time.js';
import { UTIME_NOW, UTIME_OMIT } from '../../abi/flags/stat.js';
import { early, late, type ArgPrinter, type CallPrinter } from './types.js';

/** `O_RDWR|O_CREAT`: the access mode, then the flags. */
export const openFlags = (c: Call, v: bigint): string => symbol(c, hex(v), openNames(c.arch, v));
export function openNames(arch: ArchName, v: bigint): string {
  const mode = lookup(FLAG_SETS.open_access_modes, { arch }, v & 3n);
  const rest = mode === undefined ? v : v & ~3n;
  if (mode !== undefined && rest === 0n) return mode;
  const names = flagList(FLAG_SETS.open_mode_flags, { arch }, rest);
  return mode === undefined ? names : `${mode}|${names}`;
}
const creates = (v: bigint): boolean => (Number(v & 0xffff_ffffn) & (O_CREAT | __O_TMPFILE)) !== 0;

function openHow(c: Call, addr: bigint): string {
  const size = c.arg('size');
  if (size < 24n) return address(addr);
  return c.object(addr, 'open_how', (how) => {
    const bits = how.big('flags');
    const mode = creates(bits) || how.big('mode') !== 0n ? `, mode=${octal(how.big('mode'))}` : '';
    return `{flags=${openFlags(c, bits)}${mode}, resolve=${flags(FLAG_SETS.open_resolve_flags, c, how.big('resolve'))}${excess(c, addr, 24, size)}}`;
  });
}
/** Bytes of an extensible struct beyond the known size, when any is not zero. */
export function excess(c: Call, addr: bigint, known: number, size: bigint): string {
  const total = Number(size > 4096n ? 4096n : size);
  if (total <= known) return '';
  const bytes = c.peek(addr + BigInt(known), total - known);
  if (bytes === null) return ', ???';
  if (bytes.every((b) => b === 0)) return '';
  return `, /* bytes ${known}..${total - 1} */ ${hexString(bytes, Math.min(bytes.length, c.strings))}${c.dots(bytes.length)}`;
}

type DirentPrinter = (c: Call, head: DataView, name: bigint, space: number) => string;
const direntHead = (head: DataView): string =>
  `{d_ino=${head.getBigUint64(0, true)}, d_off=${head.getBigUint64(8, true)}, d_reclen=${head.getUint16(16, true)}`;
const direntType = (c: Call, type: number): string => enumeration(FLAG_SETS.dirent_types, c, BigInt(type), 'DT_???');
const NAME_MAX = 255;
/** getdents(2): the type is the last byte of the record. */
const oldDirent: DirentPrinter = (c, head, name, space) => {
  if (space === 0) return `${direntHead(head)}}`;
  const text = space > 1 ? `, d_name=${c.path(name, Math.min(space - 2, NAME_MAX))}` : '';
  const type = c.peek(name + BigInt(space - 1), 1);
  const typeText = type === null ? address(name + BigInt(space - 1)) : direntType(c, type[0]);
  return `${direntHead(head)}${text}, d_type=${typeText}}`;
};
const dirent64: DirentPrinter = (c, head, name, space) => {
  const text = space > 0 ? `, d_name=${c.path(name, Math.min(space - 1, NAME_MAX))}` : '';
  return `${direntHead(head)}, d_type=${direntType(c, head.getUint8(18))}${text}}`;
};

/** Directory entries, every one of them. */
function direntList(c: Call, addr: bigint, header: number, reclen: number, entry: DirentPrinter): string {
  let left = c.result;
  let at = addr;
  const parts: string[] = [];
  c.readAhead(addr, left);
  while (left >= header) {
    const bytes = c.peek(at, header);
    if (bytes === null) {
      if (parts.length === 0) return address(addr);
      parts.push(`... /* ${address(at)} */`);
      break;
    }
    const head = viewOf(bytes);
    const length = Math.max(header, Math.min(left, head.getUint16(reclen, true)));
    parts.push(entry(c, head, at + BigInt(header), length - header));
    left -= length;
    at += BigInt(length);
  }
  return `[${parts.join(', ')}]`;
}

/** Directory entries: only how many there are. */
function dirents(c: Call, addr: bigint, header: number, reclen: number, entry: DirentPrinter): string {
  const count = c.args[2] & 0xffff_ffffn;
  if (c.failed || BigInt(c.result) > count || c.style.addresses) return address(addr);
  if (c.style.verbose) return direntList(c, addr, header, reclen, entry);
  let left = c.result;
  let at = addr;
  let entries = 0;
  while (left >= header) {
    const bytes = c.peek(at, header);
    if (bytes === null) break;
    entries++;
    const length = viewOf(bytes).getUint16(reclen, true);
    if (length > left || length < header) break;
    left -= length;
    at += BigInt(length);
  }
  return `${address(addr)} /* ${entries}${left > 0 ? '+' : ''} entries */`;
}

function statxFlags(c: Call, v: bigint): string {
  const sync = v & 0x6000n;
  const rest = v & ~0x6000n;
  const head = flags(FLAG_SETS.at_statx_sync_types, c, sync, null);
  return rest === 0n ? head : `${head}|${flags(FLAG_SETS.at_flags, c, rest, null)}`;
}

function nsecTime(c: Call, s: StructView): string {
  const nsec = s.num('tv_nsec');
  if (nsec === UTIME_NOW) return symbol(c, timespec(c, s), 'UTIME_NOW');
  return nsec === UTIME_OMIT ? symbol(c, timespec(c, s), 'UTIME_OMIT') : dated.timespec(c, s);
}
const timesOf =
  (layout: typeof TIMESPEC | typeof TIMEVAL, print: (c: Call, s: StructView) => string) => (c: Call, addr: bigint) => {
    const bytes = c.fetch(addr, 32);
    if (bytes === null) return address(addr);
    const parts = [0, 16].map((at) => print(c, new StructView(layout, bytes.subarray(at, at + 16))));
    return `[${parts.join(', ')}]`;
  };

function handle(c: Call, addr: bigint): string {
  return c.object(addr, 'file_handle', (h) => {
    const size = h.num('handle_bytes');
    return `{handle_bytes=${size}, handle_type=${h.num('handle_type')}, f_handle=${handleBytes(c, addr, size)}}`;
  });
}
function handleBytes(c: Call, addr: bigint, size: number): string {
  const shown = Math.min(size, 128);
  const bytes = c.peek(addr + 8n, shown);
  return bytes === null ? '???' : hexString(bytes) + (size > shown ? '...' : '');
}
const EOVERFLOW = 75;
const nameToHandle: CallPrinter = {
  enter(c) {
    const head = `${c.dirfd(c.args[0])}, ${c.path(c.args[1])}, `;
    const h = c.fetchStruct(c.args[2], 'file_handle');
    if (h === null) {
      c.complete = true;
      return `${head}${address(c.args[2])}, ${address(c.args[3])}, ${flags(FLAG_SETS.name_to_handle_at_flags, c, c.args[4])}`;
    }
    c.saved = h.num('handle_bytes');
    return `${head}{handle_bytes=${h.num('handle_bytes')}`;
  },
  leave(c) {
    let text = '';
    const h = !c.failed || c.errno === EOVERFLOW ? c.fetchStruct(c.args[2], 'file_handle', true) : null;
    if (h !== null) {
      const size = h.num('handle_bytes');
      if (size !== c.saved) text += ` => ${size}`;
      if (!c.failed) text += `, handle_type=${h.num('handle_type')}, f_handle=${handleBytes(c, c.args[2], size)}`;
    }
    const mount = c.indirect(c.args[3], 'i32');
    return `${text}}, ${mount}, ${flags(FLAG_SETS.name_to_handle_at_flags, c, c.args[4])}`;
  },
};

/** An xattr value: its last NUL is not shown. */
function xattrValue(c: Call, addr: bigint, size: bigint): string {
  if (size > 65_536n || size < 0n || addr === 0n) return address(addr);
  const bytes = c.shown(addr, size);
  if (bytes === null) return address(addr);
  const text = c.quote(bytes);
  if (bytes.at(-1) !== 0 || !text.endsWith('\\0"')) return text + c.dots(size);
  return `${text.slice(0, -3)}"`;
}
const xattrIn: ArgPrinter = early((c, v) => xattrValue(c, v, c.arg('size')));
const xattrOut: ArgPrinter = late((c, v) => (c.failed ? address(v) : xattrValue(c, v, BigInt(c.result))));
const xattrList: ArgPrinter = late((c, v) =>
  c.failed || c.arg('size') === 0n ? address(v) : c.buffer(v, BigInt(c.result)),
);

/** sendfile shows its offset before and after. */
const sendfile: CallPrinter = {
  enter(c) {
    const head = `${c.fd(c.args[0])}, ${c.fd(c.args[1])}, `;
    const offset = c.number(c.args[2], 'u64');
    if (offset !== null) return `${head}[${offset}]`;
    c.complete = true;
    return `${head}${address(c.args[2])}, ${unsigned(c.args[3])}`;
  },
  leave(c) {
    const moved = !c.failed && c.result !== 0 ? ` => ${c.indirect(c.args[2], 'u64')}` : '';
    return `${moved}, ${unsigned(c.args[3])}`;
  },
};

export const FILE_ARGS: Record<string, ArgPrinter> = {
  open_flags: early(openFlags),
  open_how: early(openHow),
  dup_flags: early((c, v) => flags(FLAG_SETS.open_mode_flags, c, BigInt(toUint(v)))),
  uffd_flags: early((c, v) => flags(FLAG_SETS.uffd_flags, c, BigInt(toUint(v)))),
  dirents: late((c, v) => dirents(c, v, 18, 16, oldDirent)),
  dirents64: late((c, v) => dirents(c, v, 19, 16, dirent64)),
  statx_flags: early(statxFlags),
  mknod_mode: early((c, v) => fileMode(c, toUint(v) & 0xffff)),
  utimensat_times: early(timesOf(TIMESPEC, nsecTime)),
  file_handle: early(handle),
  dev: early((c, v) => device(c, v)),
};
/** By call and argument, where the kind alone does not do. */
export const FILE_OVERRIDES: Record<string, ArgPrinter> = {
  'readlink.bufsiz': early((_c, v) => unsigned(v)),
  'readlinkat.bufsiz': early((_c, v) => unsigned(v)),
  'truncate.length': early((_c, v) => unsigned(v)),
  'ftruncate.length': early((_c, v) => unsigned(v)),
  'utimes.times': early(timesOf(TIMEVAL, dated.timeval)),
  'futimesat.times': early(timesOf(TIMEVAL, dated.timeval)),
  'getcwd.buf': late((c, v) => (c.failed ? address(v) : c.path(v, c.result - 1))),
  ...Object.fromEntries(['setxattr', 'lsetxattr', 'fsetxattr'].map((name) => [`${name}.value`, xattrIn])),
  ...Object.fromEntries(['getxattr', 'lgetxattr', 'fgetxattr'].map((name) => [`${name}.value`, xattrOut])),
  ...Object.fromEntries(['listxattr', 'llistxattr', 'flistxattr'].map((name) => [`${name}.list`, xattrList])),
};
/** Arguments that are printed only sometimes: the condition. */
export const FILE_OPTIONAL: Record<string, (c: Call) => boolean> = {
  'open.mode': (c) => creates(c.arg('flags')),
  'openat.mode': (c) => creates(c.arg('flags')),
  'mq_open.mode': (c) => (Number(c.arg('oflag') & 0xffff_ffffn) & O_CREAT) !== 0,
  'mq_open.attr': (c) => (Number(c.arg('oflag') & 0xffff_ffffn) & O_CREAT) !== 0,
  'mknod.dev': (c) => isDevice(c),
  'mknodat.dev': (c) => isDevice(c),
};
function isDevice(c: Call): boolean {
  const type = Number(c.arg('mode') & 0xffffn) & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
}
FILE_ARGS['mknod_dev'] = early((c, v) => device(c, BigInt(toUint(v))));
FILE_ARGS['open_mode'] = early((_c, v) => octal(toUint(v) & 0xffff));

export const FILE_CALLS: Record<string, CallPrinter> = { sendfile, name_to_handle_at: nameToHandle };
