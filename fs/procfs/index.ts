/**
 * procfs: the filesystem type and the root directory: fixed entries, then one directory per process (fs/proc/root.c).
 *
 * Linux oddities: the directory of a thread that is no leader can be looked up but is not listed; self and thread-self lead
 * to the reader; mounting proc again shows the same instance.
 */
import { DT_DIR } from '../../src/abi/flags/file.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { Inode } from '../inode.js';
import type { FilesystemType } from '../vfs.js';
import {
  LinkInode,
  PROC_DYNAMIC_FIRST,
  ProcDirectory,
  ProcSuperBlock,
  TableDirectory,
  TextInode,
  emitTable,
  type Emit,
  type Entry,
} from './nodes.js';
import { cpuinfoText } from './cpuinfo.js';
import { processDirectory, processIno } from './process.js';
import { sysDirectory } from './sysctl.js';
import * as system from './system-files.js';

export { addNetFile } from './net-files.js';

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    procfs?: ProcSuperBlock;
    /** Contents of further files by path, one directory deep: 'sysvipc/shm', 'tty/drivers'. */
    procFiles?: Map<string, () => string>;
  }
}

/** Adds a text file that a higher layer knows the content of: 'sysvipc/shm', 'tty/drivers'. */
export function addProcFile(kernel: KernelState, path: string, read: () => string): void {
  (kernel.procFiles ??= new Map<string, () => string>()).set(path, read);
}

const text = (name: string, read: (kernel: KernelState) => string, splices = true): Entry<ProcSuperBlock> => ({
  name,
  mode: S_IFREG | 0o444,
  make: (sb, ino) => new TextInode(sb, ino, 0o444, { read: () => read(sb.kernel), splices }),
});
const link = (name: string, readlink: (reader: Task) => string): Entry<ProcSuperBlock> => ({
  name,
  mode: S_IFLNK | 0o777,
  make: (sb, ino) => new LinkInode(sb, ino, { readlink }),
});

/** A directory of files that others add; empty without them. */
function added(name: string): Entry<ProcSuperBlock> {
  return {
    name,
    mode: S_IFDIR | 0o555,
    make: (sb, ino) => {
      const files = [...(sb.kernel.procFiles ?? [])].filter(([path]) => path.startsWith(`${name}/`));
      const table = files.map(([path, read]) => text(path.slice(name.length + 1), read, name !== 'sysvipc'));
      return new TableDirectory(sb, ino, table, sb);
    },
  };
}

const ROOT: readonly Entry<ProcSuperBlock>[] = [
  text('cmdline', system.cmdlineText),
  text('consoles', () => 'console              -W- (EC   )    5:1\n'),
  text('cpuinfo', cpuinfoText),
  text('devices', system.devicesText),
  text('diskstats', () => ''),
  text('filesystems', system.filesystemsText),
  text('interrupts', system.interruptsText),
  text('loadavg', system.loadavgText),
  text('locks', system.locksText),
  text('meminfo', system.meminfoText),
  text('misc', system.miscText),
  text('modules', () => ''),
  link('mounts', () => 'self/mounts'),
  link('net', () => 'self/net'),
  text('partitions', system.partitionsText),
  text('stat', system.statText),
  text('swaps', system.swapsText, false),
  { name: 'sys', mode: S_IFDIR | 0o555, make: sysDirectory },
  added('sysvipc'),
  added('tty'),
  text('uptime', system.uptimeText),
  text('version', system.versionText),
  text('vmstat', system.vmstatText),
  link('self', (reader) => String(reader.tgid)),
  link('thread-self', (reader) => `${reader.tgid}/task/${reader.tid}`),
];

/** Readdir positions of processes: this plus the pid (FIRST_PROCESS_ENTRY). */
const FIRST_PROCESS = 256;
const isPid = /^[1-9][0-9]{0,9}$/;

class ProcRoot extends ProcDirectory {
  constructor(sb: ProcSuperBlock) {
    super(sb, 1);
    this.nlink = 3;
  }
  lookup(name: string): Inode | null {
    if (isPid.test(name)) {
      const task = this.kernel.pids.tasks.get(Number(name));
      return task === undefined ? null : processDirectory(this.sb, task);
    }
    const index = ROOT.findIndex((entry) => entry.name === name);
    return index < 0 ? null : ROOT[index].make(this.sb, PROC_DYNAMIC_FIRST + index);
  }
  iterate(cookie: number, _reader: Task, emit: Emit): void {
    if (cookie < FIRST_PROCESS && !emitTable(ROOT, cookie, (index) => PROC_DYNAMIC_FIRST + index, emit)) return;
    const pids = [...this.kernel.pids.groups.keys()].sort((a, b) => a - b);
    for (const pid of pids) {
      const next = FIRST_PROCESS + pid + 1;
      if (next > cookie && !emit(String(pid), processIno(pid), DT_DIR, next)) return;
    }
  }
}

export const procfsType: FilesystemType = {
  name: 'proc',
  get(kernel) {
    if (kernel.procfs === undefined) {
      kernel.procfs = new ProcSuperBlock(kernel);
      kernel.procfs.root = new ProcRoot(kernel.procfs);
    }
    return kernel.procfs;
  },
};
