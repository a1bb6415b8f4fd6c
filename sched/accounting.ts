/** CPU time and memory accounting of thread groups (getrusage(2), times(2)). Nanoseconds. */
import type { ThreadGroup } from './thread-group.js';

export interface CpuTimes {
  userNs: number;
  systemNs: number;
}

/** Time of every thread, ended ones included. */
export function cpuTimes(group: ThreadGroup): CpuTimes {
  let userNs = group.deadUserNs;
  let systemNs = group.deadSystemNs;
  for (const task of group.threads) {
    const time = task.thread.cpuTimeNs();
    userNs += time.user;
    systemNs += time.system;
  }
  return { userNs, systemNs };
}
