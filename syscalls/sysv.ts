/**
 * System V IPC: shared memory, semaphores, message queues.
 */
import { EAGAIN, EEXIST, EINTR, EINVAL, ENOSYS, ERESTARTNOHAND, errno, errnoOf } from '../src/abi/errno.js';
import { MSG_COPY, SHM_EXEC, SHM_RDONLY, SHM_REMAP, SHM_RND } from '../src/abi/flags/ipc.js';
import {
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../src/abi/flags/memory.js';
import { SEMBUF } from '../src/abi/layouts/ipc.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, block } from '../sched/wait.js';
import { IPC_READ, IPC_WRITE, nowSec } from '../src/ipc/sysv/ipc.js';
import { checkMessage, msgget, queues } from '../src/ipc/sysv/msg.js';
import { checkCount, checkOperations, semAttempt, semget, sets, type SemOperation } from '../src/ipc/sysv/sem.js';
import { segments, shmget, type ShmSegment } from '../src/ipc/sysv/shm.js';
import { deadlineAt } from './deadline.js';
import { msgctl, semctl, shmctl } from './sysv-control.js';
import { addr, dynamic, flags, int, long, size, struct, uint, row, type Row } from './row.js';

function shmat(task: Task, id: number, shmaddr: number, flags: number): number {
  if (id < 0) throw errno(EINVAL);
  const { pageSize } = task.kernel;
  let addr = shmaddr;
  if (addr % pageSize !== 0) {
    if ((flags & SHM_RND) === 0) throw errno(EINVAL);
    addr -= addr % pageSize;
    if (addr === 0 && (flags & SHM_REMAP) !== 0) throw errno(EINVAL);
  } else if (addr === 0 && (flags & SHM_REMAP) !== 0) throw errno(EINVAL);
  const segment = segments(task.kernel).find(id);
  const write = (flags & SHM_RDONLY) === 0;
  const exec = (flags & SHM_EXEC) !== 0;
  segment.check(task, IPC_READ | (write ? IPC_WRITE : 0) | (exec ? 0o111 : 0));
  const at = addr === 0 ? 0 : (flags & SHM_REMAP) !== 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  const result = map(task, segment, addr, at, PROT_READ | (write ? PROT_WRITE : 0) | (exec ? PROT_EXEC : 0));
  segment.atime = nowSec(task.kernel);
  segment.lpid = task.tgid;
  return result;
}
function map(task: Task, segment: ShmSegment, addr: number, flags: number, prot: number): number {
  const mayWrite = (prot & PROT_WRITE) !== 0;
  const { pageSize } = task.kernel;
  const length = Math.ceil(segment.size / pageSize) * pageSize;
  try {
    return task.mm.mmap({ addr, length, prot, flags: MAP_SHARED | flags, file: segment.mapping, offset: 0, mayWrite });
  } catch (error) {
    throw errnoOf(error) === EEXIST ? errno(EINVAL) : error;
  }
}

/** Takes away every piece of the attachment that began at `addr`. */
function shmdt(task: Task, addr: number): number {
  const { mm, kernel } = task;
  if (addr % kernel.pageSize !== 0) throw errno(EINVAL);
  for (const segment of segments(kernel).all()) {
    const pieces = mm.vmas().filter((vma) => vma.file === segment.mapping && vma.start - vma.offset === addr);
    if (pieces.length === 0) continue;
    segment.lpid = task.tgid;
    for (const { start, end } of pieces.map(({ start, end }) => ({ start, end }))) mm.munmap(start, end - start);
    return 0;
  }
  throw errno(EINVAL);
}

function semop(task: Task, id: number, sops: number, count: number, timeout: number): number {
  const deadlineNs = deadlineAt(task, timeout);
  checkCount(count);
  if (id < 0) throw errno(EINVAL);
  const view = task.mm.readStruct(sops, count * SEMBUF.size);
  const operations: SemOperation[] = [];
  for (let i = 0, at = 0; i < count; i++, at += SEMBUF.size)
    operations.push({
      index: view.getUint16(at, true),
      delta: view.getInt16(at + 2, true),
      flags: view.getUint16(at + 4, true),
    });
  const set = sets(task.kernel).find(id);
  checkOperations(task, set, operations);
  const forget = (): void => void set.waiting.delete(task);
  const onTimeout = (): never => {
    forget();
    throw errno(EAGAIN);
  };
  const options = { deadlineNs, onTimeout, onInterrupt: forget, restart: EINTR };
  return block(task, () => semAttempt(task, set, operations), [set.queue], options);
}

/** The type in front of a message: exact 64 bits. */
function readType(task: Task, ptr: number): bigint {
  return task.mm.readStruct(ptr, 8).getBigInt64(0, true);
}

function msgsnd(task: Task, id: number, msgp: number, length: number, flags: number): number {
  const type = readType(task, msgp);
  if (id < 0) throw errno(EINVAL);
  checkMessage(type, length);
  const text = new Uint8Array(length);
  if (length > 0) task.mm.copyIn(msgp + 8, text, 0, length);
  const queue = queues(task.kernel).find(id);
  queue.check(task, IPC_WRITE);
  const options = { restart: ERESTARTNOHAND };
  return block(task, () => queue.send(task, { type, text }, flags), [queue.queue], options);
}

function msgrcv(task: Task, id: number, msgp: number, size: number, type: number, flags: number): number {
  if (id < 0 || size >= 2 ** 63) throw errno(EINVAL);
  if ((flags & MSG_COPY) !== 0) throw errno(ENOSYS);
  const queue = queues(task.kernel).find(id);
  queue.check(task, IPC_READ);
  const wanted = Number.isSafeInteger(type) ? BigInt(type) : type < 0 ? -(2n ** 63n - 1n) : 2n ** 63n - 1n;
  const attempt = (): number => {
    const message = queue.receive(task, wanted, size, flags);
    if (message === null) return WOULD_BLOCK;
    const n = Math.min(size, message.text.length);
    const view = task.mm.scratchView;
    view.setBigInt64(0, message.type, true);
    task.mm.scratch.set(message.text.subarray(0, n), 8);
    task.mm.writeStruct(msgp, 8 + n);
    return n;
  };
  return block(task, attempt, [queue.queue], { restart: ERESTARTNOHAND });
}

export const rows: readonly Row[] = [
  row(
    'shmget',
    { x86_64: 29, aarch64: 194 },
    [dynamic('key', 'ipc_key', 'int'), size('size'), dynamic('shmflg', 'shm_flags', 'uint')],
    { classes: ['ipc'], disposition: { partial: 'no huge pages' } },
    shmget,
  ),
  row(
    'shmat',
    { x86_64: 30, aarch64: 196 },
    [int('shmid'), addr('shmaddr'), flags('shmflg', 'shm_flags')],
    { stops: true, ret: 'addr', classes: ['ipc', 'memory'] },
    shmat,
  ),
  row(
    'shmdt',
    { x86_64: 67, aarch64: 197 },
    [addr('shmaddr')],
    { stops: true, ret: 'zero', classes: ['ipc', 'memory'] },
    shmdt,
  ),
  row(
    'shmctl',
    { x86_64: 31, aarch64: 195 },
    [int('shmid'), dynamic('cmd', 'shmctl_cmd', 'int'), dynamic('buf', 'shmctl_buf')],
    { classes: ['ipc'] },
    shmctl,
  ),
  row(
    'semget',
    { x86_64: 64, aarch64: 190 },
    [dynamic('key', 'ipc_key', 'int'), int('nsems'), dynamic('semflg', 'ipc_flags', 'uint')],
    { classes: ['ipc'] },
    semget,
  ),
  row(
    'semop',
    { x86_64: 65, aarch64: 193 },
    [int('semid'), dynamic('sops', 'sembufs'), uint('nsops')],
    {
      ret: 'zero',
      classes: ['ipc'],
    },
    (task, semid, sops, count) => semop(task, semid, sops, count, 0),
  ),
  row(
    'semtimedop',
    { x86_64: 220, aarch64: 192 },
    [int('semid'), dynamic('sops', 'sembufs'), uint('nsops'), struct('timeout', 'in', 'timespec')],
    { ret: 'zero', classes: ['ipc'] },
    semop,
  ),
  row(
    'semctl',
    { x86_64: 66, aarch64: 191 },
    [int('semid'), int('semnum'), dynamic('cmd', 'semctl_cmd', 'int'), dynamic('arg', 'semctl_arg')],
    { classes: ['ipc'] },
    semctl,
  ),
  row(
    'msgget',
    { x86_64: 68, aarch64: 186 },
    [dynamic('key', 'ipc_key', 'int'), dynamic('msgflg', 'ipc_flags', 'uint')],
    { classes: ['ipc'] },
    msgget,
  ),
  row(
    'msgsnd',
    { x86_64: 69, aarch64: 189 },
    [int('msqid'), dynamic('msgp', 'msgbuf'), size('msgsz'), flags('msgflg', 'ipc_msg_flags')],
    { ret: 'zero', classes: ['ipc'] },
    msgsnd,
  ),
  row(
    'msgrcv',
    { x86_64: 70, aarch64: 188 },
    [int('msqid'), dynamic('msgp', 'msgbuf'), size('msgsz'), long('msgtyp'), flags('msgflg', 'ipc_msg_flags')],
    { ret: 'size', classes: ['ipc'], disposition: { partial: 'no MSG_COPY' } },
    msgrcv,
  ),
  row(
    'msgctl',
    { x86_64: 71, aarch64: 187 },
    [int('msqid'), dynamic('cmd', 'msgctl_cmd', 'int'), dynamic('buf', 'msgctl_buf')],
    { classes: ['ipc'] },
    msgctl,
  ),
];
