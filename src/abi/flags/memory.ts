/**
 * mmap(2) and friends: protection, map flags, mremap, madvise, mlock, memfd, memory policy.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';
import { O_CLOEXEC, O_NONBLOCK } from './open.js';

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const PROT_SEM = 8;
export const PROT_GROWSDOWN = 0x1000000;
export const PROT_GROWSUP = 0x2000000;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_SHARED_VALIDATE = 3;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_32BIT = { x86_64: 0x40, aarch64: undefined } as const;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_NONBLOCK = 0x10000;
export const MAP_GROWSDOWN = 0x100;
export const MAP_DENYWRITE = 0x800;
export const MAP_EXECUTABLE = 0x1000;
export const MAP_FILE = 0;
export const MAP_LOCKED = 0x2000;
export const MAP_STACK = 0x20000;
export const MAP_HUGETLB = 0x40000;
export const MAP_SYNC = 0x80000;
export const MAP_UNINITIALIZED = 0x4000000;
export const MAP_FIXED_NOREPLACE = 0x100000;
export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;
export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_DOFORK = 11;
export const MADV_MERGEABLE = 12;
export const MADV_UNMERGEABLE = 13;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_DONTDUMP = 16;
export const MADV_DODUMP = 17;
export const MADV_WIPEONFORK = 18;
export const MADV_KEEPONFORK = 19;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
export const MADV_DONTNEED_LOCKED = 24;
export const MADV_COLLAPSE = 25;
export const MADV_HWPOISON = 100;
export const MADV_SOFT_OFFLINE = 101;
export const MS_SYNC = 4;
export const MS_ASYNC = 1;
export const MS_INVALIDATE = 2;
export const MCL_CURRENT = 1;
export const MCL_FUTURE = 2;
export const MCL_ONFAULT = 4;
export const MLOCK_ONFAULT = 1;
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_HUGETLB = 4;
export const MPOL_DEFAULT = 0;
export const MPOL_PREFERRED = 1;
export const MPOL_BIND = 2;
export const MPOL_INTERLEAVE = 3;
export const MPOL_LOCAL = 4;
export const MPOL_PREFERRED_MANY = 5;
export const MPOL_F_STATIC_NODES = 0x8000;
export const MPOL_F_RELATIVE_NODES = 0x4000;
export const MPOL_F_NUMA_BALANCING = 0x2000;
export const MPOL_MF_STRICT = 1;
export const MPOL_MF_MOVE = 2;
export const MPOL_MF_MOVE_ALL = 4;
export const MPOL_F_NODE = 1;
export const MPOL_F_ADDR = 2;
export const MPOL_F_MEMS_ALLOWED = 4;
export const PKEY_DISABLE_ACCESS = 1;
export const PKEY_DISABLE_WRITE = 2;
export const PKEY_DISABLE_EXECUTE = 4;
export const MEMBARRIER_CMD_QUERY = 0;
export const MEMBARRIER_CMD_GLOBAL = 1;
export const MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2;
export const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40;
export const MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80;
export const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100;
export const MEMBARRIER_CMD_FLAG_CPU = 1;
export const UFFD_USER_MODE_ONLY = 1;
export const MAP_TYPE = 0xf;
export const MADV_GUARD_INSTALL = 0x66;
export const MADV_GUARD_REMOVE = 0x67;
export const MAP_DROPPABLE = 8;
export const MFD_NOEXEC_SEAL = 8;
export const MFD_EXEC = 0x10;

/** strace: mmap_prot. */
export const mmap_prot = flagSet('PROT_???', {
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  PROT_EXEC,
  PROT_SEM,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
});

/** strace: mmap_flags. */
export const mmap_flags = flagSet('MAP_???', {
  MAP_SHARED,
  MAP_PRIVATE,
  MAP_SHARED_VALIDATE,
  MAP_FIXED,
  MAP_ANONYMOUS,
  MAP_32BIT,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_NONBLOCK,
  MAP_GROWSDOWN,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_FILE,
  MAP_LOCKED,
  MAP_STACK,
  MAP_HUGETLB,
  MAP_SYNC,
  MAP_UNINITIALIZED,
  MAP_FIXED_NOREPLACE,
});

/** strace: mremap_flags. */
export const mremap_flags = flagSet('MREMAP_???', { MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP });

/** strace: madvise_cmds. */
export const madvise_cmds = flagSet('MADV_???', {
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_MERGEABLE,
  MADV_UNMERGEABLE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_WIPEONFORK,
  MADV_KEEPONFORK,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_DONTNEED_LOCKED,
  MADV_COLLAPSE,
  MADV_HWPOISON,
  MADV_SOFT_OFFLINE,
});

/** strace: mctl_sync. */
export const mctl_sync = flagSet('MS_???', { MS_SYNC, MS_ASYNC, MS_INVALIDATE });

/** strace: mlockall_flags. */
export const mlockall_flags = flagSet('MCL_???', { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT });

/** strace: mlock_flags. */
export const mlock_flags = flagSet('MLOCK_???', { MLOCK_ONFAULT });

/** strace: memfd_create_flags. */
export const memfd_create_flags = flagSet('MFD_???', { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB });

/** strace: memfd_secret_flags. */
export const memfd_secret_flags = flagSet('FD_???', { O_CLOEXEC });

/** strace: mpol_modes. */
export const mpol_modes = flagSet('MPOL_???', {
  MPOL_DEFAULT,
  MPOL_PREFERRED,
  MPOL_BIND,
  MPOL_INTERLEAVE,
  MPOL_LOCAL,
  MPOL_PREFERRED_MANY,
});

/** strace: mpol_mode_flags. */
export const mpol_mode_flags = flagSet('MPOL_???', {
  MPOL_F_STATIC_NODES,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_NUMA_BALANCING,
});

/** strace: mbind_flags. */
export const mbind_flags = flagSet('MPOL_???', { MPOL_MF_STRICT, MPOL_MF_MOVE, MPOL_MF_MOVE_ALL });

/** strace: get_mempolicy_flags. */
export const get_mempolicy_flags = flagSet('MPOL_???', { MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED });

/** strace: move_pages_flags. */
export const move_pages_flags = flagSet('MPOL_???', { MPOL_MF_MOVE, MPOL_MF_MOVE_ALL });

/** strace: pkey_access. */
export const pkey_access = flagSet('PKEY_???', { PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE, PKEY_DISABLE_EXECUTE });

/** strace: membarrier_cmds. */
export const membarrier_cmds = flagSet('MEMBARRIER_CMD_???', {
  MEMBARRIER_CMD_QUERY,
  MEMBARRIER_CMD_GLOBAL,
  MEMBARRIER_CMD_GLOBAL_EXPEDITED,
  MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
});

/** strace: membarrier_flags. */
export const membarrier_flags = flagSet('MEMBARRIER_CMD_FLAG_???', { MEMBARRIER_CMD_FLAG_CPU });

/** strace: uffd_flags. */
export const uffd_flags = flagSet('UFFD_???', { UFFD_USER_MODE_ONLY, O_NONBLOCK, O_CLOEXEC });
