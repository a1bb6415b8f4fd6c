/**
 * Changing ids (credentials(7); kernel/sys.c): each function returns the new credentials or throws EPERM/EINVAL.
 *
 * Effects on capabilities follow cap_emulate_setxuid: leaving uid 0 in all three ids drops permitted, effective and ambient;
 * effective uid 0 <-> non-zero switches the effective set.
 */
import { EINVAL, EPERM, errno } from '../src/abi/errno.js';
import { capable, type Credentials } from './credentials.js';
import { CAP_SETGID, CAP_SETUID } from '../src/abi/flags/capability.js';

/** (uid_t)-1: leave as it is. */
const KEEP = 0xffff_ffff;
const SECBIT_KEEP_CAPS = 1 << 4;
const SECBIT_NOROOT = 1;
const SECBIT_NO_SETUID_FIXUP = 1 << 2;
/** Capabilities that follow the filesystem uid (CAP_FS_MASK). */
const CAP_FS = (1n << 0n) | (1n << 1n) | (1n << 2n) | (1n << 3n) | (1n << 4n) | (1n << 9n) | (1n << 27n) | (1n << 32n);

type Mutable = { -readonly [K in keyof Credentials]: Credentials[K] };

function fixCapabilities(old: Credentials, next: Mutable): Credentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const wasRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const isRoot = next.uid === 0 || next.euid === 0 || next.suid === 0;
  if (wasRoot && !isRoot) {
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) {
      next.capPermitted = 0n;
      next.capEffective = 0n;
    }
    next.capAmbient = 0n;
  }
  if (old.euid === 0 && next.euid !== 0) next.capEffective = 0n;
  if (old.euid !== 0 && next.euid === 0) next.capEffective = next.capPermitted;
  return next;
}

const user = (c: Credentials): Mutable => ({ ...c });

export function setuid(c: Credentials, uid: number): Credentials {
  if (uid === KEEP) throw errno(EINVAL);
  const next = user(c);
  if (capable(c, CAP_SETUID)) {
    next.uid = uid;
    next.suid = uid;
  } else if (uid !== c.uid && uid !== c.suid) throw errno(EPERM);
  next.euid = uid;
  next.fsuid = uid;
  return fixCapabilities(c, next);
}

export function setgid(c: Credentials, gid: number): Credentials {
  if (gid === KEEP) throw errno(EINVAL);
  const next = user(c);
  if (capable(c, CAP_SETGID)) {
    next.gid = gid;
    next.sgid = gid;
  } else if (gid !== c.gid && gid !== c.sgid) throw errno(EPERM);
  next.egid = gid;
  next.fsgid = gid;
  return next;
}

export function setreuid(c: Credentials, ruid: number, euid: number): Credentials {
  const next = user(c);
  const privileged = capable(c, CAP_SETUID);
  if (ruid !== KEEP) {
    if (!privileged && ruid !== c.uid && ruid !== c.euid) throw errno(EPERM);
    next.uid = ruid;
  }
  if (euid !== KEEP) {
    if (!privileged && euid !== c.uid && euid !== c.euid && euid !== c.suid) throw errno(EPERM);
    next.euid = euid;
  }
  if (ruid !== KEEP || (euid !== KEEP && euid !== c.uid)) next.suid = next.euid;
  next.fsuid = next.euid;
  return fixCapabilities(c, next);
}

export function setregid(c: Credentials, rgid: number, egid: number): Credentials {
  const next = user(c);
  const privileged = capable(c, CAP_SETGID);
  if (rgid !== KEEP) {
    if (!privileged && rgid !== c.gid && rgid !== c.egid) throw errno(EPERM);
    next.gid = rgid;
  }
  if (egid !== KEEP) {
    if (!privileged && egid !== c.gid && egid !== c.egid && egid !== c.sgid) throw errno(EPERM);
    next.egid = egid;
  }
  if (rgid !== KEEP || (egid !== KEEP && egid !== c.gid)) next.sgid = next.egid;
  next.fsgid = next.egid;
  return next;
}

export function setresuid(c: Credentials, ruid: number, euid: number, suid: number): Credentials {
  const allowed = (id: number): boolean => id === KEEP || id === c.uid || id === c.euid || id === c.suid;
  if (!capable(c, CAP_SETUID) && !(allowed(ruid) && allowed(euid) && allowed(suid))) throw errno(EPERM);
  const next = user(c);
  if (ruid !== KEEP) next.uid = ruid;
  if (euid !== KEEP) next.euid = euid;
  if (suid !== KEEP) next.suid = suid;
  next.fsuid = next.euid;
  return fixCapabilities(c, next);
}

export function setresgid(c: Credentials, rgid: number, egid: number, sgid: number): Credentials {
  const allowed = (id: number): boolean => id === KEEP || id === c.gid || id === c.egid || id === c.sgid;
  if (!capable(c, CAP_SETGID) && !(allowed(rgid) && allowed(egid) && allowed(sgid))) throw errno(EPERM);
  const next = user(c);
  if (rgid !== KEEP) next.gid = rgid;
  if (egid !== KEEP) next.egid = egid;
  if (sgid !== KEEP) next.sgid = sgid;
  next.fsgid = next.egid;
  return next;
}

/** setfsuid(2) has no errors: it returns the old id and changes it if allowed. */
export function setfsuid(c: Credentials, uid: number): Credentials {
  const allowed = uid === c.uid || uid === c.euid || uid === c.suid || uid === c.fsuid || capable(c, CAP_SETUID);
  if (uid === KEEP || !allowed || uid === c.fsuid) return c;
  const next = user(c);
  next.fsuid = uid;
  if (c.fsuid === 0 && uid !== 0) next.capEffective &= ~CAP_FS;
  if (c.fsuid !== 0 && uid === 0) next.capEffective |= CAP_FS & c.capPermitted;
  return next;
}

export function setfsgid(c: Credentials, gid: number): Credentials {
  const allowed = gid === c.gid || gid === c.egid || gid === c.sgid || gid === c.fsgid || capable(c, CAP_SETGID);
  return gid === KEEP || !allowed ? c : { ...c, fsgid: gid };
}

export function setgroups(c: Credentials, groups: readonly number[]): Credentials {
  if (!capable(c, CAP_SETGID)) throw errno(EPERM);
  return { ...c, groups: [...groups].sort((a, b) => a - b) };
}

/** Credentials after execve of a file with set-id bits, and root's capabilities (capabilities(7), "Transformation"). */
export function execCredentials(c: Credentials, setUid: number | null, setGid: number | null): Credentials {
  const next = user(c);
  if (setUid !== null) next.euid = setUid;
  if (setGid !== null) next.egid = setGid;
  next.suid = next.euid;
  next.sgid = next.egid;
  next.fsuid = next.euid;
  next.fsgid = next.egid;
  if (next.euid !== c.uid || next.egid !== c.gid) next.capAmbient = 0n;
  if ((next.uid === 0 || next.euid === 0) && (c.securebits & SECBIT_NOROOT) === 0) {
    next.capPermitted = c.capInheritable | c.capBounding;
    next.capEffective = next.euid === 0 ? next.capPermitted : next.capAmbient;
  } else {
    next.capPermitted = next.capAmbient;
    next.capEffective = next.capAmbient;
  }
  next.securebits &= ~SECBIT_KEEP_CAPS;
  return next;
}
