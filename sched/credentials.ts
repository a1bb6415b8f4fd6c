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
    uid,
    gid,
    euid: uid,
    egid: gid,
    suid: uid,
    sgid: gid,
    fsuid: uid,
    fsgid: gid,
    groups,
    capEffective: caps,
    capPermitted: caps,
    capInheritable: 0n,
    capBounding: ALL,
    capAmbient: 0n,
    securebits: 0,
  };
}
