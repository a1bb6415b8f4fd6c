/** Signal dispositions: shared between the tasks of a thread group, and by CLONE_SIGHAND (sighand_struct). */
import { SIG_DFL, SIG_IGN } from '../../src/abi/flags/signal.js';
import { WaitQueue } from '../wait.js';
import { SigSet } from './sigset.js';

export interface SigAction {
  /** Handler address, SIG_DFL or SIG_IGN. */
  handler: number;
  flags: number;
  restorer: number;
  mask: SigSet;
}

const defaultAction = (): SigAction => ({ handler: SIG_DFL, flags: 0, restorer: 0, mask: new SigSet() });

export class SignalHandlers {
  /** Tasks that share it. */
  users = 1;
  /** Index 1..64. */
  readonly actions: SigAction[];
  /** Woken whenever a signal is queued to a task that uses these: signalfd. */
  readonly queue = new WaitQueue();

  constructor(actions?: readonly SigAction[]) {
    this.actions =
      actions === undefined
        ? Array.from({ length: 65 }, defaultAction)
        : actions.map((action) => ({ ...action, mask: action.mask.copy() }));
  }
  copy(): SignalHandlers {
    return new SignalHandlers(this.actions);
  }
  /** exec: caught signals go back to the default, ignored ones stay ignored. */
  resetForExec(): void {
    for (let signal = 1; signal <= 64; signal++)
      if (this.actions[signal].handler !== SIG_IGN) this.actions[signal] = defaultAction();
      else this.actions[signal] = { ...defaultAction(), handler: SIG_IGN };
  }
}
