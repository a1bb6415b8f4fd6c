/** Process groups and sessions (setpgid(2), setsid(2)). Both live as long as they have members. */
import type { KernelState } from './kernel-state.js';
import type { ThreadGroup } from './thread-group.js';

export class Session {
  readonly id: number;
  readonly kernel: KernelState;
  readonly groups = new Set<ProcessGroup>();
  /** The leader, until it exits. */
  leader: ThreadGroup | null;
  /** Process 1 got it at boot and has not asked for one (setsid) yet. */
  given = false;
  /** /proc/PID/autogroup: each session is scheduled as one. */
  autogroupNice = 0;

  constructor(kernel: KernelState, id: number, leader: ThreadGroup | null) {
    this.kernel = kernel;
    this.id = id;
    this.leader = leader;
    kernel.pids.sessions.set(id, this);
  }
}

export class ProcessGroup {
  readonly id: number;
  readonly session: Session;
  readonly members = new Set<ThreadGroup>();

  constructor(id: number, session: Session) {
    this.id = id;
    this.session = session;
    session.groups.add(this);
    session.kernel.pids.processGroups.set(id, this);
  }

  add(member: ThreadGroup): void {
    this.members.add(member);
  }
  /** Takes a member out; the last one takes the group, and the last group the session, with it. */
  remove(member: ThreadGroup): void {
    this.members.delete(member);
    if (this.members.size > 0) return;
    const { session } = this;
    session.groups.delete(this);
    session.kernel.pids.processGroups.delete(this.id);
    if (session.groups.size === 0) session.kernel.pids.sessions.delete(session.id);
  }
  /**
   * Orphaned: no member has a parent in another group of the same session (POSIX; is_current_pgrp_orphaned). Such a
   * group's stop signals from the terminal are ignored.
   */
  orphaned(): boolean {
    for (const { parent, zombie } of this.members)
      if (!zombie && parent !== null && parent.processGroup !== this && parent.processGroup.session === this.session)
        return false;
    return true;
  }
}
