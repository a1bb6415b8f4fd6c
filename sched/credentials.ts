/**
 * Credentials of a task: ids, groups, capabilities (credentials(7), capabilities(7)). Immutable: a change makes a new
 * object, so that threads and open files may share one.
 */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Capability sets as bigint masks: rare enough. */
  readonly capEffective: bigint;
  readonly capPermitted: bigint;
  readonly capInheritable: bigint;
  readonly capBounding: bigint;
  readonly capAmbient: bigint;
  readonly securebits: number;
}

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_ADMIN = 12;
export const CAP_NET_RAW = 13;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_BOOT = 22;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_SYS_TTY_CONFIG = 26;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_SETFCAP = 31;
export const CAP_LAST = 40;

const ALL = (1n << BigInt(CAP_LAST + 1)) - 1n;

/** Whether `creds` has the capability in effect. */
export function capable(creds: Credentials, capability: number): boolean {
  return creds.capEffective === ALL || ((creds.capEffective >> BigInt(capability)) & 1n) === 1n;
}

/** Credentials of a login as uid/gid; root has every capability, others none. */
export function loginCredentials(uid: number, gid: number, groups: readonly number[] = []): Credentials {
  const caps = uid === 0 ? ALL : 0n;
  return {
    uid, gid, euid: uid, egid: gid, suid: uid, sgid: gid, fsuid: uid, fsgid: gid, groups,
    capEffective: caps, capPermitted: caps, capInheritable: 0n, capBounding: ALL, capAmbient: 0n, securebits: 0,
  };
}
