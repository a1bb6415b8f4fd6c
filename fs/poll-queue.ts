/**
 * A wait queue that says which poll events a wake is about, as the key of Linux's wait queue wakes does.
 *
 * Epoll's edge-triggered entries ignore wakes that cannot concern them; sleepers and plain poll ignore the events. 0 means
 * "may be anything" (what a plain WaitQueue says always).
 */
import { WaitQueue } from '../sched/wait.js';

export class PollQueue extends WaitQueue {
  /** POLL* bits of the wake in progress. */
  events = 0;

  wakeFor(events: number): void {
    if (this.empty) return;
    this.events = events;
    this.wakeAll();
    this.events = 0;
  }
}
