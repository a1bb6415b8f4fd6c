/**
 * A root filesystem on the host's disk, for the native half of levitate-diff: a copy of what levitate gets as a tmpfs, in a scratch
 * folder, with the mounts that make it look the same from inside. On a host tmpfs where there is one, since sizes of directories
 * and the like are the filesystem's.
 *
 * Invariant: everything made is below the scratch folder, which `remove` takes away.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ArchiveEntry, FileContent } from '../../fs/archive/types.js';
import { openArchive } from '../../fs/archive/open.js';
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../abi/flags/mount.js';
import type { HostMount } from '../platform/native.js';

const TMPFS_MAGIC = 0x01021994;
const PIECE = 1 << 20;
/** Host devices that are the same everywhere. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
/** Which a program has no business with on the host: there, /dev/null. */
const PRETENDED = ['console', 'kmsg'];
const LINKS = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
] as const;

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export class ScratchRoot {
  /** Host path of the root directory. */
  readonly folder: string;
  private readonly scratch: string;

  private constructor(scratch: string) {
    this.scratch = scratch;
    this.folder = join(scratch, 'root');
  }

  static async make(root: string): Promise<ScratchRoot> {
    const made = new ScratchRoot(mkdtempSync(join(scratchPlace(), 'levitate-diff-')));
    try {
      const archive = await openArchive(root);
      try {
        unpack(archive.entries, made.folder);
      } finally {
        archive.close();
      }
      made.makeDevices();
      return made;
    } catch (error) {
      made.remove();
      throw error;
    }
  }

  /** What System mounts, as the host can do it. */
  mounts(): HostMount[] {
    const { folder } = this;
    const mount = (source: string, target: string, type: string, flags: number, data = '', optional = true) => ({
      source: bytes(source),
      target: bytes(target),
      type,
      flags,
      data,
      optional,
    });
    const dev = join(folder, 'dev');
    const quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return [
      mount(folder, folder, '', MS_BIND, '', false),
      mount(join(this.scratch, 'dev'), dev, '', MS_BIND, '', false),
      ...DEVICES.map((name) => mount(`/dev/${name}`, join(dev, name), '', MS_BIND)),
      ...PRETENDED.map((name) => mount('/dev/null', join(dev, name), '', MS_BIND)),
      mount('devpts', join(dev, 'pts'), 'devpts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=620'),
      mount(join(dev, 'pts/ptmx'), join(dev, 'ptmx'), '', MS_BIND),
      mount('tmpfs', join(dev, 'shm'), 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=1777'),
      mount('proc', join(folder, 'proc'), 'proc', quiet),
      mount('sysfs', join(folder, 'sys'), 'sysfs', quiet | MS_RDONLY),
    ];
  }

  remove(): void {
    try {
      rmSync(this.scratch, { recursive: true, force: true });
    } catch {
      // The program has made something immutable.
      spawnSync('chattr', ['-R', '-ia', this.scratch], { stdio: 'ignore' });
      rmSync(this.scratch, { recursive: true, force: true });
    }
  }

  /** Mounted over the root's own /dev, as devtmpfs is. */
  private makeDevices(): void {
    const dev = join(this.scratch, 'dev');
    mkdirSync(dev);
    chmodSync(dev, 0o755);
    // In devtmpfs's order, which is that of reading the folder.
    for (const name of ['mqueue', 'pts', 'shm']) mkdirSync(join(dev, name));
    for (const name of ['mqueue', 'shm']) chmodSync(join(dev, name), 0o1777);
    for (const name of [...DEVICES, ...PRETENDED, 'ptmx'].sort()) writeFileSync(join(dev, name), '');
    for (const [name, target] of LINKS) symlinkSync(target, join(dev, name));
    for (const name of ['dev', 'proc', 'sys']) mkdirSync(join(this.folder, name), { recursive: true });
  }
}

/** A tmpfs on which programs can be executed, or the usual place. */
function scratchPlace(): string {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'latin1').split('\n');
    const options = mounts.find((line) => line.split(' ')[1] === '/dev/shm')?.split(' ')[3] ?? 'noexec';
    if (statfsSync('/dev/shm').type === TMPFS_MAGIC && !options.split(',').includes('noexec')) return '/dev/shm';
  } catch {
    // No such host.
  }
  return tmpdir();
}

function unpack(entries: readonly ArchiveEntry[], folder: string): void {
  const root = process.geteuid?.() === 0;
  const place = (path: string): Buffer => Buffer.from(bytes(folder) + (path === '' ? '' : `/${path}`), 'latin1');
  mkdirSync(folder);
  for (const entry of entries) {
    const at = place(entry.path);
    if (entry.path !== '')
      mkdirSync(dirname(at.toString('latin1')) === '.' ? folder : parentOf(at), { recursive: true });
    if (entry.type === 'hardlink') {
      linkSync(place(entry.link ?? ''), at);
      continue;
    }
    make(entry, at);
    if (root) lchownSync(at, entry.uid, entry.gid);
    if (entry.type !== 'symlink') chmodSync(at, entry.mode);
  }
  // Last, and children before parents: making them changes the times of their folders.
  for (const entry of [...entries].reverse()) {
    if (entry.type === 'hardlink') continue;
    const time = entry.mtimeSec + entry.mtimeNsec / 1e9;
    lutimesSync(place(entry.path), time, time);
  }
}
const parentOf = (path: Buffer): Buffer => path.subarray(0, path.lastIndexOf(0x2f));

function make(entry: ArchiveEntry, at: Buffer): void {
  switch (entry.type) {
    case 'dir':
      mkdirSync(at, { recursive: true });
      break;
    case 'symlink':
      symlinkSync(Buffer.from(entry.link ?? '', 'latin1'), at);
      break;
    case 'file': {
      const fd = openSync(at, 'w');
      ftruncateSync(fd, entry.size);
      if (entry.data !== undefined) fill(fd, entry.data);
      closeSync(fd);
      break;
    }
    default: {
      // Node makes no special files. Without the right to, it is left out as an empty file.
      const numbers = entry.type === 'fifo' ? [] : [String(entry.rdevMajor ?? 0), String(entry.rdevMinor ?? 0)];
      const letter = { fifo: 'p', char: 'c', block: 'b', hardlink: '' }[entry.type];
      const made = spawnSync('mknod', [at.toString(), letter, ...numbers], { stdio: 'ignore' });
      if (made.status !== 0) writeFileSync(at, '');
    }
  }
}

function fill(fd: number, data: FileContent): void {
  const piece = new Uint8Array(Math.min(PIECE, data.size));
  for (const { offset, length } of data.extents?.() ?? [{ offset: 0, length: data.size }]) {
    for (let at = offset; at < offset + length;) {
      const got = data.read(piece, 0, at, Math.min(piece.length, offset + length - at));
      if (got === 0) return;
      writeSync(fd, piece, 0, got, at);
      at += got;
    }
  }
}
