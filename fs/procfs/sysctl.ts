/**
 * /proc/sys (fs/proc/proc_sysctl.c): the knobs of the kernel. Some are real (hostname, pid_max, the random ids), the rest keep
 * what root writes to them, so that programs which set and check them are content.
 *
 * Oddities: a value is read with a newline; a write of a number may have blanks around it and is EINVAL otherwise; a write
 * anywhere but at the start of the file is ignored.
 */
import { EINVAL, EPERM, errno } from '../../src/abi/errno.js';
import { S_IFDIR, S_IFREG } from '../../src/abi/flags/stat.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../../src/abi/flags/capability.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { TableDirectory, TextInode, type Entry, type ProcSuperBlock, type TextSource } from './nodes.js';
import { UTS_RELEASE, UTS_SYSNAME, UTS_VERSION } from './release.js';

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    /** Values written to knobs that are only kept, by path below /proc/sys. */
    sysctl?: Map<string, string>;
    bootId?: string;
  }
}

/** A knob: a source of its own, or the default of one that is only kept. */
interface Knob {
  readonly mode: number;
  source(kernel: KernelState, path: string): TextSource;
}
type Tree = { readonly [name: string]: Knob | Tree };

const readOnly = (read: (kernel: KernelState) => string | number): Knob => ({
  mode: 0o444,
  source: (kernel) => ({ read: () => `${read(kernel)}\n` }),
});

/** Numbers separated by tabs; `low` to `high` each. */
function kept(initial: string | number, low = 0, high = 0x7fff_ffff): Knob {
  const count = String(initial).split('\t').length;
  return {
    mode: 0o644,
    source: (kernel, path) => ({
      read: () => `${kernel.sysctl?.get(path) ?? initial}\n`,
      write: (_writer, text) => {
        const values = text.trim().split(/\s+/);
        const fits = values.every((value) => /^-?\d+$/.test(value) && Number(value) >= low && Number(value) <= high);
        if (!fits || values.length > count) throw errno(EINVAL);
        const old = (kernel.sysctl?.get(path) ?? String(initial)).split('\t');
        (kernel.sysctl ??= new Map<string, string>()).set(path, [...values, ...old.slice(values.length)].join('\t'));
      },
    }),
  };
}
function keptText(initial: string, maximum: number): Knob {
  return {
    mode: 0o644,
    source: (kernel, path) => ({
      read: () => `${kernel.sysctl?.get(path) ?? initial}\n`,
      write: (_writer, text) =>
        void (kernel.sysctl ??= new Map<string, string>()).set(path, firstLine(text).slice(0, maximum - 1)),
    }),
  };
}
const firstLine = (text: string): string => text.split(/[\n\0]/, 1)[0];

/** hostname and domainname: 64 bytes. */
function name(key: 'hostname' | 'domainname'): Knob {
  return {
    mode: 0o644,
    source: (kernel) => ({
      read: () => `${kernel[key]}\n`,
      write: (writer: Task, text) => {
        if (!capable(writer.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
        kernel[key] = firstLine(text).slice(0, 64);
      },
    }),
  };
}

function randomUuid(kernel: KernelState): string {
  const bytes = new Uint8Array(16);
  kernel.random.fill(bytes, 0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const openFiles = (kernel: KernelState): number => {
  const seen = new Set<object>();
  for (const task of kernel.pids.tasks.values()) for (const [, file] of task.files.entries()) seen.add(file);
  return seen.size;
};

const TREE: Tree = {
  fs: {
    'aio-max-nr': kept(65536),
    'aio-nr': readOnly(() => 0),
    epoll: { max_user_watches: kept(432736) },
    'file-max': kept('9223372036854775807', 0, Infinity),
    'file-nr': readOnly((kernel) => `${openFiles(kernel)}\t0\t9223372036854775807`),
    inotify: { max_queued_events: kept(16384), max_user_instances: kept(128), max_user_watches: kept(8192) },
    'lease-break-time': kept(45),
    'leases-enable': kept(0),
    'mount-max': kept(100000),
    mqueue: {
      msg_default: kept(10),
      msg_max: kept(10),
      msgsize_default: kept(8192),
      msgsize_max: kept(8192),
      queues_max: kept(256),
    },
    nr_open: kept(1048576),
    overflowgid: kept(65534, 0, 65535),
    overflowuid: kept(65534, 0, 65535),
    'pipe-max-size': kept(1048576),
    'pipe-user-pages-hard': kept(0),
    'pipe-user-pages-soft': kept(16384),
    protected_fifos: kept(0, 0, 2),
    protected_hardlinks: kept(0, 0, 1),
    protected_regular: kept(0, 0, 2),
    protected_symlinks: kept(0, 0, 1),
    suid_dumpable: kept(0, 0, 2),
  },
  kernel: {
    arch: readOnly((kernel) => kernel.platform.arch),
    cap_last_cap: readOnly(() => 40),
    core_pattern: keptText('core', 128),
    core_uses_pid: kept(0),
    dmesg_restrict: kept(0, 0, 1),
    domainname: name('domainname'),
    hostname: name('hostname'),
    kptr_restrict: kept(0, 0, 2),
    msgmax: kept(8192),
    msgmnb: kept(16384),
    msgmni: kept(32000),
    ngroups_max: readOnly(() => 65536),
    osrelease: readOnly(() => UTS_RELEASE),
    ostype: readOnly(() => UTS_SYSNAME),
    overflowgid: kept(65534, 0, 65535),
    overflowuid: kept(65534, 0, 65535),
    panic: kept(0, -0x8000_0000),
    panic_on_oops: kept(0, 0, 1),
    perf_event_paranoid: kept(4, -1, 4),
    pid_max: readOnly((kernel) => kernel.pids.max),
    printk: kept('4\t4\t1\t7'),
    pty: { max: kept(4096), nr: readOnly(() => 0), reserve: kept(1024) },
    random: {
      boot_id: readOnly((kernel) => (kernel.bootId ??= randomUuid(kernel))),
      entropy_avail: readOnly(() => 256),
      poolsize: readOnly(() => 256),
      urandom_min_reseed_secs: kept(60),
      uuid: readOnly(randomUuid),
      write_wakeup_threshold: kept(256),
    },
    randomize_va_space: kept(2, 0, 2),
    sched_rr_timeslice_ms: kept(100),
    sem: kept('32000\t1024000000\t500\t32000'),
    shmall: kept('18446744073692774399', 0, Infinity),
    shmmax: kept('18446744073692774399', 0, Infinity),
    shmmni: kept(4096),
    sysrq: kept(0),
    tainted: readOnly(() => 0),
    'threads-max': readOnly((kernel) => kernel.limits.pids),
    unprivileged_bpf_disabled: kept(2, 0, 2),
    version: readOnly(() => UTS_VERSION),
    yama: { ptrace_scope: kept(0, 0, 3) },
  },
  net: {
    core: {
      rmem_default: kept(212992),
      rmem_max: kept(4194304),
      somaxconn: kept(4096),
      wmem_default: kept(212992),
      wmem_max: kept(4194304),
    },
    ipv4: {
      ip_default_ttl: kept(64, 1, 255),
      ip_forward: kept(0, 0, 1),
      ip_local_port_range: kept('32768\t60999', 1, 65535),
      ip_unprivileged_port_start: kept(1024, 0, 65535),
      ping_group_range: kept('1\t0'),
      tcp_fin_timeout: kept(60),
      tcp_keepalive_time: kept(7200),
      tcp_rmem: kept('4096\t131072\t6291456'),
      tcp_wmem: kept('4096\t16384\t4194304'),
    },
    ipv6: { conf: { all: { disable_ipv6: kept(1, 0, 1) }, default: { disable_ipv6: kept(1, 0, 1) } } },
    unix: { max_dgram_qlen: kept(10) },
  },
  user: {
    max_inotify_instances: kept(128),
    max_inotify_watches: kept(8192),
    max_mnt_namespaces: kept(0),
    max_pid_namespaces: kept(0),
    max_user_namespaces: kept(0),
  },
  vm: {
    dirty_background_ratio: kept(10, 0, 100),
    dirty_expire_centisecs: kept(3000),
    dirty_ratio: kept(20, 0, 100),
    dirty_writeback_centisecs: kept(500),
    drop_caches: kept(0, 0, 4),
    max_map_count: kept(65530),
    min_free_kbytes: kept(67584),
    mmap_min_addr: kept(65536),
    overcommit_memory: kept(0, 0, 2),
    overcommit_ratio: kept(50),
    'page-cluster': kept(3),
    panic_on_oom: kept(0, 0, 2),
    swappiness: kept(60, 0, 200),
    vfs_cache_pressure: kept(100),
  },
};

const isKnob = (node: Knob | Tree): node is Knob => typeof (node as Knob).source === 'function';

function tableOf(tree: Tree, path: string): Entry<ProcSuperBlock>[] {
  return Object.entries(tree).map(([entry, node]) => {
    const below = path === '' ? entry : `${path}/${entry}`;
    if (isKnob(node))
      return {
        name: entry,
        mode: S_IFREG | node.mode,
        make: (sb: ProcSuperBlock, ino: number) => new TextInode(sb, ino, node.mode, node.source(sb.kernel, below)),
      };
    const table = tableOf(node, below);
    return {
      name: entry,
      mode: S_IFDIR | 0o555,
      make: (sb: ProcSuperBlock, ino: number) => new TableDirectory(sb, ino, table, sb),
    };
  });
}

const TABLE = tableOf(TREE, '');

export function sysDirectory(sb: ProcSuperBlock, ino: number): TableDirectory<ProcSuperBlock> {
  return new TableDirectory(sb, ino, TABLE, sb);
}
/** The present value of a knob that is only kept. */
export function sysctlNumber(kernel: KernelState, path: string, initial: number): number {
  return Number(kernel.sysctl?.get(path) ?? initial);
}
