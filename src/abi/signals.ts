/**
 * Signal names by number, as strace and /proc spell them, and which numbers exist.
 *
 * 32 and up are the kernel's real-time signals (libc keeps the first two or three for itself).
 */
export const NSIG = 64;
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;

/** Names of signals 1 to 31; index 0 is no signal (strace prints the bare number). */
export const SIGNAL_NAMES: readonly string[] = [
  '0',
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGUSR1',
  'SIGSEGV',
  'SIGUSR2',
  'SIGPIPE',
  'SIGALRM',
  'SIGTERM',
  'SIGSTKFLT',
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGPROF',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
];

/** Name of a signal number as strace prints it: SIGRT_5 for 37, the bare number when there is no such signal. */
export function signalName(signal: number): string {
  if (signal >= 0 && signal < SIGNAL_NAMES.length) return SIGNAL_NAMES[signal];
  if (signal === SIGRTMIN) return 'SIGRTMIN';
  if (signal > SIGRTMIN && signal <= SIGRTMAX) return `SIGRT_${signal - SIGRTMIN}`;
  return String(signal);
}
