/**
 * Clone, wait, namespaces, kcmp, pidfd, priorities, personality, ptrace.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_PIDFD = 0x1000;
export const CLONE_PTRACE = 0x2000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x10000;
export const CLONE_NEWNS = 0x20000;
export const CLONE_SYSVSEM = 0x40000;
export const CLONE_SETTLS = 0x80000;
export const CLONE_PARENT_SETTID = 0x100000;
export const CLONE_CHILD_CLEARTID = 0x200000;
export const CLONE_UNTRACED = 0x800000;
export const CLONE_CHILD_SETTID = 0x1000000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;
export const CLONE_IO = 0x80000000;
export const CLONE_NEWTIME = 0x80;
export const CLONE_CLEAR_SIGHAND = 0x100000000;
export const CLONE_INTO_CGROUP = 0x200000000;
export const WNOHANG = 1;
export const WEXITED = 4;
export const WSTOPPED = 2;
export const WCONTINUED = 8;
export const WNOWAIT = 0x1000000;
export const __WCLONE = 0x80000000;
export const __WALL = 0x40000000;
export const __WNOTHREAD = 0x20000000;
export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;
export const KCMP_FILE = 0;
export const KCMP_VM = 1;
export const KCMP_FILES = 2;
export const KCMP_FS = 3;
export const KCMP_SIGHAND = 4;
export const KCMP_IO = 5;
export const KCMP_SYSVSEM = 6;
export const KCMP_EPOLL_TFD = 7;
export const PIDFD_NONBLOCK = 0o4000;
export const PRIO_PROCESS = 0;
export const PRIO_PGRP = 1;
export const PRIO_USER = 2;
export const RUSAGE_SELF = 0;
export const RUSAGE_CHILDREN = -1;
export const RUSAGE_BOTH = -2;
export const RUSAGE_THREAD = 1;
export const PER_LINUX = 0;
export const PER_LINUX_32BIT = 0x800000;
export const PER_LINUX_FDPIC = 0x80000;
export const PER_SVR4 = 0x4100001;
export const PER_SVR3 = 0x5000002;
export const PER_SCOSVR3 = 0x7000003;
export const PER_OSR5 = 0x6000003;
export const PER_WYSEV386 = 0x5000004;
export const PER_ISCR4 = 0x4000005;
export const PER_BSD = 6;
export const PER_SUNOS = 0x4000006;
export const PER_XENIX = 0x5000007;
export const PER_LINUX32 = 8;
export const PER_LINUX32_3GB = 0x8000008;
export const PER_IRIX32 = 0x4000009;
export const PER_IRIXN32 = 0x400000a;
export const PER_IRIX64 = 0x400000b;
export const PER_RISCOS = 0xc;
export const PER_SOLARIS = 0x400000d;
export const PER_UW7 = 0x410000e;
export const PER_OSF4 = 0xf;
export const PER_HPUX = 0x10;
export const PER_MASK = 0xff;
export const UNAME26 = 0x20000;
export const ADDR_NO_RANDOMIZE = 0x40000;
export const FDPIC_FUNCPTRS = 0x80000;
export const MMAP_PAGE_ZERO = 0x100000;
export const ADDR_COMPAT_LAYOUT = 0x200000;
export const READ_IMPLIES_EXEC = 0x400000;
export const ADDR_LIMIT_32BIT = 0x800000;
export const SHORT_INODE = 0x1000000;
export const WHOLE_SECONDS = 0x2000000;
export const STICKY_TIMEOUTS = 0x4000000;
export const ADDR_LIMIT_3GB = 0x8000000;
export const PTRACE_TRACEME = 0;
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_PEEKDATA = 2;
export const PTRACE_PEEKUSER = 3;
export const PTRACE_POKETEXT = 4;
export const PTRACE_POKEDATA = 5;
export const PTRACE_POKEUSER = 6;
export const PTRACE_CONT = 7;
export const PTRACE_KILL = 8;
export const PTRACE_SINGLESTEP = 9;
export const PTRACE_ATTACH = 16;
export const PTRACE_DETACH = 17;
export const PTRACE_SYSCALL = 24;
export const PTRACE_SETOPTIONS = 16896;
export const PTRACE_GETEVENTMSG = 16897;
export const PTRACE_GETSIGINFO = 16898;
export const PTRACE_SETSIGINFO = 16899;
export const PTRACE_GETREGSET = 16900;
export const PTRACE_SETREGSET = 16901;
export const PTRACE_SEIZE = 16902;
export const PTRACE_INTERRUPT = 16903;
export const PTRACE_LISTEN = 16904;
export const PTRACE_PEEKSIGINFO = 16905;
export const PTRACE_GETSIGMASK = 16906;
export const PTRACE_SETSIGMASK = 16907;
export const PTRACE_SECCOMP_GET_FILTER = 16908;
export const PTRACE_SECCOMP_GET_METADATA = 16909;
export const PTRACE_GET_SYSCALL_INFO = 16910;
export const PTRACE_GET_RSEQ_CONFIGURATION = 16911;
export const PTRACE_GETREGS = 12;
export const PTRACE_SETREGS = 13;
export const PTRACE_GETFPREGS = 14;
export const PTRACE_SETFPREGS = 15;
export const PTRACE_GETFPXREGS = { x86_64: 18, aarch64: undefined } as const;
export const PTRACE_SETFPXREGS = { x86_64: 19, aarch64: undefined } as const;
export const PTRACE_GETHBPREGS = { x86_64: undefined, aarch64: 29 } as const;
export const PTRACE_SETHBPREGS = { x86_64: undefined, aarch64: 30 } as const;
export const PTRACE_OLDSETOPTIONS = { x86_64: 21, aarch64: undefined } as const;
export const PTRACE_GET_THREAD_AREA = { x86_64: 25, aarch64: 22 } as const;
export const PTRACE_SET_THREAD_AREA = { x86_64: 26, aarch64: undefined } as const;
export const PTRACE_SYSEMU = 31;
export const PTRACE_SYSEMU_SINGLESTEP = 32;
export const PTRACE_SINGLEBLOCK = { x86_64: 33, aarch64: undefined } as const;
export const PTRACE_PEEKMTETAGS = { x86_64: undefined, aarch64: 33 } as const;
export const PTRACE_POKEMTETAGS = { x86_64: undefined, aarch64: 34 } as const;
export const PTRACE_SET_SYSCALL = { x86_64: undefined, aarch64: 23 } as const;
export const PTRACE_GETVFPREGS = { x86_64: undefined, aarch64: 27 } as const;
export const PTRACE_SETVFPREGS = { x86_64: undefined, aarch64: 28 } as const;
export const PTRACE_ARCH_PRCTL = { x86_64: 30, aarch64: undefined } as const;
export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_TRACEFORK = 2;
export const PTRACE_O_TRACEVFORK = 4;
export const PTRACE_O_TRACECLONE = 8;
export const PTRACE_O_TRACEEXEC = 0x10;
export const PTRACE_O_TRACEVFORKDONE = 0x20;
export const PTRACE_O_TRACEEXIT = 0x40;
export const PTRACE_O_TRACESECCOMP = 0x80;
export const PTRACE_O_EXITKILL = 0x100000;
export const PTRACE_O_SUSPEND_SECCOMP = 0x200000;
export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
export const PTRACE_EVENT_EXIT = 6;
export const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;
export const CSIGNAL = 255;
export const PIDFD_THREAD = 128;
export const PIDFD_SIGNAL_THREAD = 1;
export const PIDFD_SIGNAL_THREAD_GROUP = 2;
export const PIDFD_SIGNAL_PROCESS_GROUP = 4;

/** strace: clone_flags. */
export const clone_flags = flagSet('CLONE_???', {
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_VFORK,
  CLONE_PARENT,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_SETTLS,
  CLONE_PARENT_SETTID,
  CLONE_CHILD_CLEARTID,
  CLONE_UNTRACED,
  CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_IO,
});

/** strace: clone3_flags. */
export const clone3_flags = flagSet('CLONE_???', { CLONE_NEWTIME, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP });

/** strace: unshare_flags. */
export const unshare_flags = flagSet('CLONE_???', {
  CLONE_NEWTIME,
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
});

/** strace: setns_types. */
export const setns_types = flagSet('CLONE_NEW???', {
  CLONE_NEWTIME,
  CLONE_NEWNS,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
});

/** strace: wait4_options. */
export const wait4_options = flagSet('W???', {
  WNOHANG,
  WEXITED,
  WSTOPPED,
  WCONTINUED,
  WNOWAIT,
  __WCLONE,
  __WALL,
  __WNOTHREAD,
});

/** strace: waitid_types. */
export const waitid_types = flagSet('P_???', { P_ALL, P_PID, P_PGID, P_PIDFD });

/** strace: kcmp_types. */
export const kcmp_types = flagSet('KCMP_???', {
  KCMP_FILE,
  KCMP_VM,
  KCMP_FILES,
  KCMP_FS,
  KCMP_SIGHAND,
  KCMP_IO,
  KCMP_SYSVSEM,
  KCMP_EPOLL_TFD,
});

/** strace: pidfd_open_flags. */
export const pidfd_open_flags = flagSet('PIDFD_???', { PIDFD_NONBLOCK });

/** strace: priorities. */
export const priorities = flagSet('PRIO_???', { PRIO_PROCESS, PRIO_PGRP, PRIO_USER });

/** strace: usagewho. */
export const usagewho = flagSet('RUSAGE_???', { RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_BOTH, RUSAGE_THREAD });

/** strace: personality_types. */
export const personality_types = flagSet('PER_???', {
  PER_LINUX,
  PER_LINUX_32BIT,
  PER_LINUX_FDPIC,
  PER_SVR4,
  PER_SVR3,
  PER_SCOSVR3,
  PER_OSR5,
  PER_WYSEV386,
  PER_ISCR4,
  PER_BSD,
  PER_SUNOS,
  PER_XENIX,
  PER_LINUX32,
  PER_LINUX32_3GB,
  PER_IRIX32,
  PER_IRIXN32,
  PER_IRIX64,
  PER_RISCOS,
  PER_SOLARIS,
  PER_UW7,
  PER_OSF4,
  PER_HPUX,
  PER_MASK,
});

/** strace: personality_flags. */
export const personality_flags = flagSet('', {
  UNAME26,
  ADDR_NO_RANDOMIZE,
  FDPIC_FUNCPTRS,
  MMAP_PAGE_ZERO,
  ADDR_COMPAT_LAYOUT,
  READ_IMPLIES_EXEC,
  ADDR_LIMIT_32BIT,
  SHORT_INODE,
  WHOLE_SECONDS,
  STICKY_TIMEOUTS,
  ADDR_LIMIT_3GB,
});

/** strace: ptrace_cmds. */
export const ptrace_cmds = flagSet('PTRACE_???', {
  PTRACE_TRACEME,
  PTRACE_PEEKTEXT,
  PTRACE_PEEKDATA,
  PTRACE_PEEKUSER,
  PTRACE_POKETEXT,
  PTRACE_POKEDATA,
  PTRACE_POKEUSER,
  PTRACE_CONT,
  PTRACE_KILL,
  PTRACE_SINGLESTEP,
  PTRACE_ATTACH,
  PTRACE_DETACH,
  PTRACE_SYSCALL,
  PTRACE_SETOPTIONS,
  PTRACE_GETEVENTMSG,
  PTRACE_GETSIGINFO,
  PTRACE_SETSIGINFO,
  PTRACE_GETREGSET,
  PTRACE_SETREGSET,
  PTRACE_SEIZE,
  PTRACE_INTERRUPT,
  PTRACE_LISTEN,
  PTRACE_PEEKSIGINFO,
  PTRACE_GETSIGMASK,
  PTRACE_SETSIGMASK,
  PTRACE_SECCOMP_GET_FILTER,
  PTRACE_SECCOMP_GET_METADATA,
  PTRACE_GET_SYSCALL_INFO,
  PTRACE_GET_RSEQ_CONFIGURATION,
  PTRACE_GETREGS,
  PTRACE_SETREGS,
  PTRACE_GETFPREGS,
  PTRACE_SETFPREGS,
  PTRACE_GETFPXREGS,
  PTRACE_SETFPXREGS,
  PTRACE_GETHBPREGS,
  PTRACE_SETHBPREGS,
  PTRACE_OLDSETOPTIONS,
  PTRACE_GET_THREAD_AREA,
  PTRACE_SET_THREAD_AREA,
  PTRACE_SYSEMU,
  PTRACE_SYSEMU_SINGLESTEP,
  PTRACE_SINGLEBLOCK,
  PTRACE_PEEKMTETAGS,
  PTRACE_POKEMTETAGS,
  PTRACE_SET_SYSCALL,
  PTRACE_GETVFPREGS,
  PTRACE_SETVFPREGS,
  PTRACE_ARCH_PRCTL,
});

/** strace: ptrace_setoptions_flags. */
export const ptrace_setoptions_flags = flagSet('PTRACE_O_???', {
  PTRACE_O_TRACESYSGOOD,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEVFORK,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEVFORKDONE,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_TRACESECCOMP,
  PTRACE_O_EXITKILL,
  PTRACE_O_SUSPEND_SECCOMP,
});

/** strace: ptrace_events. */
export const ptrace_events = flagSet('PTRACE_EVENT_???', {
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_VFORK,
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_EXEC,
  PTRACE_EVENT_VFORK_DONE,
  PTRACE_EVENT_EXIT,
  PTRACE_EVENT_SECCOMP,
  PTRACE_EVENT_STOP,
});
