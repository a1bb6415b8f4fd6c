/**
 * pax extended headers: records `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record in bytes (POSIX pax, "pax
 * Extended Header"). A local header holds for the next entry, a global one for all that follow; an empty value
 * takes the record back. Bytes are kept as they are: the hdrcharset record changes nothing for a byte-string kernel.
 */
import type { ByteString } from '../../src/abi/types.js';
import { ArchiveError, type RawEntry } from './types.js';

export type PaxRecords = [key: string, value: string][];

export class PaxState {
  readonly #global = new Map<string, string>();
  #local = new Map<string, string>();
  /** GNU.sparse 0.0 repeats its keys: the order of the records matters, so they are kept as a list too. */
  sparseList: PaxRecords = [];

  setLocal(records: PaxRecords): void {
    this.#local = new Map(records);
    this.sparseList = records.filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes');
  }

  setGlobal(records: PaxRecords): void {
    for (const [key, value] of records) {
      if (value === '') this.#global.delete(key);
      else this.#global.set(key, value);
    }
  }

  get(key: string): string | undefined {
    const local = this.#local.get(key);
    if (local !== undefined) return local === '' ? undefined : local;
    return this.#global.get(key);
  }

  /** The stored size, where the header's twelve digits did not do. */
  get size(): number | undefined {
    const value = this.get('size');
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  }

  *withPrefix(prefix: string): Iterable<[string, string]> {
    for (const [key, value] of this.#global)
      if (key.startsWith(prefix) && !this.#local.has(key)) yield [key.slice(prefix.length), value];
    for (const [key, value] of this.#local) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value];
  }

  endEntry(): void {
    this.#local = new Map();
    this.sparseList = [];
  }
}

export function parsePax(archive: string, offset: number, data: ByteString): PaxRecords {
  const records: PaxRecords = [];
  let at = 0;
  while (at < data.length) {
    if (data[at] === '\0') break; // padding of careless writers
    const space = data.indexOf(' ', at);
    const digits = space < 0 ? '' : data.slice(at, space);
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
    const record = data.slice(space + 1, at + length);
    const equals = record.indexOf('=');
    if (length <= digits.length + 1 || at + length > data.length || equals < 1 || !record.endsWith('\n')) {
      throw new ArchiveError(archive, offset, `malformed pax record ${records.length + 1}`);
    }
    records.push([record.slice(0, equals), record.slice(equals + 1, -1)]);
    at += length;
  }
  return records;
}

/** Puts what the extended headers say over what the fixed header said. */
export function applyPax(raw: RawEntry, state: PaxState): void {
  raw.path = state.get('GNU.sparse.name') ?? state.get('path') ?? raw.path;
  if (raw.link !== undefined) raw.link = state.get('linkpath') ?? raw.link;
  raw.uid = integer(state.get('uid')) ?? raw.uid;
  raw.gid = integer(state.get('gid')) ?? raw.gid;
  const time = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(state.get('mtime') ?? '');
  if (time) {
    const nanoseconds = Number((time[3] ?? '').slice(0, 9).padEnd(9, '0'));
    const negative = time[1] === '-';
    // -1.25 is two seconds before 0 plus 0.75: nanoseconds count upwards always.
    raw.mtimeSec = negative ? -Number(time[2]) - (nanoseconds > 0 ? 1 : 0) : Number(time[2]);
    raw.mtimeNsec = negative && nanoseconds > 0 ? 1_000_000_000 - nanoseconds : nanoseconds;
  }
  const major = integer(state.get('SCHILY.devmajor'));
  const minor = integer(state.get('SCHILY.devminor'));
  if (raw.rdevMajor !== undefined && major !== undefined) raw.rdevMajor = major;
  if (raw.rdevMinor !== undefined && minor !== undefined) raw.rdevMinor = minor;
  const xattrs = new Map<ByteString, Uint8Array>();
  for (const [key, value] of state.withPrefix('SCHILY.xattr.'))
    if (key !== '') xattrs.set(key, Buffer.from(value, 'latin1'));
  if (xattrs.size > 0) raw.xattrs = xattrs;
}

function integer(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}
