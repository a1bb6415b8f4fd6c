/**
 * Leases (fcntl(2), F_SETLEASE; fs/locks.c): whoever opens or truncates a file in a way that a lease rules out breaks it. The holder
 * gets a signal, and the opener waits until the lease is given up or its time is over.
 *
 * An open that meets a lease throws LeaseWait before it has done anything, and is made again from the beginning later.
 */
import { EAGAIN, EINVAL, errno } from '../src/abi/errno.js';
import { F_OWNER_PID, F_RDLCK, F_UNLCK, F_WRLCK } from '../src/abi/flags/fcntl.js';
import { O_NONBLOCK } from '../src/abi/flags/open.js';
import { POLL_MSG } from '../src/abi/flags/signal.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, WaitQueue, block } from '../sched/wait.js';
import { signalOwner } from './async-io.js';
import { atRelease } from './at-release.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import { POLLIN, POLLRDNORM } from './poll-events.js';

/** /proc/sys/fs/lease-break-time. */
const BREAK_NS = 45e9;
const POLLMSG = 0x400;

interface Lease {
  readonly file: OpenFile;
  readonly fd: number;
  type: number;
  /** What a break leaves of it, and when it ends by itself. */
  breaking: { to: number; readonly untilNs: number } | null;
}

declare module './inode.js' {
  interface Inode {
    leases?: Lease[];
  }
}
declare module '../sched/kernel-state.js' {
  interface KernelState {
    leasesChanged?: WaitQueue;
  }
}

class LeaseWait extends Error {
  readonly inode: Inode;
  readonly untilNs: number;

  constructor(inode: Inode, untilNs: number) {
    super('a lease is to be given up first');
    this.inode = inode;
    this.untilNs = untilNs;
  }
}

const queueOf = (task: Task): WaitQueue => (task.kernel.leasesChanged ??= new WaitQueue());

/** F_GETLEASE: while it is being broken, what it has to become. */
export function leaseOf(file: OpenFile): number {
  const lease = file.inode.leases?.find((one) => one.file === file);
  return lease === undefined ? F_UNLCK : (lease.breaking?.to ?? lease.type);
}

/** F_SETLEASE, permission granted. */
export function setLease(task: Task, file: OpenFile, fd: number, type: number): void {
  const { inode } = file;
  const leases = (inode.leases ??= []);
  const mine = leases.find((lease) => lease.file === file);
  if (type === F_UNLCK) {
    if (mine === undefined) throw errno(EAGAIN);
    remove(task, mine);
    return;
  }
  const others = leases.filter((lease) => lease !== mine);
  const disturbed = type === F_RDLCK ? inode.writers > 0 : inode.users > 1 || others.length > 0;
  if (disturbed || others.some((lease) => lease.breaking?.to === F_UNLCK)) throw errno(EAGAIN);
  if (mine !== undefined) {
    mine.type = type;
    if (mine.breaking?.to === F_RDLCK && type === F_RDLCK) mine.breaking = null;
    queueOf(task).wakeAll();
    return;
  }
  const lease: Lease = { file, fd, type, breaking: null };
  leases.push(lease);
  if (file.owner.id === 0) {
    const { uid, euid } = task.creds;
    file.owner = { ...file.owner, type: F_OWNER_PID, id: task.group.tgid, uid, euid };
  }
  atRelease(file, () => remove(task, lease));
}
function remove(task: Task, lease: Lease): void {
  const { inode } = lease.file;
  inode.leases = inode.leases?.filter((other) => other !== lease);
  queueOf(task).wakeAll();
}

/** break_lease: EAGAIN with O_NONBLOCK in `flags`; throws LeaseWait where one has to wait. */
export function breakLeases(task: Task, inode: Inode, write: boolean, flags: number): void {
  const { leases } = inode;
  if (leases === undefined) return;
  const now = task.kernel.clock.monotonicNs();
  let untilNs = 0;
  for (const lease of [...leases]) {
    if (!write && lease.type !== F_WRLCK) continue;
    const to = write ? F_UNLCK : F_RDLCK;
    if (lease.breaking === null || (write && lease.breaking.to !== F_UNLCK)) {
      lease.breaking = { to, untilNs: now + BREAK_NS };
      signalOwner(task.kernel, lease.file, lease.fd, { code: POLL_MSG, events: POLLIN | POLLRDNORM | POLLMSG });
    } else if (lease.breaking.untilNs <= now) {
      if (lease.breaking.to === F_UNLCK) remove(task, lease);
      else lease.type = F_RDLCK;
      lease.breaking = null;
      continue;
    }
    untilNs = Math.max(untilNs, lease.breaking.untilNs);
  }
  if (untilNs === 0) return;
  if ((flags & O_NONBLOCK) !== 0) throw errno(EAGAIN);
  throw new LeaseWait(inode, untilNs);
}

/** Makes `attempt`; if a lease is in its way, again when that has been given up or its time is over. */
export function withoutLeases(task: Task, attempt: () => number): number {
  let waiting: LeaseWait;
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof LeaseWait)) throw error;
    waiting = error;
  }
  const again = (): number => {
    try {
      return attempt();
    } catch (error) {
      if (error instanceof LeaseWait) return WOULD_BLOCK;
      throw error;
    }
  };
  return block(task, again, [queueOf(task)], { deadlineNs: waiting.untilNs, onTimeout: attempt });
}

export function checkLeaseType(type: number): void {
  if (type !== F_UNLCK && type !== F_RDLCK && type !== F_WRLCK) throw errno(EINVAL);
}
