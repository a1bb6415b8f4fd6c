/**
 * prctl(2): properties of a task or process. Options this kernel does not know are EINVAL, as on an older Linux.
 */
import { CAP_LAST, capable } from '../sched/credentials.js';
import { CAP_SETPCAP, CAP_SYS_RESOURCE } from '../src/abi/flags/capability.js';
import { EINVAL, ENOMEM, EPERM, errno } from '../src/abi/errno.js';
import {
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_CAP_AMBIENT,
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_IO_FLUSHER,
  PR_GET_KEEPCAPS,
  PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_PDEATHSIG,
  PR_GET_SECCOMP,
  PR_GET_SECUREBITS,
  PR_GET_THP_DISABLE,
  PR_GET_TID_ADDRESS,
  PR_GET_TIMERSLACK,
  PR_GET_TIMING,
  PR_GET_TSC,
  PR_MCE_KILL_GET,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_DUMPABLE,
  PR_SET_IO_FLUSHER,
  PR_SET_KEEPCAPS,
  PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_SECUREBITS,
  PR_SET_THP_DISABLE,
  PR_SET_TIMERSLACK,
  PR_SET_TIMING,
  PR_SET_VMA,
  PR_TASK_PERF_EVENTS_DISABLE,
  PR_TASK_PERF_EVENTS_ENABLE,
  PR_THP_DISABLE_EXCEPT_ADVISED,
  PR_TSC_ENABLE,
} from '../src/abi/flags/prctl.js';
import { Task } from '../sched/task.js';

export function prctl(task: Task, option: number, arg2: number, arg3: number, arg4: number, arg5: number): number {
  const { group, mm } = task;
  const noMore = (...args: number[]): void => {
    if (args.some((arg) => arg !== 0)) throw errno(EINVAL);
  };
  switch (option) {
    case PR_SET_PDEATHSIG:
      if (arg2 > 64) throw errno(EINVAL);
      task.pdeathSignal = arg2;
      return 0;
    case PR_GET_PDEATHSIG:
      mm.writeU32(arg2, task.pdeathSignal);
      return 0;
    case PR_GET_DUMPABLE:
      return group.dumpable ? 1 : 0;
    case PR_SET_DUMPABLE:
      if (arg2 !== 0 && arg2 !== 1) throw errno(EINVAL);
      group.dumpable = arg2 === 1;
      return 0;
    case PR_SET_NAME:
      task.comm = readComm(task, arg2);
      return 0;
    case PR_GET_NAME: {
      const { scratch } = mm;
      scratch.fill(0, 0, 16);
      for (let i = 0; i < task.comm.length; i++) scratch[i] = task.comm.charCodeAt(i);
      mm.writeStruct(arg2, 16);
      return 0;
    }
    case PR_GET_KEEPCAPS:
      return (task.creds.securebits & 16) !== 0 ? 1 : 0;
    case PR_SET_KEEPCAPS:
      if (arg2 > 1) throw errno(EINVAL);
      task.creds = { ...task.creds, securebits: (task.creds.securebits & ~16) | (arg2 === 1 ? 16 : 0) };
      return 0;
    case PR_GET_SECUREBITS:
      return task.creds.securebits;
    case PR_SET_SECUREBITS:
      if (!capable(task.creds, CAP_SETPCAP)) throw errno(EPERM);
      if (arg2 > 0xff) throw errno(EINVAL);
      task.creds = { ...task.creds, securebits: arg2 };
      return 0;
    case PR_CAPBSET_READ:
      if (arg2 > CAP_LAST) throw errno(EINVAL);
      return Number((task.creds.capBounding >> BigInt(arg2)) & 1n);
    case PR_CAPBSET_DROP:
      if (!capable(task.creds, CAP_SETPCAP)) throw errno(EPERM);
      if (arg2 > CAP_LAST) throw errno(EINVAL);
      task.creds = { ...task.creds, capBounding: task.creds.capBounding & ~(1n << BigInt(arg2)) };
      return 0;
    case PR_CAP_AMBIENT:
      return ambient(task, arg2, arg3, arg4, arg5);
    case PR_SET_CHILD_SUBREAPER:
      group.subreaper = arg2 !== 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      mm.writeU32(arg2, group.subreaper ? 1 : 0);
      return 0;
    case PR_SET_NO_NEW_PRIVS:
      if (arg2 !== 1) throw errno(EINVAL);
      noMore(arg3, arg4, arg5);
      group.noNewPrivs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      noMore(arg2, arg3, arg4, arg5);
      return group.noNewPrivs ? 1 : 0;
    case PR_GET_TIMING:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
      return 0;
    case PR_SET_TIMING:
      if (arg2 !== 0) throw errno(EINVAL);
      return 0;
    case PR_GET_TSC:
      mm.writeU32(arg2, PR_TSC_ENABLE);
      return 0;
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
      if (!capable(task.creds, CAP_SYS_RESOURCE)) throw errno(EPERM);
      noMore(arg3, arg4, arg5);
      if (option === PR_GET_IO_FLUSHER) {
        noMore(arg2);
        return group.ioFlusher ? 1 : 0;
      }
      if (arg2 > 1) throw errno(EINVAL);
      group.ioFlusher = arg2 === 1;
      return 0;
    case PR_SET_TIMERSLACK:
      task.timerSlackNs = arg2 === 0 ? 50_000 : arg2;
      return 0;
    case PR_GET_TIMERSLACK:
      return task.timerSlackNs;
    case PR_GET_TID_ADDRESS:
      mm.writeU64(arg2, task.clearChildTid);
      return 0;
    case PR_GET_SECCOMP:
      return 0;
    case PR_SET_THP_DISABLE:
      noMore(arg4, arg5);
      if ((arg3 & ~PR_THP_DISABLE_EXCEPT_ADVISED) !== 0 || (arg2 === 0 && arg3 !== 0)) throw errno(EINVAL);
      group.thpDisable = arg2 === 0 ? 0 : 1 | arg3;
      return 0;
    case PR_GET_THP_DISABLE:
      noMore(arg2, arg3, arg4, arg5);
      return group.thpDisable;
    case PR_MCE_KILL_GET:
      noMore(arg2, arg3, arg4, arg5);
      return 2;
    case PR_SET_VMA:
      return nameVma(task, arg2, arg3, arg4, arg5);
    default:
      throw errno(EINVAL);
  }
}
function readComm(task: Task, at: number): string {
  let name = '';
  for (let i = 0; i < 15; i++) {
    const byte = task.mm.readU8(at + i);
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return name;
}
function ambient(task: Task, operation: number, cap: number, arg4: number, arg5: number): number {
  const { creds } = task;
  if (operation === 4) {
    if (cap !== 0 || arg4 !== 0 || arg5 !== 0) throw errno(EINVAL);
    task.creds = { ...creds, capAmbient: 0n };
    return 0;
  }
  if (cap > CAP_LAST || arg4 !== 0 || arg5 !== 0) throw errno(EINVAL);
  const bit = 1n << BigInt(cap);
  if (operation === 1) return (creds.capAmbient & bit) !== 0n ? 1 : 0;
  if (operation === 2) {
    if ((creds.capPermitted & creds.capInheritable & bit) === 0n) throw errno(EPERM);
    task.creds = { ...creds, capAmbient: creds.capAmbient | bit };
    return 0;
  }
  if (operation === 3) {
    task.creds = { ...creds, capAmbient: creds.capAmbient & ~bit };
    return 0;
  }
  throw errno(EINVAL);
}
/** PR_SET_VMA_ANON_NAME: accepted for valid names, not kept: /proc/PID/maps shows no [anon:...]. */
function nameVma(task: Task, option: number, addr: number, length: number, name: number): number {
  if (option !== 0 || addr % task.mm.platform.pageSize !== 0) throw errno(EINVAL);
  if (name !== 0) task.mm.readString(name, 80, EINVAL);
  if (length > 0 && task.mm.find(addr) === null) throw errno(ENOMEM);
  return 0;
}
