/**
 * Structs, by layout name, as strace abbreviates them. A layout without a printer of its own is printed field by field.
 */
import { FLAG_SETS } from '../../abi/flags/index.js';
import type { LayoutName } from '../../abi/layouts/index.js';
import { MOUNT_ATTR_IDMAP } from '../../abi/flags/mount.js';
import * as st from '../../abi/flags/stat.js';
import type { Call, StructView } from '../call.js';
import { RecentTexts } from '../recent-texts.js';
import { date, device, enumeration, flags, hex, id, lookup, octal, symbol } from '../text.js';

export type StructPrinter = (c: Call, s: StructView) => string;

/** `S_IFREG|0644`. */
export function fileMode(c: Call, mode: number): string {
  if (c.constants !== undefined) return symbol(c, octal(mode), modeNames(c, mode));
  return modes.find(MODES, c.arch, mode) ?? modes.keep(MODES, c.arch, mode, modeNames(c, mode));
}
const MODES = {};
const modes = new RecentTexts();
function modeNames(c: Call, mode: number): string {
  const type = mode & st.S_IFMT ? lookup(FLAG_SETS.modetypes, c, BigInt(mode & st.S_IFMT)) : '';
  if (type === undefined) return octal(mode >>> 0);
  const special = `${mode & st.S_ISUID ? 'S_ISUID|' : ''}${mode & st.S_ISGID ? 'S_ISGID|' : ''}${mode & st.S_ISVTX ? 'S_ISVTX|' : ''}`;
  return `${type}${type === '' ? '' : '|'}${special}${octal((mode & ~(st.S_IFMT | st.S_ISUID | st.S_ISGID | st.S_ISVTX)) >>> 0)}`;
}

const NS = 999_999_999;
export const timespec: StructPrinter = (_c, s) => `{${s.field('tv_sec')}, tv_nsec=${s.unsigned('tv_nsec')}}`;
export const timeval: StructPrinter = (_c, s) => `{${s.field('tv_sec')}, tv_usec=${s.unsigned('tv_usec')}}`;
export const dated = {
  timespec: (c: Call, s: StructView): string => timespec(c, s) + date(s.exact('tv_sec'), s.exact('tv_nsec'), NS, 9),
  timeval: (c: Call, s: StructView): string => timeval(c, s) + date(s.exact('tv_sec'), s.exact('tv_usec'), 999_999, 6),
};

/** clock_t fields: ticks, and seconds in a comment. */
export const ticks = (c: Call, s: StructView, names: readonly string[]): string =>
  names
    .map((name) => {
      const v = BigInt.asUintN(64, s.big(name));
      const bare = `${name}=${v}`;
      return v > 0n && c.constants !== 'raw'
        ? `${bare} /* ${v / 100n}.${String(v % 100n).padStart(2, '0')} s */`
        : bare;
    })
    .join(', ');

const all = (s: StructView, names: readonly string[]): string => names.map((name) => s.field(name)).join(', ');
const allUnsigned = (s: StructView, names: readonly string[]): string => {
  let text = '';
  for (const name of names) text += `${text === '' ? '' : ', '}${name}=${s.unsigned(name)}`;
  return text;
};

function stat(c: Call, s: StructView): string {
  const mode = s.num('st_mode');
  const type = mode & st.S_IFMT;
  const size =
    type === st.S_IFCHR || type === st.S_IFBLK
      ? `st_rdev=${device(c, s.big('st_rdev'))}`
      : `st_size=${s.unsigned('st_size')}`;
  if (!c.style.verbose) return `{st_mode=${fileMode(c, mode)}, ${size}, ...}`;
  const head = `st_dev=${device(c, s.big('st_dev'))}, ${s.field('st_ino')}, st_mode=${fileMode(c, mode)}`;
  let times = '';
  for (const [name, part] of STAT_TIMES) {
    const whole = s.exact(name);
    const sec = typeof whole === 'number' ? whole : BigInt.asIntN(64, whole);
    const nsec = s.exact(part);
    times += `, ${name}=${sec}${date(sec, nsec, NS, 9)}, ${part}=${nsec}`;
  }
  return `{${head}, ${allUnsigned(s, STAT_COUNTS)}, ${size}${times}}`;
}
const STAT_COUNTS = ['st_nlink', 'st_uid', 'st_gid', 'st_blksize', 'st_blocks'];
const STAT_TIMES = ['st_atime', 'st_mtime', 'st_ctime'].map((name) => [name, `${name}_nsec`] as const);
/** Fields of statx with the mask bits of which any shows them (0: always); those strace prints without -v are marked. */
type StatxField = readonly [name: string, mask: number, brief?: true];
const STATX_FIELDS: readonly StatxField[] = [
  ['stx_mask', 0, true],
  ['stx_blksize', 0],
  ['stx_attributes', 0, true],
  ['stx_nlink', st.STATX_NLINK],
  ['stx_uid', st.STATX_UID],
  ['stx_gid', st.STATX_GID],
  ['stx_mode', st.STATX_TYPE | st.STATX_MODE, true],
  ['stx_ino', st.STATX_INO],
  ['stx_size', st.STATX_SIZE, true],
  ['stx_blocks', st.STATX_BLOCKS],
  ['stx_attributes_mask', 0],
  ['stx_atime', st.STATX_ATIME],
  ['stx_btime', st.STATX_BTIME],
  ['stx_ctime', st.STATX_CTIME],
  ['stx_mtime', st.STATX_MTIME],
  ['stx_rdev_major', 0],
  ['stx_rdev_minor', 0],
  ['stx_dev_major', 0],
  ['stx_dev_minor', 0],
  ['stx_mnt_id', st.STATX_MNT_ID],
  ['stx_dio_mem_align', st.STATX_DIOALIGN],
  ['stx_dio_offset_align', st.STATX_DIOALIGN],
];
function statxField(c: Call, s: StructView, name: string): string {
  switch (name) {
    case 'stx_mask':
      return flags(FLAG_SETS.statx_masks, c, s.big(name));
    case 'stx_attributes':
    case 'stx_attributes_mask':
      return flags(FLAG_SETS.statx_attrs, c, s.big(name));
    case 'stx_mode':
      return fileMode(c, s.num(name));
    case 'stx_uid':
    case 'stx_gid':
      return id(s.num(name));
    case 'stx_mnt_id':
      return hex(s.big(name));
    case 'stx_atime':
    case 'stx_btime':
    case 'stx_ctime':
    case 'stx_mtime':
      return dated.timespec(c, s.sub(name));
    default:
      return String(s.big(name));
  }
}
function statx(c: Call, s: StructView): string {
  const mask = s.num('stx_mask');
  const parts: string[] = [];
  for (const [name, bits, brief] of STATX_FIELDS) {
    if ((c.style.verbose || brief) && (bits === 0 || mask & bits)) parts.push(`${name}=${statxField(c, s, name)}`);
  }
  if (!c.style.verbose) parts.push('...');
  return `{${parts.join(', ')}}`;
}
const ST_VALID = 0x20n;
function statfs(c: Call, s: StructView): string {
  const type = enumeration(FLAG_SETS.fsmagic, c, s.big('f_type'), '');
  const counts = allUnsigned(s, ['f_bsize', 'f_blocks', 'f_bfree', 'f_bavail', 'f_files', 'f_ffree']);
  const fsid = `{val=[${hex(BigInt.asUintN(32, s.big('f_fsid', 0)))}, ${hex(BigInt.asUintN(32, s.big('f_fsid', 1)))}]}`;
  const bits = BigInt.asUintN(64, s.big('f_flags'));
  const shown = bits & ST_VALID ? `, f_flags=${flags(FLAG_SETS.statfs_flags, c, bits)}` : '';
  return `{f_type=${type}, ${counts}, f_fsid=${fsid}, ${allUnsigned(s, ['f_namelen', 'f_frsize'])}${shown}}`;
}
const RLIM_INFINITY = (1n << 64n) - 1n;
function limit(c: Call, v: bigint): string {
  if (v === RLIM_INFINITY) return symbol(c, String(v), 'RLIM64_INFINITY');
  return v > 1024n && v % 1024n === 0n ? symbol(c, String(v), `${v / 1024n}*1024`) : String(v);
}
/** A char array that holds a string. */
function text(c: Call, s: StructView, name: string): string {
  const bytes = s.raw(name);
  const end = bytes.indexOf(0);
  const length = end < 0 ? bytes.length - 1 : end;
  return `${name}=${c.quote(bytes, length)}${end < 0 ? '...' : ''}`;
}
const TIMEX_TAIL = ['tick', 'ppsfreq', 'jitter', 'shift', 'stabil', 'jitcnt', 'calcnt', 'errcnt', 'stbcnt', 'tai'];
function timex(c: Call, s: StructView): string {
  const modes = flags(FLAG_SETS.adjtimex_modes, c, s.big('modes'));
  const status = flags(FLAG_SETS.adjtimex_status, c, BigInt.asUintN(32, s.big('status')));
  const head = all(s, ['offset', 'freq', 'maxerror', 'esterror']);
  const middle = all(s, ['constant', 'precision', 'tolerance']);
  return `{modes=${modes}, ${head}, status=${status}, ${middle}, time=${timeval(c, s.sub('time'))}, ${all(s, TIMEX_TAIL)}}`;
}
function mountAttr(c: Call, s: StructView): string {
  const set = FLAG_SETS.mount_attr_attr;
  const propagation = enumeration(FLAG_SETS.mount_attr_propagation, c, s.big('propagation'));
  const attrs = `attr_set=${flags(set, c, s.big('attr_set'))}, attr_clr=${flags(set, c, s.big('attr_clr'))}`;
  const user = s.big('userns_fd');
  const mapped = ((s.big('attr_set') | s.big('attr_clr')) & BigInt(MOUNT_ATTR_IDMAP)) !== 0n;
  return `{${attrs}, propagation=${propagation}, userns_fd=${mapped && user <= 0x7fff_ffffn ? c.fd(user) : user}}`;
}
const sysinfo: StructPrinter = (_c, s) => {
  const loads = [0, 1, 2].map((i) => s.big('loads', i)).join(', ');
  const names = [
    'totalram',
    'freeram',
    'sharedram',
    'bufferram',
    'totalswap',
    'freeswap',
    'procs',
    'totalhigh',
    'freehigh',
    'mem_unit',
  ];
  return `{uptime=${s.unsigned('uptime')}, loads=[${loads}], ${all(s, names)}}`;
};
/** Whole as -v shows it: the times, then every count. */
function rusage(c: Call, s: StructView): string {
  const times = `ru_utime=${timeval(c, s.sub('ru_utime'))}, ru_stime=${timeval(c, s.sub('ru_stime'))}`;
  if (!c.style.verbose) return `{${times}, ...}`;
  return `{${times}, ${allUnsigned(s, Object.keys(s.layout.fields).slice(2))}}`;
}
const pair =
  (inner: StructPrinter): StructPrinter =>
  (c, s) =>
    `{it_interval=${inner(c, s.sub('it_interval'))}, it_value=${inner(c, s.sub('it_value'))}}`;

/** Any layout: integers in decimal, arrays and structs in brackets. */
function plain(c: Call, s: StructView): string {
  const parts: string[] = [];
  for (const [name, field] of Object.entries(s.layout.fields)) {
    if (name.startsWith('__') || field.count === 0) continue;
    if (typeof field.type !== 'string') parts.push(`${name}=${plain(c, s.sub(name))}`);
    else if (field.count === 1) parts.push(s.field(name));
    else parts.push(`${name}=${c.list(field.count, (i) => String(s.big(name, i)))}`);
  }
  return `{${parts.join(', ')}}`;
}

const PRINTERS: Partial<Record<LayoutName, StructPrinter>> = {
  stat,
  statx,
  statfs,
  timespec,
  timeval,
  itimerval: pair(timeval),
  itimerspec: pair(timespec),
  timex,
  timezone: (_c, s) => `{${all(s, ['tz_minuteswest', 'tz_dsttime'])}}`,
  rusage,
  rlimit: (c, s) => `{${['rlim_cur', 'rlim_max'].map((n) => s.field(n, (v) => limit(c, v))).join(', ')}}`,
  tms: (c, s) => `{${ticks(c, s, ['tms_utime', 'tms_stime', 'tms_cutime', 'tms_cstime'])}}`,
  utimbuf: (_c, s) => `{${['actime', 'modtime'].map((n) => s.field(n) + date(s.exact(n), 0, 0, 0)).join(', ')}}`,
  utsname: (c, s) => {
    if (!c.style.verbose) return `{${text(c, s, 'sysname')}, ${text(c, s, 'nodename')}, ...}`;
    return `{${Object.keys(s.layout.fields)
      .map((name) => text(c, s, name))
      .join(', ')}}`;
  },
  sysinfo,
  sched_param: (_c, s) => `[${s.big('sched_priority')}]`,
  mount_attr: mountAttr,
  winsize: (_c, s) => `{${all(s, ['ws_row', 'ws_col', 'ws_xpixel', 'ws_ypixel'])}}`,
  ipc64_perm: (_c, s) =>
    `{uid=${id(s.num('uid'))}, gid=${id(s.num('gid'))}, mode=${octal(s.num('mode'))}, key=${BigInt.asUintN(32, s.big('key'))}, cuid=${id(s.num('cuid'))}, cgid=${id(s.num('cgid'))}}`,
};

export function printStruct(c: Call, addr: bigint, layout: LayoutName, anyway = false): string {
  const print = PRINTERS[layout] ?? plain;
  return c.object(addr, layout, (s) => print(c, s), anyway);
}
export function structText(c: Call, layout: LayoutName, s: StructView): string {
  return (PRINTERS[layout] ?? plain)(c, s);
}
