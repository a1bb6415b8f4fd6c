/**
 * A host directory as an archive. Names and metadata are read at once, contents on first use. Symbolic links are
 * entries and never followed; sockets and device nodes of the host are left out with a warning (a guest gets its own
 * /dev), so is what cannot be looked at, and what the host's kernel makes up (proc, sysfs and their kin) is left empty.
 * Owners stay as they are on the host. Files with several names become hard links.
 *
 * A file is opened when it is read (a few are kept open), with O_NOFOLLOW and O_NONBLOCK, and only regular files are
 * read: replacing one by a link or a FIFO after the listing leads nowhere.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  statfsSync,
  type BigIntStats,
} from 'node:fs';
import type { ByteString } from '../../src/abi/types.js';
import { TreeBuilder, printable } from './tree.js';
import type { Archive, FileContent, RawEntry } from './types.js';

const MAX_OPEN = 32;

/** f_type of file systems whose files say something about the host's kernel, not about a root (linux/magic.h). */
const KERNEL_FILESYSTEMS = new Map([
  [0x9fa0, 'proc'],
  [0x6265_6572, 'sysfs'],
  [0x1cd1, 'devpts'],
  [0x27_e0eb, 'cgroup'],
  [0x6367_7270, 'cgroup2'],
  [0x6462_6720, 'debugfs'],
  [0x7472_6163, 'tracefs'],
  [0x7363_6673, 'securityfs'],
  [0xcafe_4a11, 'bpf'],
  [0x1980_0202, 'mqueue'],
  [0x6265_6570, 'configfs'],
  [0x6165_676c, 'pstore'],
  [0xde5e_81e4, 'efivarfs'],
  [0x4249_4e4d, 'binfmt_misc'],
  [0xf97c_ff8c, 'selinuxfs'],
  [0x6573_5543, 'fusectl'],
]);

/** Open descriptors of one directory archive, least recently used first. */
class OpenFiles {
  readonly #fds = new Map<string, number>();

  get(path: string): number {
    let fd = this.#fds.get(path);
    if (fd !== undefined) this.#fds.delete(path);
    else {
      fd = openSync(
        Buffer.from(path, 'latin1'),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY,
      );
      if (!fstatSync(fd).isFile()) {
        closeSync(fd);
        throw new Error(`${printable(path)} is no longer a regular file`);
      }
    }
    this.#fds.set(path, fd);
    if (this.#fds.size > MAX_OPEN) {
      const [oldest, oldFd] = this.#fds.entries().next().value!;
      this.#fds.delete(oldest);
      closeSync(oldFd);
    }
    return fd;
  }

  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
  }
}

class HostFileContent implements FileContent {
  readonly size: number;
  readonly #path: ByteString;
  readonly #open: OpenFiles;

  constructor(path: ByteString, size: number, open: OpenFiles) {
    this.#path = path;
    this.size = size;
    this.#open = open;
  }

  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    const count = Math.min(length, this.size - offset, dst.length - dstOffset);
    if (count <= 0) return 0;
    const fd = this.#open.get(this.#path);
    let done = 0;
    while (done < count) {
      const got = readSync(fd, dst, dstOffset + done, count - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }
}

export function openDirectory(folder: string): Archive {
  const tree = new TreeBuilder(folder);
  const open = new OpenFiles();
  const base = Buffer.from(folder).toString('latin1');
  // The folder itself may be given through a link; below it, links are only entries.
  const { dev } = lstatSync(Buffer.from(`${base}/.`, 'latin1'), { bigint: true });
  const pending: { path: ByteString; dev: bigint }[] = [{ path: '', dev }];
  while (pending.length > 0) {
    const { path, dev: above } = pending.pop()!;
    const full = path === '' ? `${base}/.` : `${base}/${path}`;
    try {
      const stat = lstatSync(Buffer.from(full, 'latin1'), { bigint: true });
      const entry = toEntry(path, full, stat, open, tree);
      if (!entry) continue;
      tree.add(entry);
      if (entry.type !== 'dir') continue;
      if (stat.dev !== above && ofKernel(full, tree)) continue;
      const names = readNames(full, tree);
      for (let index = names.length - 1; index >= 0; index--)
        pending.push({ path: path === '' ? names[index] : `${path}/${names[index]}`, dev: stat.dev });
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (syscall === undefined) throw error;
      tree.warn(`${printable(full)} left out: ${code}`);
    }
  }
  return {
    format: 'directory',
    name: folder,
    entries: tree.finish(),
    warnings: tree.warnings,
    close: () => open.close(),
  };
}

function ofKernel(full: ByteString, tree: TreeBuilder): boolean {
  const name = KERNEL_FILESYSTEMS.get(statfsSync(Buffer.from(full, 'latin1')).type);
  if (name === undefined) return false;
  tree.warn(`${printable(full)} left empty: it is the host's own ${name}`);
  return true;
}

function readNames(full: ByteString, tree: TreeBuilder): ByteString[] {
  try {
    const names = readdirSync(Buffer.from(full, 'latin1'), { encoding: 'buffer' });
    return names.map((name) => name.toString('latin1')).sort();
  } catch (error) {
    tree.warn(`${printable(full)} left empty: ${(error as NodeJS.ErrnoException).code}`);
    return [];
  }
}

function toEntry(
  path: ByteString,
  full: ByteString,
  stat: BigIntStats,
  open: OpenFiles,
  tree: TreeBuilder,
): RawEntry | undefined {
  const nanoseconds = ((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const raw: RawEntry = {
    path,
    type: 'file',
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeSec: Number((stat.mtimeNs - nanoseconds) / 1_000_000_000n),
    mtimeNsec: Number(nanoseconds),
    size: 0,
    offset: 0,
  };
  if (stat.isDirectory()) raw.type = 'dir';
  else if (stat.isSymbolicLink()) {
    raw.type = 'symlink';
    raw.link = readlinkSync(Buffer.from(full, 'latin1'), { encoding: 'buffer' }).toString('latin1');
    raw.size = raw.link.length;
  } else if (stat.isFile()) {
    raw.size = Number(stat.size);
    raw.data = new HostFileContent(full, raw.size, open);
  } else if (stat.isFIFO()) raw.type = 'fifo';
  else {
    tree.warn(`${printable(full)} left out: a ${stat.isSocket() ? 'socket' : 'device node'} of the host`);
    return undefined;
  }
  if (stat.nlink > 1n && raw.type === 'file') raw.inode = `${stat.dev}:${stat.ino}`;
  return raw;
}
