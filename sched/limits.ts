/** Default resource limits of process 1 (include/asm-generic/resource.h, INIT_RLIMITS). Infinity is RLIM_INFINITY. */
import type { ResourceLimit } from './thread-group.js';

export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;

/** `pids` bounds NPROC and SIGPENDING as fork_init does from memory size. */
export function defaultLimits(pids: number): ResourceLimit[] {
  const none = { soft: Infinity, hard: Infinity };
  const limit = (soft: number, hard = soft): ResourceLimit => ({ soft, hard });
  return [
    none, none, none, limit(8 << 20, Infinity), limit(0, Infinity), none, limit(pids), limit(1024, 4096),
    limit(8 << 20), none, none, limit(pids), limit(819200), limit(0), limit(0), none,
  ].map((entry) => ({ ...entry }));
}
