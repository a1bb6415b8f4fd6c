/**
 * What System V objects have in common (ipc/util.c): keys, identifiers, owners and permissions.
 *
 * An identifier is sequence * 32768 + slot, so that a stale one of a removed object is EINVAL (or EIDRM when only the sequence
 * differs). Only the owner, the creator or a capable task may change or remove an object.
 */
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC, EPERM, errno } from '../../abi/errno.js';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from '../../abi/flags/ipc.js';
import { IPC64_PERM } from '../../abi/layouts/ipc.js';
import { capable } from '../../../sched/credentials.js';
import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from '../../abi/flags/capability.js';
import type { KernelState } from '../../../sched/kernel-state.js';
import type { Task } from '../../../sched/task.js';
import { inGroup } from '../../../fs/permissions.js';

const SLOTS = 32768;
export const IPC_READ = 0o444;
export const IPC_WRITE = 0o222;

export abstract class IpcObject {
  readonly kernel: KernelState;
  readonly key: number;
  id = 0;
  sequence = 0;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** Permission bits and, for memory, SHM_DEST and SHM_LOCKED. */
  mode: number;
  /** IPC_RMID came: sleepers get EIDRM. */
  removed = false;
  ctime: number;

  constructor(task: Task, key: number, flags: number) {
    this.kernel = task.kernel;
    this.key = key;
    this.uid = this.cuid = task.creds.euid;
    this.gid = this.cgid = task.creds.egid;
    this.mode = flags & 0o777;
    this.ctime = nowSec(this.kernel);
  }

  /** EACCES without `want` (IPC_READ, IPC_WRITE or mode bits of all three classes). */
  check(task: Task, want: number): void {
    const { creds } = task;
    const { euid } = creds;
    let granted = this.mode;
    if (euid === this.uid || euid === this.cuid) granted >>= 6;
    else if (
      creds.egid === this.gid ||
      creds.egid === this.cgid ||
      inGroup(creds, this.gid) ||
      inGroup(creds, this.cgid)
    )
      granted >>= 3;
    const asked = ((want >> 6) | (want >> 3) | want) & 7;
    if ((asked & ~granted & 7) !== 0 && !capable(creds, CAP_IPC_OWNER)) throw errno(EACCES);
  }
  /** EPERM for who is neither owner nor creator. */
  checkOwner(task: Task): void {
    const { euid } = task.creds;
    if (euid !== this.uid && euid !== this.cuid && !capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  }
  /** struct ipc64_perm at the start of `view`. */
  writePerm(view: DataView): void {
    const { offsets } = IPC64_PERM;
    view.setInt32(offsets.key, this.key, true);
    view.setUint32(offsets.uid, this.uid, true);
    view.setUint32(offsets.gid, this.gid, true);
    view.setUint32(offsets.cuid, this.cuid, true);
    view.setUint32(offsets.cgid, this.cgid, true);
    view.setUint32(offsets.mode, this.mode, true);
    view.setUint16(offsets.seq, this.sequence, true);
  }
  /** IPC_SET. */
  setPerm(view: DataView): void {
    const { offsets } = IPC64_PERM;
    this.uid = view.getUint32(offsets.uid, true);
    this.gid = view.getUint32(offsets.gid, true);
    this.mode = (this.mode & ~0o777) | (view.getUint32(offsets.mode, true) & 0o777);
    this.ctime = nowSec(this.kernel);
  }
  /** Key, id and mode as /proc/sysvipc begins its lines. */
  protected head(): string {
    return `${String(this.key).padStart(10)} ${String(this.id).padStart(10)}  ${this.mode.toString(8).padStart(4)}`;
  }
  abstract procLine(): string;
}

export function nowSec(kernel: KernelState): number {
  kernel.clock.readRealtime();
  return kernel.clock.realtimeSec;
}

export class IpcSet<T extends IpcObject> {
  private readonly slots: (T | undefined)[] = [];
  private readonly limit: number;
  private sequence = 0;

  constructor(limit: number) {
    this.limit = limit;
  }
  get count(): number {
    return [...this.all()].length;
  }
  /** Highest used slot, -1 for none. */
  get highest(): number {
    let highest = -1;
    this.slots.forEach((object, slot) => {
      if (object !== undefined) highest = slot;
    });
    return highest;
  }
  *all(): IterableIterator<T> {
    for (const object of this.slots) if (object !== undefined) yield object;
  }

  /** xxxget: finds by key or makes. `check` looks at an existing object's size. */
  get(task: Task, key: number, flags: number, check: (old: T) => void, make: () => T): number {
    if (key !== IPC_PRIVATE) {
      for (const old of this.all()) {
        if (old.key !== key || (old.mode & 0o1000) !== 0) continue;
        if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) throw errno(EEXIST);
        check(old);
        old.check(task, flags & 0o777);
        return old.id;
      }
      if ((flags & IPC_CREAT) === 0) throw errno(ENOENT);
    }
    return this.add(make());
  }
  private add(object: T): number {
    let slot = 0;
    while (this.slots[slot] !== undefined) slot++;
    if (slot >= this.limit) throw errno(ENOSPC);
    object.sequence = this.sequence;
    object.id = this.sequence * SLOTS + slot;
    this.sequence = (this.sequence + 1) & 0xffff;
    this.slots[slot] = object;
    return object.id;
  }
  /** By identifier: EINVAL, EIDRM. */
  find(id: number): T {
    const object = id < 0 ? undefined : this.slots[id % SLOTS];
    if (object === undefined) throw errno(EINVAL);
    if (object.id !== id) throw errno(EIDRM);
    return object;
  }
  /** By slot, for xxx_STAT. */
  at(slot: number): T {
    const object = slot < 0 ? undefined : this.slots[slot % SLOTS];
    if (object === undefined) throw errno(EINVAL);
    return object;
  }
  remove(object: T): void {
    object.removed = true;
    const slot = object.id % SLOTS;
    if (this.slots[slot] === object) this.slots[slot] = undefined;
  }
}
