/**
 * System V and POSIX IPC.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';
import { O_NONBLOCK } from './open.js';

export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
export const IPC_PRIVATE = 0;
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;
export const SEM_UNDO = 0o10000;
export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;
export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;
export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;

/** strace: resource_flags. */
export const resource_flags = flagSet('IPC_???', { IPC_CREAT, IPC_EXCL, IPC_NOWAIT });

/** strace: ipc_private. */
export const ipc_private = flagSet('IPC_???', { IPC_PRIVATE });

/** strace: ipc_msg_flags. */
export const ipc_msg_flags = flagSet('MSG_???', { MSG_NOERROR, MSG_EXCEPT, MSG_COPY, IPC_NOWAIT });

/** strace: msgctl_flags. */
export const msgctl_flags = flagSet('MSG_???', {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  MSG_STAT,
  MSG_INFO,
  MSG_STAT_ANY,
});

/** strace: semctl_flags. */
export const semctl_flags = flagSet('SEM_???', {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  GETPID,
  GETVAL,
  GETALL,
  GETNCNT,
  GETZCNT,
  SETVAL,
  SETALL,
  SEM_STAT,
  SEM_INFO,
  SEM_STAT_ANY,
});

/** strace: semop_flags. */
export const semop_flags = flagSet('SEM_???', { SEM_UNDO, IPC_NOWAIT });

/** strace: shm_flags. */
export const shm_flags = flagSet('SHM_???', { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC });

/** strace: shm_resource_flags. */
export const shm_resource_flags = flagSet('SHM_???', { IPC_CREAT, IPC_EXCL, SHM_HUGETLB, SHM_NORESERVE });

/** strace: shmctl_flags. */
export const shmctl_flags = flagSet('SHM_???', {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  SHM_LOCK,
  SHM_UNLOCK,
  SHM_STAT,
  SHM_INFO,
  SHM_STAT_ANY,
});

/** strace: mq_attr_flags. */
export const mq_attr_flags = flagSet('O_???', { O_NONBLOCK });
