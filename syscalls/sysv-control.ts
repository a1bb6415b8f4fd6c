/**
 * shmctl(2), semctl(2), msgctl(2): the structures they exchange and what they do to the objects of src/ipc/sysv.
 *
 * Linux oddities: the IPC_64 bit is implied on 64-bit ABIs and ignored; xxx_STAT takes a slot and returns an identifier;
 * xxx_INFO returns the highest used slot.
 */
import { EINVAL, EPERM, EIDRM, ERANGE, errno } from '../src/abi/errno.js';
import * as I from '../src/abi/flags/ipc.js';
import { writeField, type Layout } from '../src/abi/layout.js';
import { MSGINFO, MSQID64_DS, SEMID64_DS, SEMINFO, SHMID64_DS, SHMINFO64, SHM_INFO } from '../src/abi/layouts/ipc.js';
import { capable } from '../sched/credentials.js';
import { CAP_IPC_LOCK, CAP_SYS_RESOURCE } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { IPC_READ, IPC_WRITE, nowSec } from '../src/ipc/sysv/ipc.js';
import { MSGMAX, MSGMNB, MSGMNI, queues, type MessageQueue } from '../src/ipc/sysv/msg.js';
import { SEMMNI, SEMMSL, SEMOPM, SEMVMX, sets, type SemaphoreSet } from '../src/ipc/sysv/sem.js';
import { SHMMAX, SHMMNI, SHM_LOCKED, segments, type ShmSegment } from '../src/ipc/sysv/shm.js';
import { intArgument } from './int-argument.js';

/** Fills a zeroed struct with the named fields and copies it out. */
function putStruct<Name extends string>(
  task: Task,
  ptr: number,
  layout: Layout<Name>,
  values: Partial<Record<Name, number>>,
  before?: (view: DataView) => void,
): void {
  const view = task.mm.scratchView;
  task.mm.scratch.fill(0, 0, layout.size);
  before?.(view);
  for (const [name, value] of Object.entries(values)) writeField(layout, view, 0, name as Name, value as number);
  task.mm.writeStruct(ptr, layout.size);
}

// --- memory
export function shmctl(task: Task, id: number, cmd: number, buf: number): number {
  const all = segments(task.kernel);
  switch (cmd) {
    case I.IPC_INFO:
      putStruct(task, buf, SHMINFO64, { shmmax: SHMMAX, shmmin: 1, shmmni: SHMMNI, shmseg: SHMMNI, shmall: SHMMAX });
      return Math.max(0, all.highest);
    case I.SHM_INFO: {
      let pages = 0;
      let resident = 0;
      for (const segment of all.all()) {
        pages += Math.ceil(segment.size / 4096);
        resident += segment.residentBytes / 4096;
      }
      putStruct(task, buf, SHM_INFO, { used_ids: all.count, shm_tot: pages, shm_rss: resident });
      return Math.max(0, all.highest);
    }
    case I.SHM_STAT:
    case I.SHM_STAT_ANY: {
      const segment = all.at(id);
      if (cmd === I.SHM_STAT) segment.check(task, IPC_READ);
      shmStat(task, buf, segment);
      return segment.id;
    }
    case I.IPC_STAT: {
      const segment = all.find(id);
      segment.check(task, IPC_READ);
      shmStat(task, buf, segment);
      return 0;
    }
    default:
      return changeShm(task, all.find(id), cmd, buf);
  }
}
function shmStat(task: Task, buf: number, segment: ShmSegment): void {
  const values = {
    shm_segsz: segment.size,
    shm_atime: segment.atime,
    shm_dtime: segment.dtime,
    shm_ctime: segment.ctime,
    shm_cpid: segment.cpid,
    shm_lpid: segment.lpid,
    shm_nattch: segment.attachments,
  };
  putStruct(task, buf, SHMID64_DS, values, (view) => segment.writePerm(view));
}
function changeShm(task: Task, segment: ShmSegment, cmd: number, buf: number): number {
  switch (cmd) {
    case I.IPC_RMID:
      segment.checkOwner(task);
      segment.removeLater();
      return 0;
    case I.IPC_SET: {
      const view = task.mm.readStruct(buf, SHMID64_DS.size);
      segment.checkOwner(task);
      segment.setPerm(view);
      return 0;
    }
    case I.SHM_LOCK:
    case I.SHM_UNLOCK: {
      const { euid } = task.creds;
      const owner = euid === segment.uid || euid === segment.cuid;
      if (!owner && !capable(task.creds, CAP_IPC_LOCK)) throw errno(EPERM);
      segment.mode = cmd === I.SHM_LOCK ? segment.mode | SHM_LOCKED : segment.mode & ~SHM_LOCKED;
      return 0;
    }
    default:
      throw errno(EINVAL);
  }
}

// --- semaphores
export function semctl(task: Task, id: number, index: number, cmd: number, arg: number): number {
  const all = sets(task.kernel);
  switch (cmd) {
    case I.IPC_INFO:
    case I.SEM_INFO: {
      let semaphores = 0;
      for (const set of all.all()) semaphores += set.values.length;
      const used = cmd === I.SEM_INFO;
      putStruct(task, arg, SEMINFO, {
        semmap: SEMMNI * SEMMSL,
        semmni: SEMMNI,
        semmns: SEMMNI * SEMMSL,
        semmnu: SEMMNI * SEMMSL,
        semmsl: SEMMSL,
        semopm: SEMOPM,
        semume: SEMOPM,
        semusz: used ? all.count : 20,
        semvmx: SEMVMX,
        semaem: used ? semaphores : SEMVMX,
      });
      return Math.max(0, all.highest);
    }
    case I.SEM_STAT:
    case I.SEM_STAT_ANY: {
      const set = all.at(id);
      if (cmd === I.SEM_STAT) set.check(task, IPC_READ);
      semStat(task, arg, set);
      return set.id;
    }
    case I.IPC_STAT: {
      const set = all.find(id);
      set.check(task, IPC_READ);
      semStat(task, arg, set);
      return 0;
    }
    case I.IPC_RMID:
    case I.IPC_SET: {
      const layout = SEMID64_DS[task.mm.platform.arch];
      const view = cmd === I.IPC_SET ? task.mm.readStruct(arg, layout.size) : null;
      const set = all.find(id);
      set.checkOwner(task);
      if (view === null) set.destroy();
      else set.setPerm(view);
      return 0;
    }
    default:
      return semValues(task, all.find(id), index, cmd, arg);
  }
}
function semStat(task: Task, buf: number, set: SemaphoreSet): void {
  const layout = SEMID64_DS[task.mm.platform.arch] as Layout<'sem_otime' | 'sem_ctime' | 'sem_nsems'>;
  const values = { sem_otime: set.otime, sem_ctime: set.ctime, sem_nsems: set.values.length };
  putStruct(task, buf, layout, values, (view) => set.writePerm(view));
}
function semValues(task: Task, set: SemaphoreSet, index: number, cmd: number, arg: number): number {
  const count = set.values.length;
  if (cmd === I.GETALL) {
    set.check(task, IPC_READ);
    const bytes = new DataView(new ArrayBuffer(count * 2));
    set.values.forEach((value, i) => bytes.setUint16(i * 2, value, true));
    task.mm.copyOut(arg, new Uint8Array(bytes.buffer), 0, count * 2);
    return 0;
  }
  if (cmd === I.SETALL) {
    set.check(task, IPC_WRITE);
    const bytes = new DataView(new ArrayBuffer(count * 2));
    task.mm.copyIn(arg, new Uint8Array(bytes.buffer), 0, count * 2);
    for (let i = 0; i < count; i++) if (bytes.getUint16(i * 2, true) > SEMVMX) throw errno(ERANGE);
    for (let i = 0; i < count; i++) set.set(task, i, bytes.getUint16(i * 2, true));
    return 0;
  }
  const known: number[] = [I.GETVAL, I.GETPID, I.GETNCNT, I.GETZCNT, I.SETVAL];
  if (!known.includes(cmd)) throw errno(EINVAL);
  set.check(task, cmd === I.SETVAL ? IPC_WRITE : IPC_READ);
  if (set.removed) throw errno(EIDRM);
  if (index < 0 || index >= count) throw errno(EINVAL);
  switch (cmd) {
    case I.GETVAL:
      return set.values[index];
    case I.GETPID:
      return set.pids[index];
    case I.GETNCNT:
      return set.waiters(index, false);
    case I.GETZCNT:
      return set.waiters(index, true);
    default:
      set.set(task, index, intArgument(task, arg, 3));
      return 0;
  }
}

// --- messages
export function msgctl(task: Task, id: number, cmd: number, buf: number): number {
  const all = queues(task.kernel);
  switch (cmd) {
    case I.IPC_INFO:
    case I.MSG_INFO: {
      let messages = 0;
      let bytes = 0;
      for (const queue of all.all()) {
        messages += queue.messages.length;
        bytes += queue.bytes;
      }
      const used = cmd === I.MSG_INFO;
      putStruct(task, buf, MSGINFO, {
        msgpool: used ? all.count : (MSGMNI * MSGMNB) / 1024,
        msgmap: used ? messages : MSGMNB,
        msgmax: MSGMAX,
        msgmnb: MSGMNB,
        msgmni: MSGMNI,
        msgssz: 16,
        msgtql: used ? bytes : MSGMNB,
        msgseg: 0xffff,
      });
      return Math.max(0, all.highest);
    }
    case I.MSG_STAT:
    case I.MSG_STAT_ANY: {
      const queue = all.at(id);
      if (cmd === I.MSG_STAT) queue.check(task, IPC_READ);
      msgStat(task, buf, queue);
      return queue.id;
    }
    case I.IPC_STAT: {
      const queue = all.find(id);
      queue.check(task, IPC_READ);
      msgStat(task, buf, queue);
      return 0;
    }
    case I.IPC_RMID: {
      const queue = all.find(id);
      queue.checkOwner(task);
      queue.destroy();
      return 0;
    }
    case I.IPC_SET:
      return setQueue(task, id, buf);
    default:
      throw errno(EINVAL);
  }
}
function setQueue(task: Task, id: number, buf: number): number {
  const view = task.mm.readStruct(buf, MSQID64_DS.size);
  const maximum = view.getUint32(MSQID64_DS.offsets.msg_qbytes, true);
  const queue = queues(task.kernel).find(id);
  queue.checkOwner(task);
  if (maximum > MSGMNB && !capable(task.creds, CAP_SYS_RESOURCE)) throw errno(EPERM);
  queue.setPerm(view);
  queue.maxBytes = maximum;
  queue.ctime = nowSec(task.kernel);
  queue.queue.wakeAll();
  return 0;
}
function msgStat(task: Task, buf: number, queue: MessageQueue): void {
  const values = {
    msg_stime: queue.stime,
    msg_rtime: queue.rtime,
    msg_ctime: queue.ctime,
    msg_cbytes: queue.bytes,
    msg_qnum: queue.messages.length,
    msg_qbytes: queue.maxBytes,
    msg_lspid: queue.lspid,
    msg_lrpid: queue.lrpid,
  };
  putStruct(task, buf, MSQID64_DS, values, (view) => queue.writePerm(view));
}
