/**
 * devpts: the filesystem of pty slaves, /dev/pts (fs/devpts/inode.c). A node appears when a master is opened and goes when it
 * is closed; besides them there is `ptmx`.
 *
 * Deviation: there is one instance per kernel, shown by every mount, as before Linux 4.7 without `newinstance`; options of a
 * later mount apply to nodes made from then on.
 */
import { EINVAL, ENOSPC, ENXIO, errno } from '../abi/errno.js';
import { DT_CHR } from '../abi/flags/file.js';
import { S_IFCHR, S_IFDIR } from '../abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { DirectoryFile } from '../../fs/directory-file.js';
import type { OpenFile } from '../../fs/file.js';
import { Inode } from '../../fs/inode.js';
import { SuperBlock, type StatFs, simpleStatFs } from '../../fs/superblock.js';
import type { FilesystemType } from '../../fs/vfs.js';
import type { Task } from '../../sched/task.js';
import { PtyMaster, type PtySlave } from './pty.js';

const DEVPTS_SUPER_MAGIC = 0x1cd1;
const TTYAUX_MAJOR = 5;
const PTMX_MINOR = 2;
const ROOT_INO = 1;
const PTMX_INO = 2;
/** Inode numbers and directory cookies of pts/N start here. */
const FIRST_INO = 3;
/** /proc/sys/kernel/pty/max; a devpts `max=` lowers it. */
const PTY_MAX = 4096;

class PtsNode extends Inode {
  constructor(sb: SuperBlock, ino: number, mode: number, uid: number, gid: number, major: number, minor: number) {
    super(sb, ino, S_IFCHR | mode, uid, gid);
    this.rdevMajor = major;
    this.rdevMinor = minor;
    this.touch(true, true);
  }
  get size(): number {
    return 0;
  }
  open(): OpenFile {
    // The VFS asks the driver of the device number.
    throw errno(ENXIO);
  }
}

class PtsDirectory extends Inode {
  private readonly pts: Devpts;

  constructor(pts: Devpts) {
    super(pts, ROOT_INO, S_IFDIR | 0o755, 0, 0);
    this.pts = pts;
    this.nlink = 2;
    this.touch(true, true);
  }
  get size(): number {
    return 0;
  }
  open(_task: Task, flags: number): OpenFile {
    return new DirectoryFile(this, null, flags);
  }
  override lookup(name: string): Inode | null {
    if (name === 'ptmx') return this.pts.ptmx;
    return /^(0|[1-9]\d*)$/.test(name) ? (this.pts.nodes.get(Number(name)) ?? null) : null;
  }
  override iterate(
    cookie: number,
    _task: Task,
    emit: (name: string, ino: number, type: number, next: number) => boolean,
  ): void {
    if (cookie <= PTMX_INO && !emit('ptmx', PTMX_INO, DT_CHR, FIRST_INO)) return;
    for (const index of [...this.pts.nodes.keys()].sort((a, b) => a - b)) {
      const at = index + FIRST_INO;
      if (at >= cookie && !emit(`${index}`, at, DT_CHR, at + 1)) return;
    }
  }
}

const BLOCK_SIZE = 1024;

export class Devpts extends SuperBlock {
  readonly fsType = 'devpts';
  override readonly volatile = true;
  readonly ptmx: Inode;
  readonly nodes = new Map<number, Inode>();
  private readonly slaves = new Map<number, PtySlave>();
  private readonly kernel: KernelState;
  private uid: number | null = null;
  private gid: number | null = null;
  private mode = 0o600;
  private max = PTY_MAX;

  constructor(kernel: KernelState) {
    super(kernel.vfs.allocateMinor(), kernel.clock, BLOCK_SIZE);
    this.kernel = kernel;
    this.root = new PtsDirectory(this);
    this.ptmx = new PtsNode(this, PTMX_INO, 0, 0, 0, TTYAUX_MAJOR, PTMX_MINOR);
    this.describe();
  }

  /** A new pair; ENOSPC when there are too many. */
  createPair(task: Task): PtyMaster {
    let index = 0;
    while (this.slaves.has(index)) index++;
    if (index >= this.max) throw errno(ENOSPC);
    const master = new PtyMaster(this.kernel, index);
    const { fsuid, fsgid } = task.creds;
    const { major, minor } = master.link;
    const node = new PtsNode(this, index + FIRST_INO, this.mode, this.uid ?? fsuid, this.gid ?? fsgid, major, minor);
    this.slaves.set(index, master.link);
    this.nodes.set(index, node);
    master.onClose = () => {
      this.slaves.delete(index);
      this.nodes.delete(index);
      node.nlink = 0;
    };
    return master;
  }
  slave(index: number): PtySlave | null {
    return this.slaves.get(index) ?? null;
  }

  statfs(): StatFs {
    return simpleStatFs(DEVPTS_SUPER_MAGIC, this.kernel.pageSize);
  }

  /** Options: uid=, gid=, mode=, ptmxmode=, max=; newinstance does nothing (as since Linux 4.7). */
  override remount(data: string): void {
    for (const option of data.split(',')) {
      if (option === '' || option === 'newinstance') continue;
      const match = /^(uid|gid|mode|ptmxmode|max)=(\d+)$/.exec(option);
      if (match === null) throw errno(EINVAL);
      const octal = match[1] === 'mode' || match[1] === 'ptmxmode';
      if (octal && !/^[0-7]+$/.test(match[2])) throw errno(EINVAL);
      const value = parseInt(match[2], octal ? 8 : 10);
      if (match[1] === 'uid') this.uid = value;
      else if (match[1] === 'gid') this.gid = value;
      else if (match[1] === 'mode') this.mode = value & 0o777;
      else if (match[1] === 'ptmxmode') this.ptmx.mode = S_IFCHR | (value & 0o777);
      else if (value > PTY_MAX) throw errno(EINVAL);
      else this.max = value;
    }
    this.describe();
  }
  private describe(): void {
    const parts: string[] = [];
    if (this.uid !== null) parts.push(`uid=${this.uid}`);
    if (this.gid !== null) parts.push(`gid=${this.gid}`);
    parts.push(`mode=${this.mode.toString(8).padStart(3, '0')}`);
    parts.push(`ptmxmode=${(this.ptmx.mode & 0o777).toString(8).padStart(3, '0')}`);
    if (this.max < PTY_MAX) parts.push(`max=${this.max}`);
    this.options = parts.join(',');
  }
}

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    devpts?: Devpts;
  }
}

/** The kernel's devpts, made if need be. */
export function devpts(kernel: KernelState): Devpts {
  return (kernel.devpts ??= new Devpts(kernel));
}

export const devptsType: FilesystemType = {
  name: 'devpts',
  get(kernel, { data }) {
    const sb = devpts(kernel);
    sb.remount(data);
    return sb;
  },
};
