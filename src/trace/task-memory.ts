/** A task as tracers see it: memory the kernel itself could read, and the names of its descriptors and working directory. */
import { S_IFBLK, S_IFCHR, S_IFMT } from '../abi/flags/stat.js';
import { SOCK_STREAM } from '../abi/flags/socket.js';
import type { OpenFile } from '../../fs/file.js';
import type { Place } from '../../fs/mount.js';
import { fullPath } from '../../fs/paths.js';
import type { Task } from '../../sched/task.js';
import { PidFile } from '../ipc/pidfd.js';
import { UnixSocket } from '../net/unix-socket.js';
import { Room } from './room.js';
import { quote } from './text.js';
import type { DescriptorName, TraceMemory } from './tracer.js';

const DELETED = ' (deleted)';

declare module '../../sched/task.js' {
  interface Task {
    /** As tracers see it: made when one first looks. */
    traceMemory?: TraceMemory;
  }
}

export const taskMemory = (task: Task): TraceMemory => (task.traceMemory ??= new TaskMemory(task));

/** What is read of guests for one call, whichever task's it is. */
const room = new Room(1 << 16);

class TaskMemory implements TraceMemory {
  private readonly task: Task;
  constructor(task: Task) {
    this.task = task;
  }

  begin(): void {
    room.begin();
  }
  read(addr: number, length: number): Uint8Array | null {
    const { mm } = this.task;
    if (mm.readable(addr, length) < length) return null;
    const bytes = room.take(length);
    try {
      mm.copyIn(addr, bytes, 0, length);
    } catch {
      return null;
    }
    return bytes;
  }
  handy(addr: number): number {
    return this.task.mm.handy(addr);
  }
  descriptor(fd: number, detail: 1 | 2): DescriptorName | null {
    const { task } = this;
    const file = task.exited ? undefined : task.files.find(fd);
    return file === undefined ? null : nameOf(task, file, detail);
  }
  cwd(): string | null {
    const { task } = this;
    return task.exited ? null : placeName(task, task.fs.cwd);
  }
}

/** From the top of the tree, whatever the task's root is: the tracer stands outside of it. */
const placeName = (task: Task, place: Place): string =>
  task.kernel.vfs.isAnonymous(place.mount) ? place.dentry.name : fullPath(place);

function nameOf(task: Task, file: OpenFile, detail: 1 | 2): DescriptorName {
  const { place, inode } = file;
  const path = place === null ? file.describe() : placeName(task, place);
  if (detail === 2) {
    if (file instanceof UnixSocket) return { path: '', more: socketName(file) };
    if (file instanceof PidFile) {
      const pid = /^Pid:\t([0-9]+)$/m.exec(file.fdinfo());
      if (pid !== null && pid[1] !== '0') return { path: '', more: `pid:${pid[1]}` };
    }
    const type = inode.mode & S_IFMT;
    if (path.startsWith('/') && (type === S_IFCHR || type === S_IFBLK)) {
      return { path, more: `<${type === S_IFCHR ? 'char' : 'block'} ${inode.rdevMajor}:${inode.rdevMinor}>` };
    }
  }
  const gone = path.endsWith(DELETED) && (place === null || place.dentry.unlinked);
  return gone ? { path: path.slice(0, -DELETED.length), deleted: true } : { path };
}

/** `UNIX-STREAM:[9->10,"/run/socket"]`, as sock_diag(7) tells strace. */
function socketName(socket: UnixSocket): string {
  const { peer, boundName, inode } = socket;
  const other = peer === null ? '' : `->${peer.inode.ino}`;
  const abstract = boundName.startsWith('\0');
  const bytes = Buffer.from(abstract ? boundName.slice(1) : boundName, 'latin1');
  const name = boundName === '' ? '' : `,${abstract ? '@' : ''}${quote(bytes)}`;
  return `${socket.type === SOCK_STREAM ? 'UNIX-STREAM' : 'UNIX'}:[${inode.ino}${other}${name}]`;
}
