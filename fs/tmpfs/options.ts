/** Mount options of tmpfs: size=, nr_blocks=, nr_inodes=, mode=, uid=, gid= (tmpfs(5)); huge= and the like do nothing. */
import { EINVAL, errno } from '../../src/abi/errno.js';

export interface TmpfsOptions {
  /** Bytes; 0: no limit. */
  size?: number;
  inodes?: number;
  mode?: number;
  uid?: number;
  gid?: number;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
  e: 2 ** 60,
};
const IGNORED = new Set(['huge', 'mpol', 'inode32', 'inode64', 'noswap', 'defaults', 'quota', 'usrquota', 'grpquota']);

/** memparse(): a C number and a unit. */
function parseSize(text: string): number {
  const match = /^(0x[0-9a-f]+|\d+)([kmgtpe]?)$/i.exec(text);
  if (match === null) throw errno(EINVAL);
  return Number(match[1]) * UNITS[match[2].toLowerCase()];
}
function parseNumber(text: string, base: number): number {
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text)) throw errno(EINVAL);
  return parseInt(text, base);
}

export function parseOptions(data: string, memoryBytes: number, pageSize: number): TmpfsOptions {
  const options: TmpfsOptions = {};
  for (const part of data.split(',')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : part.slice(equals + 1);
    if (key === 'size')
      options.size = value.endsWith('%')
        ? Math.floor((memoryBytes * parseNumber(value.slice(0, -1), 10)) / 100)
        : parseSize(value);
    else if (key === 'nr_blocks') options.size = parseSize(value) * pageSize;
    else if (key === 'nr_inodes') options.inodes = parseSize(value);
    else if (key === 'mode') options.mode = parseNumber(value, 8) & 0o7777;
    else if (key === 'uid') options.uid = parseNumber(value, 10);
    else if (key === 'gid') options.gid = parseNumber(value, 10);
    else if (!IGNORED.has(key)) throw errno(EINVAL);
  }
  return options;
}

/** What /proc/mounts shows: only what was asked for. */
export function formatOptions(given: TmpfsOptions, sizeKib: number, inodes: number): string {
  const parts: string[] = [];
  if (given.size !== undefined) parts.push(`size=${sizeKib}k`);
  if (given.inodes !== undefined) parts.push(`nr_inodes=${inodes}`);
  if (given.mode !== undefined && given.mode !== 0o1777) parts.push(`mode=${given.mode.toString(8).padStart(3, '0')}`);
  if (given.uid !== undefined && given.uid !== 0) parts.push(`uid=${given.uid}`);
  if (given.gid !== undefined && given.gid !== 0) parts.push(`gid=${given.gid}`);
  return parts.join(',');
}
