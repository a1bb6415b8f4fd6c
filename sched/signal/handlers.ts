/** Signal dispositions: shared between the tasks of a thread group, and by CLONE_SIGHAND (sighand_struct). */
import { SIG_DFL, SIG_IGN } from '../../src/abi/flags/signal.js';
import { WaitQueue } from '../wait.js';
import { SigSet } from './sigset.js';

/** Immutable, so that a fork copies 64 pointers: a change replaces the object. */
export interface SigAction {
  /** Handler address, SIG_DFL or SIG_IGN. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly mask: Readonly<SigSet>;
}

export const DEFAULT_ACTION: SigAction = { handler: SIG_DFL, flags: 0, restorer: 0, mask: new SigSet() };
const IGNORE_ACTION: SigAction = { ...DEFAULT_ACTION, handler: SIG_IGN };

export class SignalHandlers {
  /** Tasks that share it. */
  users = 1;
  /** Index 1..64. */
  readonly actions: SigAction[];
  /** Woken whenever a signal is queued to a task that uses these: signalfd. */
  readonly queue = new WaitQueue();

  constructor(actions?: readonly SigAction[]) {
    this.actions = actions === undefined ? new Array<SigAction>(65).fill(DEFAULT_ACTION) : actions.slice();
  }
  copy(): SignalHandlers {
    return new SignalHandlers(this.actions);
  }
  /** exec: caught signals go back to the default, ignored ones stay ignored. */
  resetForExec(): void {
    for (let signal = 1; signal <= 64; signal++)
      this.actions[signal] = this.actions[signal].handler === SIG_IGN ? IGNORE_ACTION : DEFAULT_ACTION;
  }
}
