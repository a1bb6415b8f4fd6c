/**
 * Address spaces: mmap(2), brk(2), mremap(2), mprotect(2), madvise(2), mlock(2), protection keys, process_vm_readv(2). The
 * work and most checks are src/mm's; here is what needs descriptors, other processes and limits.
 *
 * Linux oddity: mmap looks up the descriptor before it looks at the length, and MAP_ANONYMOUS ignores it altogether.
 */
import { EFAULT, EINVAL, ENOMEM, ENOSPC, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK } from '../src/abi/flags/limits.js';
import {
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_PAGEOUT,
  MADV_WILLNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_HUGETLB,
  MAP_POPULATE,
  MAP_SHARED,
  MEMBARRIER_CMD_QUERY,
  MLOCK_ONFAULT,
  PROT_WRITE,
} from '../src/abi/flags/memory.js';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../src/abi/flags/open.js';
import { VM_MAYWRITE, VM_SHARED } from '../src/mm/memory-map.js';
import { copyBetween, readIoVectors } from '../src/mm/process-vm.js';
import { capable } from '../sched/credentials.js';
import { CAP_IPC_LOCK, CAP_SYS_PTRACE } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { F_SEAL_FUTURE_WRITE, F_SEAL_WRITE } from '../src/abi/flags/fcntl.js';
import { MNT_NOEXEC } from '../fs/mount.js';
import type {} from '../fs/devtmpfs/mem-devices.js';
import type {} from '../fs/task-parts.js';
import { pidfdGroup } from '../src/ipc/pidfd.js';
import {
  absent,
  addr,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  hex32,
  int,
  iovec,
  longFlags,
  pid,
  row,
  size,
  taggedAddr,
  ulong,
  word,
  type Row,
} from './row.js';

/** The group's limits as its address space sees them; before any call that may add memory. */
export function syncLimits(task: Task): void {
  const { limits } = task.mm;
  const of = task.group.limits;
  limits.addressSpace = of[RLIMIT_AS].soft;
  limits.data = of[RLIMIT_DATA].soft;
  limits.stack = of[RLIMIT_STACK].soft;
  limits.memlock = capable(task.creds, CAP_IPC_LOCK) ? Infinity : of[RLIMIT_MEMLOCK].soft;
}

function mmap(
  task: Task,
  at: number,
  length: number,
  prot: number,
  flagBits: number,
  fdNumber: number,
  offset: number,
): number {
  const { mm, regs } = task;
  // The register itself: an offset above 2^53 has lost its low bits here.
  if (regs.lo(regs.layout.args[5]) % mm.platform.pageSize !== 0) throw errno(EINVAL);
  syncLimits(task);
  const request = { addr: at, length, prot, flags: flagBits, file: null, offset, mayWrite: true };
  if ((flagBits & MAP_ANONYMOUS) !== 0) return mm.mmap(request);
  const file = task.files.getIo(fdNumber);
  if ((flagBits & MAP_HUGETLB) !== 0) throw errno(EINVAL);
  const mode = file.flags & O_ACCMODE;
  const descriptor = {
    readable: mode !== O_WRONLY,
    writable: mode !== O_RDONLY,
    noexec: file.place !== null && (file.place.mount.flags & MNT_NOEXEC) !== 0,
    open: () =>
      file.mapsAnonymous === true
        ? null
        : file.mapping(task, (flagBits & MAP_SHARED) !== 0 && (prot & PROT_WRITE) !== 0),
  };
  // What is sealed against writing cannot be made writable later (seal_check_write).
  const sealed = ((file.inode.seals ?? 0) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0;
  return mm.mmap({ ...request, mayWrite: descriptor.writable && !sealed, descriptor });
}

function mremap(task: Task, at: number, oldSize: number, newSize: number, flagBits: number, newAt: number): number {
  syncLimits(task);
  return task.mm.mremap(at, oldSize, newSize, flagBits, newAt);
}

function mprotect(task: Task, at: number, length: number, prot: number): number {
  syncLimits(task);
  if (prot >= 2 ** 32) throw errno(EINVAL);
  task.mm.mprotect(at, length, prot);
  return 0;
}

/** In pieces, so that a hole or a bad vector is found after what lies before it, as in Linux. */
function mincore(task: Task, at: number, length: number, vector: number): number {
  const { mm } = task;
  const { pageSize, taskSize } = mm.platform;
  if (at % pageSize !== 0) throw errno(EINVAL);
  if (at + length > taskSize) throw errno(ENOMEM);
  const pages = Math.ceil(length / pageSize);
  if (vector + pages > taskSize) throw errno(EFAULT);
  for (let done = 0; done < pages;) {
    const from = at + done * pageSize;
    const vma = mm.find(from);
    if (vma === null) throw errno(ENOMEM);
    const n = Math.min(pageSize, pages - done, (vma.end - from) / pageSize);
    mm.copyOut(vector + done, mm.mincore(from, n * pageSize), 0, n);
    done += n;
  }
  return 0;
}

function remapFilePages(task: Task, at: number, length: number, prot: number, pageOffset: number): number {
  const { mm } = task;
  const { pageSize } = mm.platform;
  const start = at - (at % pageSize);
  const bytes = length - (length % pageSize);
  if (prot !== 0 || bytes === 0) throw errno(EINVAL);
  const vma = mm.find(start);
  if (vma === null || (vma.flags & VM_SHARED) === 0 || start + bytes > vma.end) throw errno(EINVAL);
  const flagBits = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
  const offset = pageOffset * pageSize;
  syncLimits(task);
  mm.mmap({
    addr: start,
    length: bytes,
    prot: vma.prot,
    flags: flagBits,
    file: vma.file,
    offset,
    mayWrite: (vma.flags & VM_MAYWRITE) !== 0,
  });
  return 0;
}

/** ptrace_may_access(PTRACE_MODE_ATTACH_REALCREDS), without namespaces and security modules. */
function mayAccess(task: Task, target: Task): boolean {
  if (task.group === target.group) return true;
  const { uid, gid } = task.creds;
  const { creds } = target;
  const same =
    uid === creds.euid &&
    uid === creds.suid &&
    uid === creds.uid &&
    gid === creds.egid &&
    gid === creds.sgid &&
    gid === creds.gid;
  return capable(task.creds, CAP_SYS_PTRACE) || (same && target.group.dumpable);
}

function processVm(
  task: Task,
  target: number,
  localIov: number,
  localCount: number,
  remoteIov: number,
  remoteCount: number,
  flagBits: number,
  write: boolean,
): number {
  const { mm } = task;
  if (flagBits !== 0) throw errno(EINVAL);
  const local = readIoVectors(mm, localIov, localCount);
  if (local.every(({ length }) => length === 0)) return 0;
  const remote = readIoVectors(mm, remoteIov, remoteCount);
  if (remote.every(({ length }) => length === 0)) return 0;
  const other = task.kernel.pids.tasks.get(target);
  if (other === undefined || other.exited) throw errno(ESRCH);
  if (!mayAccess(task, other)) throw errno(EPERM);
  return copyBetween(mm, local, other.mm, remote, write);
}

function processMadvise(
  task: Task,
  pidfd: number,
  iov: number,
  count: number,
  advice: number,
  flagBits: number,
): number {
  if (flagBits !== 0) throw errno(EINVAL);
  const vectors = readIoVectors(task.mm, iov, count);
  const group = pidfdGroup(task, pidfd);
  if (group.zombie) throw errno(ESRCH);
  const target = group.leader;
  if (!mayAccess(task, target)) throw errno(EPERM);
  const remoteAdvice = [MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED];
  if (target.mm !== task.mm && !remoteAdvice.includes(advice)) throw errno(EINVAL);
  let done = 0;
  for (const { base, length } of vectors) {
    try {
      target.mm.madvise(base, length, advice);
    } catch (error) {
      if (done === 0) throw error;
      break;
    }
    done += length;
  }
  return done;
}

function membarrier(_task: Task, command: number, flagBits: number): number {
  if (command !== MEMBARRIER_CMD_QUERY || flagBits !== 0) throw errno(EINVAL);
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'mmap',
    { x86_64: 9, aarch64: 222 },
    [
      addr('addr'),
      size('length'),
      longFlags('prot', 'mmap_prot'),
      dynamic('flags', 'mmap_flags', 'ulong'),
      fd('fd'),
      dynamic('offset', 'mmap_offset'),
    ],
    { stops: true, ret: 'addr', classes: ['desc', 'memory'] },
    mmap,
  ),
  row(
    'munmap',
    { x86_64: 11, aarch64: 215 },
    [taggedAddr('addr'), size('length')],
    { stops: true, ret: 'zero', classes: ['memory'] },
    (task, at, length) => {
      task.mm.munmap(at, length);
      return 0;
    },
  ),
  row(
    'mremap',
    { x86_64: 25, aarch64: 216 },
    [
      taggedAddr('old_address'),
      size('old_size'),
      size('new_size'),
      longFlags('flags', 'mremap_flags'),
      dynamic('new_address', 'mremap_addr'),
    ],
    { stops: true, ret: 'addr', classes: ['memory'] },
    mremap,
  ),
  row(
    'mprotect',
    { x86_64: 10, aarch64: 226 },
    [taggedAddr('addr'), size('len'), longFlags('prot', 'mmap_prot')],
    { stops: true, ret: 'zero', classes: ['memory'] },
    mprotect,
  ),
  row(
    'pkey_mprotect',
    { x86_64: 329, aarch64: 288 },
    [taggedAddr('addr'), size('len'), longFlags('prot', 'mmap_prot'), int('pkey')],
    {
      stops: true,
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'no protection keys, as on a CPU without them' },
    },
    (task, at, length, prot, pkey) => {
      if (pkey !== -1) throw errno(EINVAL); // no key is ever allocated
      return mprotect(task, at, length, prot);
    },
  ),
  row(
    'pkey_alloc',
    { x86_64: 330, aarch64: 289 },
    [hex('flags'), longFlags('access_rights', 'pkey_access')],
    { disposition: { partial: 'no protection keys, as on a CPU without them' } },
    (_task, flagBits, rights) => {
      if (flagBits !== 0 || rights > 3) throw errno(EINVAL);
      throw errno(ENOSPC);
    },
  ),
  row(
    'pkey_free',
    { x86_64: 331, aarch64: 290 },
    [int('pkey')],
    { ret: 'zero', disposition: { partial: 'no protection keys, as on a CPU without them' } },
    () => {
      throw errno(EINVAL);
    },
  ),
  row(
    'brk',
    { x86_64: 12, aarch64: 214 },
    [addr('addr')],
    { stops: true, ret: 'addr', classes: ['memory'] },
    (task, at) => {
      syncLimits(task);
      return task.mm.brk(at);
    },
  ),
  row(
    'madvise',
    { x86_64: 28, aarch64: 233 },
    [taggedAddr('addr'), size('length'), enumeration('advice', 'madvise_cmds')],
    {
      stops: true,
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'guard pages, MADV_COLLAPSE and memory failure are EINVAL; MADV_FREE frees at once' },
    },
    (task, at, length, advice) => {
      task.mm.madvise(at, length, advice);
      return 0;
    },
  ),
  row(
    'process_madvise',
    { x86_64: 440, aarch64: 440 },
    [
      fd('pidfd'),
      iovec('iov', 'in', { arg: 'vlen' }),
      size('vlen'),
      enumeration('advice', 'madvise_cmds'),
      hex32('flags'),
    ],
    { ret: 'size', classes: ['desc'], disposition: { partial: 'as madvise' } },
    processMadvise,
  ),
  absent('process_mrelease', { x86_64: 448, aarch64: 448 }, [fd('pidfd'), hex32('flags')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  row(
    'mincore',
    { x86_64: 27, aarch64: 232 },
    [taggedAddr('addr'), size('length'), dynamic('vec', 'mincore_vec')],
    {
      ret: 'zero',
      classes: ['memory'],
    },
    mincore,
  ),
  row(
    'msync',
    { x86_64: 26, aarch64: 227 },
    [taggedAddr('addr'), size('length'), flags('flags', 'mctl_sync')],
    {
      ret: 'zero',
      classes: ['memory'],
    },
    (task, at, length, flagBits) => {
      task.mm.msync(at, length, flagBits);
      return 0;
    },
  ),
  row(
    'mlock',
    { x86_64: 149, aarch64: 228 },
    [taggedAddr('addr'), size('len')],
    {
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'accounted and reported, but host memory is not pinned' },
    },
    (task, at, length) => {
      syncLimits(task);
      task.mm.mlock(at, length, false);
      return 0;
    },
  ),
  row(
    'mlock2',
    { x86_64: 325, aarch64: 284 },
    [taggedAddr('addr'), size('len'), flags('flags', 'mlock_flags')],
    {
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'accounted and reported, but host memory is not pinned' },
    },
    (task, at, length, flagBits) => {
      if ((flagBits & ~MLOCK_ONFAULT) !== 0) throw errno(EINVAL);
      syncLimits(task);
      task.mm.mlock(at, length, flagBits !== 0);
      return 0;
    },
  ),
  row(
    'munlock',
    { x86_64: 150, aarch64: 229 },
    [taggedAddr('addr'), size('len')],
    { ret: 'zero', classes: ['memory'] },
    (task, at, length) => {
      task.mm.munlock(at, length);
      return 0;
    },
  ),
  row(
    'mlockall',
    { x86_64: 151, aarch64: 230 },
    [flags('flags', 'mlockall_flags')],
    {
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'accounted and reported, but host memory is not pinned' },
    },
    (task, flagBits) => {
      syncLimits(task);
      task.mm.mlockall(flagBits);
      return 0;
    },
  ),
  row('munlockall', { x86_64: 152, aarch64: 231 }, [], { ret: 'zero', classes: ['memory'] }, (task) => {
    task.mm.munlockall();
    return 0;
  }),
  absent('mseal', { x86_64: 462, aarch64: 462 }, [addr('addr'), size('len'), hex('flags')], {
    ret: 'zero',
    classes: ['memory'],
  }),
  row(
    'remap_file_pages',
    { x86_64: 216, aarch64: 234 },
    [
      addr('addr'),
      size('size'),
      longFlags('prot', 'mmap_prot'),
      size('pgoff'),
      dynamic('flags', 'mmap_flags', 'ulong'),
    ],
    {
      stops: true,
      ret: 'zero',
      classes: ['memory'],
      disposition: { partial: 'emulated with mmap within one mapping, as Linux does' },
    },
    remapFilePages,
  ),
  absent('map_shadow_stack', { x86_64: 453, aarch64: 453 }, [addr('addr'), size('size'), hex32('flags')], {
    ret: 'addr',
    classes: ['memory'],
  }),
  absent(
    'mbind',
    { x86_64: 237, aarch64: 235 },
    [
      addr('addr'),
      size('len'),
      dynamic('mode', 'mpol_mode', 'ulong'),
      dynamic('nodemask', 'nodemask'),
      size('maxnode'),
      flags('flags', 'mbind_flags'),
    ],
    { ret: 'zero', classes: ['memory'] },
  ),
  absent(
    'set_mempolicy',
    { x86_64: 238, aarch64: 237 },
    [dynamic('mode', 'mpol_mode', 'uint'), dynamic('nodemask', 'nodemask'), size('maxnode')],
    { ret: 'zero', classes: ['memory'] },
  ),
  absent(
    'get_mempolicy',
    { x86_64: 239, aarch64: 236 },
    [
      word('mode', 'out', 'int'),
      dynamic('nodemask', 'nodemask'),
      size('maxnode'),
      addr('addr'),
      longFlags('flags', 'get_mempolicy_flags'),
    ],
    { ret: 'zero', classes: ['memory'] },
  ),
  absent(
    'set_mempolicy_home_node',
    { x86_64: 450, aarch64: 450 },
    [addr('start'), size('len'), ulong('home_node'), hex('flags')],
    { ret: 'zero', classes: ['memory'] },
  ),
  absent(
    'migrate_pages',
    { x86_64: 256, aarch64: 238 },
    [pid('pid'), size('maxnode'), dynamic('old_nodes', 'nodemask'), dynamic('new_nodes', 'nodemask')],
    { classes: ['memory'] },
  ),
  absent(
    'move_pages',
    { x86_64: 279, aarch64: 239 },
    [pid('pid'), ulong('count'), addr('pages'), addr('nodes'), addr('status'), flags('flags', 'move_pages_flags')],
    { classes: ['memory'] },
  ),
  row(
    'process_vm_readv',
    { x86_64: 310, aarch64: 270 },
    [
      pid('pid'),
      iovec('local_iov', 'out', { arg: 'liovcnt' }),
      ulong('liovcnt'),
      iovec('remote_iov', 'in', { arg: 'riovcnt' }),
      ulong('riovcnt'),
      hex('flags'),
    ],
    { ret: 'size' },
    (task, target, localIov, localCount, remoteIov, remoteCount, flagBits) =>
      processVm(task, target, localIov, localCount, remoteIov, remoteCount, flagBits, false),
  ),
  row(
    'process_vm_writev',
    { x86_64: 311, aarch64: 271 },
    [
      pid('pid'),
      iovec('local_iov', 'in', { arg: 'liovcnt' }),
      ulong('liovcnt'),
      iovec('remote_iov', 'in', { arg: 'riovcnt' }),
      ulong('riovcnt'),
      hex('flags'),
    ],
    { ret: 'size' },
    (task, target, localIov, localCount, remoteIov, remoteCount, flagBits) =>
      processVm(task, target, localIov, localCount, remoteIov, remoteCount, flagBits, true),
  ),
  row(
    'membarrier',
    { x86_64: 324, aarch64: 283 },
    [enumeration('cmd', 'membarrier_cmds'), flags('flags', 'membarrier_flags'), int('cpu_id')],
    { ret: 'dynamic', disposition: { partial: 'offers no command: callers fall back to their own barriers' } },
    membarrier,
  ),
];
