/**
 * The system as a whole: uname(2), sysinfo(2), prctl(2), reboot(2), getrandom(2), syslog(2), x86 segment calls.
 */
import { UTS_RELEASE, UTS_SYSNAME, UTS_VERSION } from '../fs/procfs/release.js';
import { prctl } from './prctl.js';
import { ARCH_GET_CPUID, ARCH_GET_FS, ARCH_GET_GS, ARCH_SET_FS, ARCH_SET_GS } from '../src/abi/flags/arch-prctl.js';
import { capable } from '../sched/credentials.js';
import { CAP_SYS_ADMIN, CAP_SYS_BOOT } from '../src/abi/flags/capability.js';
import { EFAULT, EINVAL, EPERM, errno } from '../src/abi/errno.js';
import {
  GRND_INSECURE,
  GRND_NONBLOCK,
  GRND_RANDOM,
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_CAD_ON,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
} from '../src/abi/flags/system.js';
import { KernelState } from '../sched/kernel-state.js';
import { NO_RETURN } from '../sched/wait.js';
import {
  type Row,
  absent,
  addr,
  buffer,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  hex32,
  int,
  row,
  size,
  struct,
  uint,
  ulong,
  word,
} from './row.js';
import { setU64 } from '../src/abi/layout.js';
import { SYSINFO } from '../src/abi/layouts/process.js';
import { Task } from '../sched/task.js';
import { PER_LINUX32, UNAME26 } from '../src/abi/flags/process.js';
import { X86 } from '../src/abi/registers.js';
import { exitGroup } from '../sched/exit.js';

export const rows: readonly Row[] = [
  row('uname', { x86_64: 63, aarch64: 160 }, [struct('buf', 'out', 'utsname')], { ret: 'zero' }, uname),
  row(
    'sysinfo',
    { x86_64: 99, aarch64: 179 },
    [struct('info', 'out', 'sysinfo')],
    { ret: 'zero', varies: ['info'] },
    sysinfo,
  ),
  row(
    'sethostname',
    { x86_64: 170, aarch64: 161 },
    [buffer('name', 'in', { arg: 'len' }), int('len')],
    {
      ret: 'zero',
    },
    sethostname,
  ),
  row(
    'setdomainname',
    { x86_64: 171, aarch64: 162 },
    [buffer('name', 'in', { arg: 'len' }), int('len')],
    {
      ret: 'zero',
    },
    setdomainname,
  ),
  row(
    'prctl',
    { x86_64: 157, aarch64: 167 },
    [
      enumeration('option', 'prctl_options'),
      dynamic('arg2', 'prctl_arg'),
      dynamic('arg3', 'prctl_arg'),
      dynamic('arg4', 'prctl_arg'),
      dynamic('arg5', 'prctl_arg'),
    ],
    {
      ret: 'dynamic',
      classes: ['creds'],
      disposition: { partial: 'the options a user-mode kernel can honour; others are EINVAL' },
    },
    prctl,
  ),
  row(
    'arch_prctl',
    { x86_64: 158 },
    [enumeration('code', 'archvals'), dynamic('addr', 'arch_prctl_arg')],
    {
      stops: true,
      answered: 'fsBase',
      ret: 'zero',
      disposition: { partial: 'FS, GS and CPUID; no shadow stacks, LAM or AMX' },
    },
    archPrctl,
  ),
  row(
    'getrandom',
    { x86_64: 318, aarch64: 278 },
    [buffer('buf', 'out', 'ret'), size('buflen'), flags('flags', 'getrandom_flags')],
    { ret: 'size', varies: ['buf'] },
    getrandom,
  ),
  row(
    'reboot',
    { x86_64: 169, aarch64: 142 },
    [
      enumeration('magic', 'bootflags1', 'uint'),
      enumeration('magic2', 'bootflags2', 'uint'),
      enumeration('cmd', 'bootflags3', 'uint'),
      dynamic('arg', 'reboot_arg'),
    ],
    { ret: 'zero', disposition: { partial: 'CAD, and restart, halt and power-off end the system' } },
    reboot,
  ),
  row(
    'syslog',
    { x86_64: 103, aarch64: 116 },
    [enumeration('type', 'syslog_action_type'), dynamic('buf', 'syslog_buf'), int('len')],
    { disposition: { partial: 'the kernel log is always empty' } },
    syslog,
  ),
  absent('_sysctl', { x86_64: 156 }, [addr('args')], {}),
  absent(
    'seccomp',
    { x86_64: 317, aarch64: 277 },
    [
      enumeration('operation', 'seccomp_ops', 'uint'),
      dynamic('flags', 'seccomp_flags', 'uint'),
      dynamic('args', 'seccomp_args'),
    ],
    {},
  ),
  absent('modify_ldt', { x86_64: 154 }, [int('func'), dynamic('ptr', 'ldt_ptr'), ulong('bytecount')], {}),
  absent('set_thread_area', { x86_64: 205 }, [struct('u_info', 'inout', 'user_desc')], { ret: 'zero' }),
  absent('get_thread_area', { x86_64: 211 }, [struct('u_info', 'inout', 'user_desc')], { ret: 'zero' }),
  absent('iopl', { x86_64: 172 }, [int('level')], { ret: 'zero' }),
  absent('ioperm', { x86_64: 173 }, [hex('from'), hex('num'), int('turn_on')], { ret: 'zero' }),
  absent(
    'landlock_create_ruleset',
    { x86_64: 444, aarch64: 444 },
    [dynamic('attr', 'landlock_attr'), size('size'), dynamic('flags', 'landlock_flags', 'uint')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent(
    'landlock_add_rule',
    { x86_64: 445, aarch64: 445 },
    [
      fd('ruleset_fd'),
      enumeration('rule_type', 'landlock_rule_types'),
      dynamic('rule_attr', 'landlock_rule'),
      hex32('flags'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent('landlock_restrict_self', { x86_64: 446, aarch64: 446 }, [fd('ruleset_fd'), hex32('flags')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'lsm_get_self_attr',
    { x86_64: 459, aarch64: 459 },
    [uint('attr'), addr('ctx'), word('size', 'inout', 'uint'), hex32('flags')],
    {},
  ),
  absent(
    'lsm_set_self_attr',
    { x86_64: 460, aarch64: 460 },
    [uint('attr'), addr('ctx'), uint('size'), hex32('flags')],
    { ret: 'zero' },
  ),
  absent(
    'lsm_list_modules',
    { x86_64: 461, aarch64: 461 },
    [addr('ids'), word('size', 'inout', 'uint'), hex32('flags')],
    {},
  ),
];

const UTS_LENGTH = 65;
const PER_MASK = 0xff;
const COMPAT_MACHINES = { x86_64: 'i686', aarch64: 'armv8l' } as const;

function uname(task: Task, at: number): number {
  const { kernel, mm } = task;
  const { scratch } = mm;
  scratch.fill(0, 0, 6 * UTS_LENGTH);
  const { arch } = kernel.platform;
  // override_architecture()
  const machine = (task.personality & PER_MASK) === PER_LINUX32 ? COMPAT_MACHINES[arch] : arch;
  const release = (task.personality & UNAME26) !== 0 ? '2.6.60-levitate' : UTS_RELEASE;
  [UTS_SYSNAME, kernel.hostname, release, UTS_VERSION, machine, kernel.domainname].forEach((text, i) => {
    for (let j = 0; j < Math.min(text.length, UTS_LENGTH - 1); j++) scratch[i * UTS_LENGTH + j] = text.charCodeAt(j);
  });
  mm.writeStruct(at, 6 * UTS_LENGTH);
  return 0;
}
function readName(task: Task, at: number, length: number): string {
  if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  if (length < 0 || length > 64) throw errno(EINVAL);
  const bytes = new Uint8Array(length);
  task.mm.copyIn(at, bytes, 0, length);
  const text = String.fromCharCode(...bytes);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
function sysinfo(task: Task, at: number): number {
  const { kernel, mm } = task;
  const out = mm.scratchView;
  mm.scratch.fill(0, 0, SYSINFO.size);
  const { offsets } = SYSINFO;
  const put = (offset: number, value: number): void => setU64(out, offset, value);
  const total = kernel.limits.memoryBytes;
  const memory = memoryUsage(kernel);
  put(offsets.uptime, Math.floor((kernel.clock.monotonicNs() - kernel.bootNs) / 1e9));
  put(offsets.totalram, total);
  put(offsets.freeram, Math.max(0, total - memory));
  out.setUint16(offsets.procs, Math.min(0xffff, kernel.pids.tasks.size), true);
  out.setUint32(offsets.mem_unit, 1, true);
  mm.writeStruct(at, SYSINFO.size);
  return 0;
}
/** Bytes of guest memory in use: page cache and shared memory frames, and what processes were promised. */
function memoryUsage(kernel: KernelState): number {
  return kernel.frames.usedBytes;
}
const GRND_KNOWN = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE;
function getrandom(task: Task, at: number, length: number, flags: number): number {
  if ((flags & ~GRND_KNOWN) !== 0 || (flags & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE))
    throw errno(EINVAL);
  const { mm, kernel } = task;
  const total = Math.min(length, 0x7fff_f000);
  let done = 0;
  while (done < total) {
    const part = Math.min(total - done, 32768);
    const valid = mm.writable(at + done, part);
    if (valid === 0) {
      if (done > 0) break;
      throw errno(EFAULT);
    }
    kernel.random.fill(mm.scratch, 0, valid);
    mm.writeStruct(at + done, valid);
    done += valid;
    if (valid < part) break;
  }
  return done;
}
function archPrctl(task: Task, code: number, address: number): number {
  const { regs, mm } = task;
  switch (code) {
    case ARCH_SET_FS:
      if (address >= mm.platform.taskSize) throw errno(EPERM);
      regs.set(X86.fs_base, address);
      return 0;
    case ARCH_SET_GS:
      if (address >= mm.platform.taskSize) throw errno(EPERM);
      regs.set(X86.gs_base, address);
      return 0;
    case ARCH_GET_FS:
      mm.writeU64(address, regs.get(X86.fs_base));
      return 0;
    case ARCH_GET_GS:
      mm.writeU64(address, regs.get(X86.gs_base));
      return 0;
    case ARCH_GET_CPUID:
      return 1;
    default:
      throw errno(EINVAL);
  }
}
const REBOOT_MAGIC1 = 0xfee1dead;
const REBOOT_MAGIC2 = [672274793, 85072278, 369367448, 537993216];
function reboot(task: Task, magic1: number, magic2: number, command: number): number {
  if (!capable(task.creds, CAP_SYS_BOOT)) throw errno(EPERM);
  if (magic1 >>> 0 !== REBOOT_MAGIC1 || !REBOOT_MAGIC2.includes(magic2 >>> 0)) throw errno(EINVAL);
  switch (command >>> 0) {
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
      return 0;
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
      // As in a pid namespace (reboot_pid_ns): the system ends, with process 1 killed by SIGINT or SIGHUP.
      task.kernel.initExited(command >>> 0 === LINUX_REBOOT_CMD_RESTART ? 1 : 0);
      exitGroup(task.group, 0, task);
      return NO_RETURN;
    default:
      throw errno(EINVAL);
  }
}
/** The kernel log is empty: reading it gives nothing, sizes are what a small kernel reports. */
function syslog(task: Task, type: number, buf: number, length: number): number {
  if (type === 3 || type === 10 || capable(task.creds, CAP_SYS_ADMIN) || type === 0 || type === 1) {
    switch (type) {
      case 0:
      case 1:
      case 6:
      case 7:
      case 5:
      case 9:
        return 0;
      case 2:
      case 3:
      case 4:
        if (buf === 0 || length < 0) throw errno(EINVAL);
        return 0;
      case 8:
        if (length < 1 || length > 8) throw errno(EINVAL);
        return 0;
      case 10:
        return 1 << 17;
      default:
        throw errno(EINVAL);
    }
  }
  throw errno(EPERM);
}

function sethostname(task: Task, at: number, length: number): number {
  task.kernel.hostname = readName(task, at, length);
  return 0;
}
function setdomainname(task: Task, at: number, length: number): number {
  task.kernel.domainname = readName(task, at, length);
  return 0;
}
