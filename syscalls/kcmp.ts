/**
 * kcmp(2): whether two processes share a kernel object. Unequal objects are ordered (1 or 2) by when kcmp first saw them; the
 * order is as arbitrary as Linux's obfuscated pointers, but total.
 */
import { EBADF, EINVAL, EOPNOTSUPP, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import {
  KCMP_FILE,
  KCMP_FILES,
  KCMP_FS,
  KCMP_IO,
  KCMP_SIGHAND,
  KCMP_SYSVSEM,
  KCMP_VM,
} from '../src/abi/flags/process.js';
import type { Task } from '../sched/task.js';
import { mayInspect } from '../fs/procfs/access.js';

declare module '../sched/kernel-state.js' {
  interface KernelState {
    kcmpOrder?: { next: number; numbers: WeakMap<object, number> };
  }
}

export function kcmp(task: Task, pid1: number, pid2: number, type: number, idx1: number, idx2: number): number {
  const { tasks } = task.kernel.pids;
  const one = tasks.get(pid1);
  const two = tasks.get(pid2);
  if (one === undefined || two === undefined) throw errno(ESRCH);
  if (!mayInspect(task, one) || !mayInspect(task, two)) throw errno(EPERM);
  const object = (of: Task, index: number): object => {
    switch (type) {
      case KCMP_FILE: {
        const file = of.files.find(index);
        if (file === undefined) throw errno(EBADF);
        return file;
      }
      case KCMP_VM:
        return of.mm;
      case KCMP_FILES:
        return of.files;
      case KCMP_FS:
        return of.fs;
      case KCMP_SIGHAND:
        return of.sighand;
      case KCMP_IO:
      case KCMP_SYSVSEM:
        return of.group;
      default:
        throw errno(type >= 0 && type <= 7 ? EOPNOTSUPP : EINVAL);
    }
  };
  return compare(task, object(one, idx1), object(two, idx2));
}

function compare(task: Task, a: object, b: object): number {
  if (a === b) return 0;
  const order = (task.kernel.kcmpOrder ??= { next: 0, numbers: new WeakMap() });
  const numberOf = (object: object): number => {
    let number = order.numbers.get(object);
    if (number === undefined) order.numbers.set(object, (number = order.next++));
    return number;
  };
  const first = numberOf(a);
  return first < numberOf(b) ? 1 : 2;
}
