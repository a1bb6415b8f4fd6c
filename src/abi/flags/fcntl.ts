/**
 * fcntl(2): commands, descriptor flags, lock types, seals, owners, leases and dnotify.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_SETOWN = 8;
export const F_GETOWN = 9;
export const F_SETSIG = 10;
export const F_GETSIG = 11;
export const F_SETOWN_EX = 15;
export const F_GETOWN_EX = 16;
export const F_GETOWNER_UIDS = 17;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;
export const F_SETLEASE = 1024;
export const F_GETLEASE = 1025;
export const F_NOTIFY = 1026;
export const F_CANCELLK = 1029;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETPIPE_SZ = 1031;
export const F_GETPIPE_SZ = 1032;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;
export const FD_CLOEXEC = 1;
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;
export const LOCK_MAND = 32;
export const LOCK_RW = 192;
export const LOCK_READ = 64;
export const LOCK_WRITE = 128;
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
export const F_EXLCK = 4;
export const F_SHLCK = 8;
export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const F_SEAL_FUTURE_WRITE = 0x10;
export const F_OWNER_TID = 0;
export const F_OWNER_PID = 1;
export const F_OWNER_PGRP = 2;
export const DN_ACCESS = 1;
export const DN_MODIFY = 2;
export const DN_CREATE = 4;
export const DN_DELETE = 8;
export const DN_RENAME = 0x10;
export const DN_ATTRIB = 0x20;
export const DN_MULTISHOT = 0x80000000;
export const F_CREATED_QUERY = 1028;

/** strace: fcntlcmds. */
export const fcntlcmds = flagSet('F_???', {
  F_DUPFD,
  F_GETFD,
  F_SETFD,
  F_GETFL,
  F_SETFL,
  F_GETLK,
  F_SETLK,
  F_SETLKW,
  F_SETOWN,
  F_GETOWN,
  F_SETSIG,
  F_GETSIG,
  F_SETOWN_EX,
  F_GETOWN_EX,
  F_GETOWNER_UIDS,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETLEASE,
  F_GETLEASE,
  F_NOTIFY,
  F_CANCELLK,
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  F_GETPIPE_SZ,
  F_ADD_SEALS,
  F_GET_SEALS,
});

/** strace: fdflags. */
export const fdflags = flagSet('FD_???', { FD_CLOEXEC });

/** strace: flockcmds. */
export const flockcmds = flagSet('LOCK_???', {
  LOCK_SH,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  LOCK_MAND,
  LOCK_RW,
  LOCK_READ,
  LOCK_WRITE,
});

/** strace: lockfcmds. */
export const lockfcmds = flagSet('F_???', { F_RDLCK, F_WRLCK, F_UNLCK, F_EXLCK, F_SHLCK });

/** strace: f_seals. */
export const f_seals = flagSet('F_SEAL_???', {
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_GROW,
  F_SEAL_WRITE,
  F_SEAL_FUTURE_WRITE,
});

/** strace: f_owner_types. */
export const f_owner_types = flagSet('F_OWNER_???', { F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP });

/** strace: notifyflags. */
export const notifyflags = flagSet('DN_???', {
  DN_ACCESS,
  DN_MODIFY,
  DN_CREATE,
  DN_DELETE,
  DN_RENAME,
  DN_ATTRIB,
  DN_MULTISHOT,
});
