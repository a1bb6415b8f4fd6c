/**
 * Signals: SA_ flags, sigprocmask, sigaltstack, si_codes, sigevent, signalfd.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const SA_RESTORER = 0x4000000;
export const SA_ONSTACK = 0x8000000;
export const SA_RESTART = 0x10000000;
export const SA_INTERRUPT = 0x20000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 0x80000000;
export const SA_SIGINFO = 4;
export const SA_NOCLDSTOP = 1;
export const SA_NOCLDWAIT = 2;
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;
export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x80000000;
export const SI_USER = 0;
export const SI_KERNEL = 128;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;
export const SI_DETHREAD = -7;
export const SI_ASYNCNL = -60;
export const ILL_ILLOPC = 1;
export const ILL_ILLOPN = 2;
export const ILL_ILLADR = 3;
export const ILL_ILLTRP = 4;
export const ILL_PRVOPC = 5;
export const ILL_PRVREG = 6;
export const ILL_COPROC = 7;
export const ILL_BADSTK = 8;
export const ILL_BADIADDR = 9;
export const __ILL_BREAK = 10;
export const __ILL_BNDMOD = 11;
export const FPE_INTDIV = 1;
export const FPE_INTOVF = 2;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const FPE_FLTSUB = 8;
export const __FPE_DECOVF = 9;
export const __FPE_DECDIV = 10;
export const __FPE_DECERR = 11;
export const __FPE_INVASC = 12;
export const __FPE_INVDEC = 13;
export const FPE_FLTUNK = 14;
export const FPE_CONDTRAP = 15;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const TRAP_BRANCH = 3;
export const TRAP_HWBKPT = 4;
export const TRAP_UNK = 5;
export const TRAP_PERF = 6;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;
export const POLL_IN = 1;
export const POLL_OUT = 2;
export const POLL_MSG = 3;
export const POLL_ERR = 4;
export const POLL_PRI = 5;
export const POLL_HUP = 6;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_BNDERR = 3;
export const SEGV_PKUERR = 4;
export const SEGV_ACCADI = 5;
export const SEGV_ADIDERR = 6;
export const SEGV_ADIPERR = 7;
export const SEGV_MTEAERR = 8;
export const SEGV_MTESERR = 9;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const BUS_OBJERR = 3;
export const BUS_MCEERR_AR = 4;
export const BUS_MCEERR_AO = 5;
export const SYS_SECCOMP = 1;
export const SYS_USER_DISPATCH = 2;
export const EMT_TAGOVF = 1;
export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;
export const SFD_CLOEXEC = 0o2000000;
export const SFD_NONBLOCK = 0o4000;
export const SIG_ERR = -1;
export const SIG_DFL = 0;
export const SIG_IGN = 1;
export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;

/** strace: sigact_flags. */
export const sigact_flags = flagSet('SA_???', {
  SA_RESTORER,
  SA_ONSTACK,
  SA_RESTART,
  SA_INTERRUPT,
  SA_NODEFER,
  SA_RESETHAND,
  SA_SIGINFO,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
});

/** strace: sigprocmaskcmds. */
export const sigprocmaskcmds = flagSet('SIG_???', { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK });

/** strace: sigaltstack_flags. */
export const sigaltstack_flags = flagSet('SS_???', { SS_ONSTACK, SS_DISABLE, SS_AUTODISARM });

/** strace: siginfo_codes. */
export const siginfo_codes = flagSet('SI_???', {
  SI_USER,
  SI_KERNEL,
  SI_QUEUE,
  SI_TIMER,
  SI_MESGQ,
  SI_ASYNCIO,
  SI_SIGIO,
  SI_TKILL,
  SI_DETHREAD,
  SI_ASYNCNL,
});

/** strace: sigill_codes. */
export const sigill_codes = flagSet('', {
  ILL_ILLOPC,
  ILL_ILLOPN,
  ILL_ILLADR,
  ILL_ILLTRP,
  ILL_PRVOPC,
  ILL_PRVREG,
  ILL_COPROC,
  ILL_BADSTK,
  ILL_BADIADDR,
  __ILL_BREAK,
  __ILL_BNDMOD,
});

/** strace: sigfpe_codes. */
export const sigfpe_codes = flagSet('', {
  FPE_INTDIV,
  FPE_INTOVF,
  FPE_FLTDIV,
  FPE_FLTOVF,
  FPE_FLTUND,
  FPE_FLTRES,
  FPE_FLTINV,
  FPE_FLTSUB,
  __FPE_DECOVF,
  __FPE_DECDIV,
  __FPE_DECERR,
  __FPE_INVASC,
  __FPE_INVDEC,
  FPE_FLTUNK,
  FPE_CONDTRAP,
});

/** strace: sigtrap_codes. */
export const sigtrap_codes = flagSet('', { TRAP_BRKPT, TRAP_TRACE, TRAP_BRANCH, TRAP_HWBKPT, TRAP_UNK, TRAP_PERF });

/** strace: sigchld_codes. */
export const sigchld_codes = flagSet('', {
  CLD_EXITED,
  CLD_KILLED,
  CLD_DUMPED,
  CLD_TRAPPED,
  CLD_STOPPED,
  CLD_CONTINUED,
});

/** strace: sigpoll_codes. */
export const sigpoll_codes = flagSet('', { POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP });

/** strace: sigsegv_codes. */
export const sigsegv_codes = flagSet('', {
  SEGV_MAPERR,
  SEGV_ACCERR,
  SEGV_BNDERR,
  SEGV_PKUERR,
  SEGV_ACCADI,
  SEGV_ADIDERR,
  SEGV_ADIPERR,
  SEGV_MTEAERR,
  SEGV_MTESERR,
});

/** strace: sigbus_codes. */
export const sigbus_codes = flagSet('', { BUS_ADRALN, BUS_ADRERR, BUS_OBJERR, BUS_MCEERR_AR, BUS_MCEERR_AO });

/** strace: sigsys_codes. */
export const sigsys_codes = flagSet('', { SYS_SECCOMP, SYS_USER_DISPATCH });

/** strace: sigprof_codes. */
export const sigprof_codes = flagSet('', {});

/** strace: sigemt_codes. */
export const sigemt_codes = flagSet('', { EMT_TAGOVF });

/** strace: sigev_value. */
export const sigev_value = flagSet('SIGEV_???', { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID });

/** strace: sfd_flags. */
export const sfd_flags = flagSet('SFD_???', { SFD_CLOEXEC, SFD_NONBLOCK });

/** strace: sa_handler_values. */
export const sa_handler_values = flagSet('SIG_???', { SIG_ERR, SIG_DFL, SIG_IGN });
