/** Default resource limits of process 1 (include/asm-generic/resource.h, INIT_RLIMITS). Infinity is RLIM_INFINITY. */
import type { ResourceLimit } from './thread-group.js';

/** `pids` bounds NPROC and SIGPENDING as fork_init does from memory size. */
export function defaultLimits(pids: number): ResourceLimit[] {
  const none = { soft: Infinity, hard: Infinity };
  const limit = (soft: number, hard = soft): ResourceLimit => ({ soft, hard });
  return [
    none,
    none,
    none,
    limit(8 << 20, Infinity),
    limit(0, Infinity),
    none,
    limit(pids),
    limit(1024, 4096),
    limit(8 << 20),
    none,
    none,
    limit(pids),
    limit(819200),
    limit(0),
    limit(0),
    none,
  ].map((entry) => ({ ...entry }));
}
