/** Default actions (signal(7), "Standard signals"; linux/signal.h sig_kernel_*). */
import {
  SIGABRT,
  SIGBUS,
  SIGCHLD,
  SIGCONT,
  SIGFPE,
  SIGILL,
  SIGQUIT,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
  SIGXCPU,
  SIGXFSZ,
} from '../../src/abi/flags/signal.js';
import { SigSet } from './sigset.js';

export const STOP_SIGNALS = SigSet.of(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
export const IGNORED_BY_DEFAULT = SigSet.of(SIGCONT, SIGCHLD, SIGWINCH, SIGURG);
export const CORE_SIGNALS = SigSet.of(
  SIGQUIT,
  SIGILL,
  SIGTRAP,
  SIGABRT,
  SIGFPE,
  SIGSEGV,
  SIGBUS,
  SIGSYS,
  SIGXCPU,
  SIGXFSZ,
);
