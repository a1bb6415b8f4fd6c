import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchiveEntry, FileContent } from '../../fs/archive/types.js';

/** Runs a shell script in `cwd`; fails the test with its stderr if it fails. */
export function shell(cwd: string, script: string): string {
  const result = spawnSync('bash', ['-ec', script], {
    cwd,
    encoding: 'latin1',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  if (result.status !== 0) throw new Error(`shell failed: ${result.stderr}`);
  return result.stdout;
}

export function scratch(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'levitate-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function contentOf(entry: ArchiveEntry): string {
  return readAll(entry.data!).toString('latin1');
}

export function readAll(data: FileContent): Buffer {
  const bytes = Buffer.alloc(data.size);
  let done = 0;
  while (done < bytes.length) {
    const count = data.read(bytes, done, done, Math.min(777, bytes.length - done));
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** One line per entry, for comparisons that show what differs. */
export function describeEntries(entries: readonly ArchiveEntry[], times = true): string[] {
  return entries.map((entry) => {
    const parts = [entry.type, entry.mode.toString(8), `${entry.uid}:${entry.gid}`, String(entry.size), entry.path];
    if (entry.link !== undefined) parts.push(`-> ${entry.link}`);
    if (entry.rdevMajor !== undefined) parts.push(`${entry.rdevMajor},${entry.rdevMinor}`);
    if (times) parts.push(`${entry.mtimeSec}.${entry.mtimeNsec}`);
    return parts.join(' ');
  });
}

export interface CpioEntry {
  name: string;
  mode: number;
  data?: string;
  ino?: number;
  nlink?: number;
  size?: number;
  rdev?: [number, number];
  magic?: string;
  namesize?: number;
}

/** A cpio archive in bytes, with whatever lies the test wants. */
export function cpio(entries: CpioEntry[], trailer = true): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const push = (bytes: Buffer): void => {
    parts.push(bytes);
    length += bytes.length;
    const pad = (4 - (length % 4)) % 4;
    parts.push(Buffer.alloc(pad));
    length += pad;
  };
  const all = trailer ? [...entries, { name: 'TRAILER!!!', mode: 0 }] : entries;
  for (const [index, entry] of all.entries()) {
    const data = entry.data ?? '';
    const fields = [entry.ino ?? index + 1, entry.mode, 0, 0, entry.nlink ?? 1, 1000, entry.size ?? data.length];
    fields.push(8, 1, entry.rdev?.[0] ?? 0, entry.rdev?.[1] ?? 0, entry.namesize ?? entry.name.length + 1, 0);
    const header = (entry.magic ?? '070701') + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
    push(Buffer.from(`${header}${entry.name}\0`, 'latin1'));
    if (data !== '') push(Buffer.from(data, 'latin1'));
  }
  return Buffer.concat(parts);
}

export interface TarEntry {
  name: string;
  type?: string;
  data?: string | Buffer;
  link?: string;
  mode?: number;
  size?: number;
  rawSize?: Buffer;
  dev?: [number, number];
  patch?: (header: Buffer) => void;
}

/** A ustar archive in bytes, checksums right, contents as the test says. */
export function tar(entries: TarEntry[], end = true): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const data = Buffer.isBuffer(entry.data) ? entry.data : Buffer.from(entry.data ?? '', 'latin1');
    const header = Buffer.alloc(512);
    header.write(entry.name, 0, 100, 'latin1');
    const octal = (value: number, at: number, length: number): void => {
      header.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
    };
    octal(entry.mode ?? 0o644, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(entry.size ?? data.length, 124, 12);
    entry.rawSize?.copy(header, 124);
    octal(1000, 136, 12);
    header.write(entry.type ?? '0', 156, 1, 'latin1');
    header.write(entry.link ?? '', 157, 100, 'latin1');
    header.write('ustar\x0000', 257, 8, 'latin1');
    octal(entry.dev?.[0] ?? 0, 329, 8);
    octal(entry.dev?.[1] ?? 0, 337, 8);
    entry.patch?.(header);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
    parts.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  if (end) parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

export function pax(records: Record<string, string>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return `${length}${rest}`;
    })
    .join('');
}
