/**
 * prctl(2), securebits.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const PR_SET_PDEATHSIG = 1;
export const PR_GET_PDEATHSIG = 2;
export const PR_GET_DUMPABLE = 3;
export const PR_SET_DUMPABLE = 4;
export const PR_GET_UNALIGN = 5;
export const PR_SET_UNALIGN = 6;
export const PR_GET_KEEPCAPS = 7;
export const PR_SET_KEEPCAPS = 8;
export const PR_GET_FPEMU = 9;
export const PR_SET_FPEMU = 10;
export const PR_GET_FPEXC = 11;
export const PR_SET_FPEXC = 12;
export const PR_GET_TIMING = 13;
export const PR_SET_TIMING = 14;
export const PR_SET_NAME = 15;
export const PR_GET_NAME = 16;
export const PR_GET_ENDIAN = 19;
export const PR_SET_ENDIAN = 20;
export const PR_GET_SECCOMP = 21;
export const PR_SET_SECCOMP = 22;
export const PR_CAPBSET_READ = 23;
export const PR_CAPBSET_DROP = 24;
export const PR_GET_TSC = 25;
export const PR_SET_TSC = 26;
export const PR_GET_SECUREBITS = 27;
export const PR_SET_SECUREBITS = 28;
export const PR_SET_TIMERSLACK = 29;
export const PR_GET_TIMERSLACK = 30;
export const PR_TASK_PERF_EVENTS_DISABLE = 31;
export const PR_TASK_PERF_EVENTS_ENABLE = 32;
export const PR_MCE_KILL = 33;
export const PR_MCE_KILL_GET = 34;
export const PR_SET_MM = 35;
export const PR_SET_CHILD_SUBREAPER = 36;
export const PR_GET_CHILD_SUBREAPER = 37;
export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_GET_NO_NEW_PRIVS = 39;
export const PR_GET_TID_ADDRESS = 40;
export const PR_SET_THP_DISABLE = 41;
export const PR_GET_THP_DISABLE = 42;
export const PR_MPX_ENABLE_MANAGEMENT = 43;
export const PR_MPX_DISABLE_MANAGEMENT = 44;
export const PR_SET_FP_MODE = 45;
export const PR_GET_FP_MODE = 46;
export const PR_CAP_AMBIENT = 47;
export const PR_SVE_SET_VL = 50;
export const PR_SVE_GET_VL = 51;
export const PR_GET_SPECULATION_CTRL = 52;
export const PR_SET_SPECULATION_CTRL = 53;
export const PR_PAC_RESET_KEYS = 54;
export const PR_SET_TAGGED_ADDR_CTRL = 55;
export const PR_GET_TAGGED_ADDR_CTRL = 56;
export const PR_SET_IO_FLUSHER = 57;
export const PR_GET_IO_FLUSHER = 58;
export const PR_SET_SYSCALL_USER_DISPATCH = 59;
export const PR_PAC_SET_ENABLED_KEYS = 60;
export const PR_PAC_GET_ENABLED_KEYS = 61;
export const PR_SCHED_CORE = 62;
export const PR_SME_SET_VL = 63;
export const PR_SME_GET_VL = 64;
export const PR_SET_VMA = 0x53564d41;
export const PR_SET_PTRACER = 0x59616d61;
export const PR_CAP_AMBIENT_IS_SET = 1;
export const PR_CAP_AMBIENT_RAISE = 2;
export const PR_CAP_AMBIENT_LOWER = 3;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;
export const SUID_DUMP_DISABLE = 0;
export const SUID_DUMP_USER = 1;
export const SUID_DUMP_ROOT = 2;
export const PR_MCE_KILL_CLEAR = 0;
export const PR_MCE_KILL_SET = 1;
export const PR_MCE_KILL_LATE = 0;
export const PR_MCE_KILL_EARLY = 1;
export const PR_MCE_KILL_DEFAULT = 2;
export const PR_SET_MM_START_CODE = 1;
export const PR_SET_MM_END_CODE = 2;
export const PR_SET_MM_START_DATA = 3;
export const PR_SET_MM_END_DATA = 4;
export const PR_SET_MM_START_STACK = 5;
export const PR_SET_MM_START_BRK = 6;
export const PR_SET_MM_BRK = 7;
export const PR_SET_MM_ARG_START = 8;
export const PR_SET_MM_ARG_END = 9;
export const PR_SET_MM_ENV_START = 10;
export const PR_SET_MM_ENV_END = 11;
export const PR_SET_MM_AUXV = 12;
export const PR_SET_MM_EXE_FILE = 13;
export const PR_SET_MM_MAP = 14;
export const PR_SET_MM_MAP_SIZE = 15;
export const PR_SET_VMA_ANON_NAME = 0;
export const PR_SPEC_STORE_BYPASS = 0;
export const PR_SPEC_INDIRECT_BRANCH = 1;
export const PR_SPEC_L1D_FLUSH = 2;
export const PR_SPEC_NOT_AFFECTED = 0;
export const PR_SPEC_PRCTL = 1;
export const PR_SPEC_ENABLE = 2;
export const PR_SPEC_DISABLE = 4;
export const PR_SPEC_FORCE_DISABLE = 8;
export const PR_SPEC_DISABLE_NOEXEC = 0x10;
export const PR_TSC_ENABLE = 1;
export const PR_TSC_SIGSEGV = 2;
export const PR_UNALIGN_NOPRINT = 1;
export const PR_UNALIGN_SIGBUS = 2;
export const PR_FP_MODE_FR = 1;
export const PR_FP_MODE_FRE = 2;
export const PR_PAC_APGAKEY = 0x10;
export const PR_SYS_DISPATCH_OFF = 0;
export const PR_SYS_DISPATCH_ON = 1;
export const PR_SCHED_CORE_GET = 0;
export const PR_SCHED_CORE_CREATE = 1;
export const PR_SCHED_CORE_SHARE_TO = 2;
export const PR_SCHED_CORE_SHARE_FROM = 3;
export const PIDTYPE_PID = 0;
export const PIDTYPE_TGID = 1;
export const PIDTYPE_PGID = 2;
export const PIDTYPE_SID = 3;
export const PR_SVE_SET_VL_ONEXEC = 0x40000;
export const PR_SVE_VL_INHERIT = 0x20000;
export const PR_SME_SET_VL_ONEXEC = 0x40000;
export const PR_SME_VL_INHERIT = 0x20000;
export const PR_TAGGED_ADDR_ENABLE = 1;
export const PR_THP_DISABLE_EXCEPT_ADVISED = 2;
export const PR_MTE_TCF_NONE = 0;
export const PR_MTE_TCF_SYNC = 2;
export const PR_MTE_TCF_ASYNC = 4;
export const PR_MTE_TCF_MASK = 6;
export const PR_PAC_APIAKEY = 1;
export const PR_PAC_APIBKEY = 2;
export const PR_PAC_APDAKEY = 4;
export const PR_PAC_APDBKEY = 8;
export const SECBIT_NOROOT = 1;
export const SECBIT_NOROOT_LOCKED = 2;
export const SECBIT_NO_SETUID_FIXUP = 4;
export const SECBIT_NO_SETUID_FIXUP_LOCKED = 8;
export const SECBIT_KEEP_CAPS = 0x10;
export const SECBIT_KEEP_CAPS_LOCKED = 0x20;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;
export const SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80;
export const PR_SET_MDWE = 65;
export const PR_GET_MDWE = 66;
export const PR_SET_MEMORY_MERGE = 67;
export const PR_GET_MEMORY_MERGE = 68;
export const PR_GET_SHADOW_STACK_STATUS = 74;
export const PR_SET_SHADOW_STACK_STATUS = 75;
export const PR_LOCK_SHADOW_STACK_STATUS = 76;
export const PR_GET_AUXV = 0x41555856;
export const PR_TIMER_CREATE_RESTORE_IDS = 77;
export const PR_FUTEX_HASH = 78;

/** strace: prctl_options. */
export const prctl_options = flagSet('PR_???', {
  PR_SET_PDEATHSIG,
  PR_GET_PDEATHSIG,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  PR_GET_UNALIGN,
  PR_SET_UNALIGN,
  PR_GET_KEEPCAPS,
  PR_SET_KEEPCAPS,
  PR_GET_FPEMU,
  PR_SET_FPEMU,
  PR_GET_FPEXC,
  PR_SET_FPEXC,
  PR_GET_TIMING,
  PR_SET_TIMING,
  PR_SET_NAME,
  PR_GET_NAME,
  PR_GET_ENDIAN,
  PR_SET_ENDIAN,
  PR_GET_SECCOMP,
  PR_SET_SECCOMP,
  PR_CAPBSET_READ,
  PR_CAPBSET_DROP,
  PR_GET_TSC,
  PR_SET_TSC,
  PR_GET_SECUREBITS,
  PR_SET_SECUREBITS,
  PR_SET_TIMERSLACK,
  PR_GET_TIMERSLACK,
  PR_TASK_PERF_EVENTS_DISABLE,
  PR_TASK_PERF_EVENTS_ENABLE,
  PR_MCE_KILL,
  PR_MCE_KILL_GET,
  PR_SET_MM,
  PR_SET_CHILD_SUBREAPER,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_NO_NEW_PRIVS,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_TID_ADDRESS,
  PR_SET_THP_DISABLE,
  PR_GET_THP_DISABLE,
  PR_MPX_ENABLE_MANAGEMENT,
  PR_MPX_DISABLE_MANAGEMENT,
  PR_SET_FP_MODE,
  PR_GET_FP_MODE,
  PR_CAP_AMBIENT,
  PR_SVE_SET_VL,
  PR_SVE_GET_VL,
  PR_GET_SPECULATION_CTRL,
  PR_SET_SPECULATION_CTRL,
  PR_PAC_RESET_KEYS,
  PR_SET_TAGGED_ADDR_CTRL,
  PR_GET_TAGGED_ADDR_CTRL,
  PR_SET_IO_FLUSHER,
  PR_GET_IO_FLUSHER,
  PR_SET_SYSCALL_USER_DISPATCH,
  PR_PAC_SET_ENABLED_KEYS,
  PR_PAC_GET_ENABLED_KEYS,
  PR_SCHED_CORE,
  PR_SME_SET_VL,
  PR_SME_GET_VL,
  PR_SET_VMA,
  PR_SET_PTRACER,
});

/** strace: pr_cap_ambient. */
export const pr_cap_ambient = flagSet('PR_CAP_AMBIENT_???', {
  PR_CAP_AMBIENT_IS_SET,
  PR_CAP_AMBIENT_RAISE,
  PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_CLEAR_ALL,
});

/** strace: pr_dumpable. */
export const pr_dumpable = flagSet('SUID_DUMP_???', { SUID_DUMP_DISABLE, SUID_DUMP_USER, SUID_DUMP_ROOT });

/** strace: pr_mce_kill. */
export const pr_mce_kill = flagSet('PR_MCE_KILL_???', { PR_MCE_KILL_CLEAR, PR_MCE_KILL_SET });

/** strace: pr_mce_kill_policy. */
export const pr_mce_kill_policy = flagSet('PR_MCE_KILL_???', {
  PR_MCE_KILL_LATE,
  PR_MCE_KILL_EARLY,
  PR_MCE_KILL_DEFAULT,
});

/** strace: pr_set_mm. */
export const pr_set_mm = flagSet('PR_SET_MM_???', {
  PR_SET_MM_START_CODE,
  PR_SET_MM_END_CODE,
  PR_SET_MM_START_DATA,
  PR_SET_MM_END_DATA,
  PR_SET_MM_START_STACK,
  PR_SET_MM_START_BRK,
  PR_SET_MM_BRK,
  PR_SET_MM_ARG_START,
  PR_SET_MM_ARG_END,
  PR_SET_MM_ENV_START,
  PR_SET_MM_ENV_END,
  PR_SET_MM_AUXV,
  PR_SET_MM_EXE_FILE,
  PR_SET_MM_MAP,
  PR_SET_MM_MAP_SIZE,
});

/** strace: pr_set_vma. */
export const pr_set_vma = flagSet('PR_SET_VMA_???', { PR_SET_VMA_ANON_NAME });

/** strace: pr_spec_cmds. */
export const pr_spec_cmds = flagSet('PR_SPEC_???', {
  PR_SPEC_STORE_BYPASS,
  PR_SPEC_INDIRECT_BRANCH,
  PR_SPEC_L1D_FLUSH,
});

/** strace: pr_spec_get_store_bypass_flags. */
export const pr_spec_get_store_bypass_flags = flagSet('', {
  PR_SPEC_NOT_AFFECTED,
  PR_SPEC_PRCTL,
  PR_SPEC_ENABLE,
  PR_SPEC_DISABLE,
  PR_SPEC_FORCE_DISABLE,
  PR_SPEC_DISABLE_NOEXEC,
});

/** strace: pr_spec_set_store_bypass_flags. */
export const pr_spec_set_store_bypass_flags = flagSet('PR_SPEC_???', {
  PR_SPEC_ENABLE,
  PR_SPEC_DISABLE,
  PR_SPEC_FORCE_DISABLE,
  PR_SPEC_DISABLE_NOEXEC,
});

/** strace: pr_tsc. */
export const pr_tsc = flagSet('PR_TSC_???', { PR_TSC_ENABLE, PR_TSC_SIGSEGV });

/** strace: pr_unalign_flags. */
export const pr_unalign_flags = flagSet('PR_UNALIGN_???', { PR_UNALIGN_NOPRINT, PR_UNALIGN_SIGBUS });

/** strace: pr_fp_mode. */
export const pr_fp_mode = flagSet('PR_FP_MODE_???', { PR_FP_MODE_FR, PR_FP_MODE_FRE });

/** strace: pr_pac_keys. */
export const pr_pac_keys = flagSet('', { PR_PAC_APGAKEY });

/** strace: pr_sud_cmds. */
export const pr_sud_cmds = flagSet('PR_SYS_DISPATCH_???', { PR_SYS_DISPATCH_OFF, PR_SYS_DISPATCH_ON });

/** strace: pr_sched_core_cmds. */
export const pr_sched_core_cmds = flagSet('PR_SCHED_CORE_???', {
  PR_SCHED_CORE_GET,
  PR_SCHED_CORE_CREATE,
  PR_SCHED_CORE_SHARE_TO,
  PR_SCHED_CORE_SHARE_FROM,
});

/** strace: pr_sched_core_pidtypes. */
export const pr_sched_core_pidtypes = flagSet('PIDTYPE_???', { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID });

/** strace: pr_sve_vl_flags. */
export const pr_sve_vl_flags = flagSet('', { PR_SVE_SET_VL_ONEXEC, PR_SVE_VL_INHERIT });

/** strace: pr_sme_vl_flags. */
export const pr_sme_vl_flags = flagSet('', { PR_SME_SET_VL_ONEXEC, PR_SME_VL_INHERIT });

/** strace: pr_tagged_addr_enable. */
export const pr_tagged_addr_enable = flagSet('', { PR_TAGGED_ADDR_ENABLE });

/** strace: pr_tagged_addr_mte_tcf. */
export const pr_tagged_addr_mte_tcf = flagSet('', {
  PR_MTE_TCF_NONE,
  PR_MTE_TCF_SYNC,
  PR_MTE_TCF_ASYNC,
  PR_MTE_TCF_MASK,
});

/** strace: pr_pac_enabled_keys. */
export const pr_pac_enabled_keys = flagSet('PR_PAC_???', {
  PR_PAC_APIAKEY,
  PR_PAC_APIBKEY,
  PR_PAC_APDAKEY,
  PR_PAC_APDBKEY,
});

/** strace: secbits. */
export const secbits = flagSet('SECBIT_???', {
  SECBIT_NOROOT,
  SECBIT_NOROOT_LOCKED,
  SECBIT_NO_SETUID_FIXUP,
  SECBIT_NO_SETUID_FIXUP_LOCKED,
  SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
});
