/**
 * /proc/PID and /proc/PID/task/TID: the tables of their entries (fs/proc/base.c, tgid_base_stuff and tid_base_stuff).
 *
 * An inode is about one Task object: after the process has been reaped its files say ESRCH, also when the number is in use
 * again. Owner is the process's effective user, root for one that is not dumpable.
 */
import { EACCES, EINVAL, EPERM, ESRCH, errno } from '../../src/abi/errno.js';
import { DT_DIR } from '../../src/abi/flags/file.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/abi/flags/stat.js';
import type { Task } from '../../sched/task.js';
import type { OpenFile } from '../file.js';
import type { Inode } from '../inode.js';
import { mountinfoText, mountsText } from '../mount-table.js';
import { checkInspect } from './access.js';
import { netDirectory } from './net-files.js';
import {
  FIRST_COOKIE,
  LinkInode,
  ProcDirectory,
  ProcInode,
  TableDirectory,
  TextInode,
  emitTable,
  type Emit,
  type Entry,
  type LinkSource,
  type ProcSuperBlock,
  type TextSource,
} from './nodes.js';
import { FdDirectory, FdinfoDirectory, placeLink } from './process-files.js';
import {
  MemoryFile,
  auxvText,
  cmdlineText,
  environText,
  mapsText,
  smapsRollupText,
  smapsText,
} from './process-memory.js';
import { MapFilesDirectory, PagemapFile, clearRefs, numaMapsText } from './process-pages.js';
import {
  KSM_STAT,
  ioText,
  mountstatsText,
  oomAdj,
  parseInteger,
  setComm,
  setCoredumpFilter,
  setOomScoreAdj,
  syscallText,
  timersText,
} from './process-values.js';
import { limitsText, statText, statmText, statusText } from './process-status.js';

/** One process or thread as the tables see it. */
export interface Subject {
  readonly sb: ProcSuperBlock;
  readonly task: Task;
  /** The process (its sums), or one thread. */
  readonly whole: boolean;
}

const alive = ({ task }: Subject): boolean => task.kernel.pids.tasks.get(task.tid) === task;

function ownerOf({ task }: Subject): { uid: number; gid: number } {
  return task.group.dumpable ? { uid: task.creds.euid, gid: task.creds.egid } : { uid: 0, gid: 0 };
}

interface Behaviour {
  /** The reader needs ptrace rights: at open (EACCES). */
  guarded?: boolean;
  write?(task: Task, writer: Task, text: string): void;
  /** splice(2) and sendfile(2) can read it: few files of a process. */
  splices?: boolean;
}

function text(
  name: string,
  mode: number,
  read: (task: Task, reader: Task, whole: boolean) => string,
  more: Behaviour = {},
): Entry<Subject> {
  return {
    name,
    mode: S_IFREG | mode,
    make(subject, ino) {
      const { task, whole } = subject;
      const check = (): void => {
        if (!alive(subject)) throw errno(ESRCH);
      };
      const source: TextSource = {
        read: (reader) => {
          check();
          return read(task, reader, whole);
        },
        splices: more.splices === true,
      };
      if (more.write !== undefined)
        source.write = (writer, value) => {
          check();
          more.write!(task, writer, value);
        };
      if (more.guarded === true) source.check = (opener) => checkInspect(opener, task);
      const { uid, gid } = ownerOf(subject);
      return new TextInode(subject.sb, ino, mode, source, uid, gid);
    },
  };
}
function link(name: string, make: (task: Task) => LinkSource): Entry<Subject> {
  return {
    name,
    mode: S_IFLNK | 0o777,
    make: (subject, ino) => {
      const { uid, gid } = ownerOf(subject);
      return new LinkInode(subject.sb, ino, make(subject.task), 0o777, uid, gid);
    },
  };
}
const directory = (name: string, mode: number, make: (subject: Subject, ino: number) => Inode): Entry<Subject> => ({
  name,
  mode: S_IFDIR | mode,
  make,
});

/** A file that is no text: opened with ptrace rights. */
class BinaryInode extends ProcInode {
  private readonly task: Task;
  private readonly opened: typeof MemoryFile | typeof PagemapFile;

  constructor(subject: Subject, ino: number, mode: number, opened: typeof MemoryFile | typeof PagemapFile) {
    const { uid, gid } = ownerOf(subject);
    super(subject.sb, ino, S_IFREG | mode, uid, gid);
    this.task = subject.task;
    this.opened = opened;
  }
  open(opener: Task, flags: number): OpenFile {
    checkInspect(opener, this.task);
    return new this.opened(this, flags, this.task);
  }
}
const binary = (name: string, mode: number, opened: typeof MemoryFile | typeof PagemapFile): Entry<Subject> => ({
  name,
  mode: S_IFREG | mode,
  make: (subject, ino) => new BinaryInode(subject, ino, mode, opened),
});

// --- namespaces: links only, with Linux's numbers of the initial ones
const NAMESPACES: readonly (readonly [name: string, kind: string, number: number])[] = [
  ['cgroup', 'cgroup', 4026531835],
  ['ipc', 'ipc', 4026531839],
  ['mnt', 'mnt', 4026531841],
  ['net', 'net', 4026531840],
  ['pid', 'pid', 4026531836],
  ['pid_for_children', 'pid', 4026531836],
  ['time', 'time', 4026531834],
  ['time_for_children', 'time', 4026531834],
  ['user', 'user', 4026531837],
  ['uts', 'uts', 4026531838],
];
const NS_TABLE = NAMESPACES.map(([name, kind, number]) =>
  link(name, (task) => ({
    readlink: (reader) => {
      checkInspect(reader, task);
      return `${kind}:[${number}]`;
    },
  })),
);

// --- security modules: there is none, so nothing can be read or set
const noModule = (): never => {
  throw errno(EINVAL);
};
const ATTR_TABLE = ['current', 'prev', 'exec', 'fscreate', 'keycreate', 'sockcreate'].map((name) =>
  text(name, name === 'prev' ? 0o444 : 0o666, noModule, name === 'prev' ? {} : { write: noModule }),
);

const live = (read: (task: Task) => string) => (task: Task) => (task.exited ? '' : read(task));
const guarded = { guarded: true };
const refuse = (number: number): Behaviour => ({
  write: () => {
    throw errno(number);
  },
});
const ID_MAP = '         0          0 4294967295\n';

/** In the order of Linux's table. */
const PROCESS: readonly Entry<Subject>[] = [
  directory('task', 0o555, (subject, ino) => new TaskDirectory(subject, ino)),
  directory('fd', 0o500, ({ sb, task }, ino) => new FdDirectory(sb, ino, task)),
  directory('map_files', 0o500, ({ sb, task }, ino) => new MapFilesDirectory(sb, ino, task)),
  directory('fdinfo', 0o555, ({ sb, task }, ino) => new FdinfoDirectory(sb, ino, task)),
  directory('ns', 0o511, (subject, ino) => new TableDirectory(subject.sb, ino, NS_TABLE, subject, 0o511)),
  directory('net', 0o555, ({ sb }, ino) => netDirectory(sb, ino)),
  text('environ', 0o400, environText, guarded),
  text('auxv', 0o400, auxvText, guarded),
  text('status', 0o444, statusText),
  text('personality', 0o400, (task) => `${task.personality.toString(16).padStart(8, '0')}\n`, guarded),
  text('limits', 0o444, limitsText),
  text('sched', 0o644, (task) => `${task.comm} (${task.tid}, #threads: ${task.group.threads.size})\n`),
  text(
    'autogroup',
    0o644,
    ({ group: { processGroup } }) =>
      `/autogroup-${processGroup.session.id} nice ${processGroup.session.autogroupNice}\n`,
    {
      write: ({ group }, _writer, value) => {
        group.processGroup.session.autogroupNice = parseInteger(value, -20, 19);
      },
    },
  ),
  text(
    'timens_offsets',
    0o644,
    () => 'monotonic           0         0\nboottime            0         0\n',
    refuse(EACCES),
  ),
  text('comm', 0o644, (task) => `${task.comm}\n`, { write: setComm }),
  text('syscall', 0o400, syscallText, guarded),
  text('cmdline', 0o444, cmdlineText),
  text('stat', 0o444, statText),
  text('statm', 0o444, statmText),
  text('maps', 0o444, mapsText, guarded),
  text('numa_maps', 0o444, numaMapsText, guarded),
  binary('mem', 0o600, MemoryFile),
  link('cwd', (task) => placeLink(task, ({ fs }) => fs.cwd)),
  link('root', (task) => placeLink(task, ({ fs }) => fs.root)),
  link('exe', (task) => placeLink(task, ({ group }) => group.exe)),
  text(
    'mounts',
    0o444,
    live(({ fs }) => mountsText(fs.root)),
    { splices: true },
  ),
  text(
    'mountinfo',
    0o444,
    live(({ fs }) => mountinfoText(fs.root)),
    { splices: true },
  ),
  text('mountstats', 0o400, live(mountstatsText), { guarded: true, splices: true }),
  text('clear_refs', 0o200, noModule, { write: clearRefs }),
  text('smaps', 0o444, smapsText, guarded),
  text('smaps_rollup', 0o444, smapsRollupText, guarded),
  binary('pagemap', 0o400, PagemapFile),
  directory('attr', 0o555, (subject, ino) => new TableDirectory(subject.sb, ino, ATTR_TABLE, subject)),
  text('wchan', 0o444, () => '0'),
  text('stack', 0o400, () => '', guarded),
  text('schedstat', 0o444, () => '0 0 0\n'),
  text('cpuset', 0o444, () => '/\n'),
  text('cgroup', 0o444, () => '0::/\n'),
  text('oom_score', 0o444, ({ group }) => `${Math.max(0, Math.floor(((1000 + group.oomScoreAdj) * 2) / 3))}\n`),
  text('oom_adj', 0o644, ({ group }) => `${oomAdj(group.oomScoreAdj)}\n`, {
    write: (task, writer, value) => {
      const adj = parseInteger(value, -17, 15);
      setOomScoreAdj(task, writer, adj === 15 ? 1000 : Math.trunc((adj * 1000) / 17));
    },
  }),
  text('oom_score_adj', 0o644, ({ group }) => `${group.oomScoreAdj}\n`, {
    write: (task, writer, value) => setOomScoreAdj(task, writer, parseInteger(value, -1000, 1000)),
  }),
  text('loginuid', 0o644, () => '4294967295', refuse(EPERM)),
  text('sessionid', 0o444, () => '4294967295'),
  text('coredump_filter', 0o644, ({ group }) => `${group.coredumpFilter.toString(16).padStart(8, '0')}\n`, {
    write: setCoredumpFilter,
  }),
  text('io', 0o400, ioText, guarded),
  text('uid_map', 0o644, () => ID_MAP, refuse(EPERM)),
  text('gid_map', 0o644, () => ID_MAP, refuse(EPERM)),
  text('projid_map', 0o644, () => ID_MAP, refuse(EPERM)),
  text('setgroups', 0o644, () => 'allow\n'),
  text('timers', 0o444, timersText),
  text('timerslack_ns', 0o666, (task) => `${task.timerSlackNs}\n`),
  // Empty on a CPU without AVX-512.
  text('arch_status', 0o444, () => ''),
  text('ksm_merging_pages', 0o400, () => '0\n', guarded),
  text('ksm_stat', 0o400, () => KSM_STAT, guarded),
];

const OF_PROCESS_ONLY = new Set([
  'task',
  'map_files',
  'autogroup',
  'timens_offsets',
  'mountstats',
  'coredump_filter',
  'timers',
  'timerslack_ns',
]);
const CHILDREN = text('children', 0o444, (task) => {
  let text = '';
  if (task === task.group.leader) for (const child of task.group.children) text += `${child.tgid} `;
  return text;
});
const THREAD: readonly Entry<Subject>[] = PROCESS.filter(({ name }) => !OF_PROCESS_ONLY.has(name)).flatMap((entry) =>
  entry.name === 'numa_maps' ? [CHILDREN, entry] : [entry],
);

/** Numbers: 2^16 for each pid, so that entries and descriptors below do not meet. */
const inoOf = (pid: number, thread: boolean): number => pid * 2 + (thread ? 1 : 0) + 4096;

/** arch_status is x86's alone. */
const withoutX86 = (table: readonly Entry<Subject>[]): readonly Entry<Subject>[] =>
  table.filter(({ name }) => name !== 'arch_status');
const TABLES = {
  x86_64: { process: PROCESS, thread: THREAD },
  aarch64: { process: withoutX86(PROCESS), thread: withoutX86(THREAD) },
};

export function processDirectory(sb: ProcSuperBlock, task: Task): Inode {
  return makeDirectory({ sb, task, whole: true }, TABLES[sb.kernel.platform.arch].process);
}
function makeDirectory(subject: Subject, table: readonly Entry<Subject>[]): Inode {
  const { uid, gid } = ownerOf(subject);
  return new ProcessDirectory(subject, inoOf(subject.task.tid, !subject.whole), table, uid, gid);
}
export const processIno = (pid: number): number => inoOf(pid, false);

class ProcessDirectory extends ProcDirectory {
  private readonly subject: Subject;
  private readonly table: readonly Entry<Subject>[];

  constructor(subject: Subject, ino: number, table: readonly Entry<Subject>[], uid: number, gid: number) {
    super(subject.sb, ino, 0o555, uid, gid);
    this.subject = subject;
    this.table = table;
    this.nlink = subject.whole ? 9 : 7;
  }
  private entryIno(index: number): number {
    return this.ino * 256 + index;
  }
  lookup(name: string): Inode | null {
    if (!alive(this.subject)) return null;
    const index = this.table.findIndex((entry) => entry.name === name);
    return index < 0 ? null : this.table[index].make(this.subject, this.entryIno(index));
  }
  iterate(cookie: number, _reader: Task, emit: Emit): void {
    if (alive(this.subject)) emitTable(this.table, cookie, (index) => this.entryIno(index), emit);
  }
}

class TaskDirectory extends ProcDirectory {
  private readonly subject: Subject;

  constructor(subject: Subject, ino: number) {
    const { uid, gid } = ownerOf(subject);
    super(subject.sb, ino, 0o555, uid, gid);
    this.subject = subject;
    this.nlink = 2 + Math.max(1, subject.task.group.threads.size);
  }
  private threads(): Task[] {
    const { group } = this.subject.task;
    return group.threads.size === 0 ? [group.leader] : [...group.threads].sort((a, b) => a.tid - b.tid);
  }
  lookup(name: string): Inode | null {
    const found = this.threads().find((thread) => String(thread.tid) === name);
    return found === undefined
      ? null
      : makeDirectory({ sb: this.sb, task: found, whole: false }, TABLES[this.sb.kernel.platform.arch].thread);
  }
  iterate(cookie: number, _reader: Task, emit: Emit): void {
    for (const { tid } of this.threads()) {
      const next = FIRST_COOKIE + tid + 1;
      if (next > cookie && !emit(String(tid), inoOf(tid, true), DT_DIR, next)) return;
    }
  }
}
