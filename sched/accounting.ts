/**
 * CPU time and memory accounting of thread groups (getrusage(2), times(2)). Nanoseconds and bytes.
 *
 * The peak RSS of a process is known for free when the host has collected it, some time after its end. So an ended group
 * keeps its address space to ask, and a parent those of waited-for children until the host has told their peaks.
 */
import type { AddressSpace } from '../src/platform/platform.js';
import type { ThreadGroup } from './thread-group.js';

export interface CpuTimes {
  userNs: number;
  systemNs: number;
}

/** What rusage reports. */
export interface ResourceUsage extends CpuTimes {
  maxRssBytes: number;
  minorFaults: number;
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

/** Most that was ever resident of a process, former address spaces included; it may have ended. */
export function maxRssBytes(group: ThreadGroup): number {
  const current = group.zombie ? group.endedSpace?.peakRssBytes() : group.leader.mm.peakRssBytes();
  return Math.max(group.maxRssBytes, current ?? 0);
}
/** The largest of the waited-for descendants. */
export function childMaxRssBytes(group: ThreadGroup): number {
  for (const space of group.childSpaces)
    group.childMaxRssBytes = Math.max(group.childMaxRssBytes, space.peakRssBytes());
  group.childSpaces.length = 0;
  return group.childMaxRssBytes;
}

/** What a process and its waited-for children have used: wait4(2). */
export function usageWithChildren(group: ThreadGroup): ResourceUsage {
  const own = cpuTimes(group);
  return {
    userNs: own.userNs + group.childUserNs,
    systemNs: own.systemNs + group.childSystemNs,
    maxRssBytes: Math.max(maxRssBytes(group), childMaxRssBytes(group)),
    minorFaults: group.minorFaults + group.childMinorFaults,
  };
}

/** The last thread of `group` ends: its address space ends with it, or is left to others as it is now. */
export function keepPeak(group: ThreadGroup, space: AddressSpace, shared: boolean): void {
  if (shared) group.maxRssBytes = Math.max(group.maxRssBytes, space.rssBytes());
  else group.endedSpace = space;
}

/** A child has been waited for: what it used is its parent's. */
export function addChildUsage(parent: ThreadGroup, child: ThreadGroup): void {
  parent.childUserNs += child.deadUserNs + child.childUserNs;
  parent.childSystemNs += child.deadSystemNs + child.childSystemNs;
  parent.childMinorFaults += child.minorFaults + child.childMinorFaults;
  parent.childMaxRssBytes = Math.max(parent.childMaxRssBytes, child.maxRssBytes, child.childMaxRssBytes);
  const { childSpaces } = parent;
  if (child.endedSpace !== null) childSpaces.push(child.endedSpace);
  for (const space of child.childSpaces) childSpaces.push(space);
  if (childSpaces.length === 0) return;
  // What the host has collected meanwhile leaves the list: only processes that are still dying stay there.
  let left = 0;
  for (const space of childSpaces)
    if (space.peakSettled) parent.childMaxRssBytes = Math.max(parent.childMaxRssBytes, space.peakRssBytes());
    else childSpaces[left++] = space;
  childSpaces.length = left;
}
