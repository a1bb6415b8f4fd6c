/**
 * The text files of /proc's root that are about the whole system: stat, meminfo, cpuinfo, loadavg, uptime, version, ...
 *
 * What this kernel does not have (interrupts, disks, swap) shows as zero or as an empty table. The load is worked out when
 * somebody looks: the averages decay towards the number of runnable tasks over the time since the last look.
 */
import { cpuTimes } from '../../sched/accounting.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { describeLocks } from '../locks.js';
import { memoryOf, ticks } from './process-status.js';
import { UTS_RELEASE, UTS_SYSNAME, UTS_VERSION } from './release.js';

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    loadAverage?: { atNs: number; averages: [number, number, number] };
    /** The host's description of its CPUs, if the embedder gives one. */
    cpuinfo?: string;
    /** Boot command line: /proc/cmdline. */
    bootCommand?: string;
  }
}

const kb = (bytes: number): number => Math.floor(bytes / 1024);
const upNs = (kernel: KernelState): number => kernel.clock.monotonicNs() - kernel.bootNs;

/** CPU time of everything that runs or ran, in nanoseconds. */
function busyNs(kernel: KernelState): { user: number; system: number } {
  let user = 0;
  let system = 0;
  for (const group of kernel.pids.groups.values()) {
    const times = cpuTimes(group);
    user += times.userNs;
    system += times.systemNs;
  }
  // Those that were waited for have handed their time to their parents, up to process 1.
  for (const group of kernel.pids.groups.values()) {
    user += group.childUserNs;
    system += group.childSystemNs;
  }
  return { user, system };
}
function runnable(kernel: KernelState): { running: number; blocked: number } {
  let running = 0;
  let blocked = 0;
  for (const task of kernel.pids.tasks.values()) {
    const state = task.stateLetter;
    if (state === 'R') running++;
    else if (state === 'D') blocked++;
  }
  return { running, blocked };
}

export function statText(kernel: KernelState): string {
  const { user, system } = busyNs(kernel);
  const { cpus } = kernel;
  const idle = Math.max(0, upNs(kernel) * cpus - user - system);
  const line = (name: string, share: number): string =>
    `${name} ${ticks(user / share)} 0 ${ticks(system / share)} ${ticks(idle / share)} 0 0 0 0 0 0\n`;
  let text = line('cpu ', 1);
  for (let cpu = 0; cpu < cpus; cpu++) text += line(`cpu${cpu}`, cpus);
  const { running, blocked } = runnable(kernel);
  return (
    `${text}intr 0\nctxt 0\nbtime ${kernel.bootSec}\nprocesses ${kernel.forks + 1}\nprocs_running ${Math.max(1, running)}\n` +
    `procs_blocked ${blocked}\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`
  );
}

interface MemoryUse {
  total: number;
  free: number;
  cached: number;
  anonymous: number;
  committed: number;
}
function memoryUse(kernel: KernelState): MemoryUse {
  const total = kernel.limits.memoryBytes;
  const cached = kernel.frames.usedBytes;
  let anonymous = 0;
  const seen = new Set<object>();
  for (const task of kernel.pids.tasks.values()) {
    const mm = memoryOf(task);
    if (mm === null || seen.has(mm)) continue;
    seen.add(mm);
    anonymous += mm.rssBytes();
  }
  const free = Math.max(0, Math.min(total - cached - anonymous, kernel.frames.freeBytes));
  return { total, free, cached, anonymous, committed: kernel.memory.committedBytes };
}

export function meminfoText(kernel: KernelState): string {
  const { total, free, cached, anonymous, committed } = memoryUse(kernel);
  const lines: [string, number][] = [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', free],
    ['Buffers', 0],
    ['Cached', cached],
    ['SwapCached', 0],
    ['Active', anonymous],
    ['Inactive', cached],
    ['Active(anon)', anonymous],
    ['Inactive(anon)', 0],
    ['Active(file)', 0],
    ['Inactive(file)', cached],
    ['Unevictable', 0],
    ['Mlocked', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Zswap', 0],
    ['Zswapped', 0],
    ['Dirty', 0],
    ['Writeback', 0],
    ['AnonPages', anonymous],
    ['Mapped', 0],
    ['Shmem', cached],
    ['KReclaimable', 0],
    ['Slab', 0],
    ['SReclaimable', 0],
    ['SUnreclaim', 0],
    ['KernelStack', 0],
    ['PageTables', 0],
    ['SecPageTables', 0],
    ['NFS_Unstable', 0],
    ['Bounce', 0],
    ['WritebackTmp', 0],
    ['CommitLimit', total],
    ['Committed_AS', committed],
    ['VmallocTotal', 34359738367 * 1024],
    ['VmallocUsed', 0],
    ['VmallocChunk', 0],
    ['Percpu', 0],
    ['AnonHugePages', 0],
    ['ShmemHugePages', 0],
    ['ShmemPmdMapped', 0],
    ['FileHugePages', 0],
    ['FilePmdMapped', 0],
  ];
  const pages = (name: string, count: number): string => `${`${name}:`.padEnd(16)}${String(count).padStart(8)}`;
  let text = '';
  for (const [name, bytes] of lines) text += `${pages(name, kb(bytes))} kB\n`;
  for (const name of ['Total', 'Free', 'Rsvd', 'Surp']) text += `${pages(`HugePages_${name}`, 0)}\n`;
  return `${text}${pages('Hugepagesize', 2048)} kB\n${pages('Hugetlb', 0)} kB\n`;
}

export function vmstatText(kernel: KernelState): string {
  const { free, cached, anonymous } = memoryUse(kernel);
  const { pageSize } = kernel;
  const values: Record<string, number> = {
    nr_free_pages: free / pageSize,
    nr_inactive_anon: 0,
    nr_active_anon: anonymous / pageSize,
    nr_inactive_file: cached / pageSize,
    nr_active_file: 0,
    nr_unevictable: 0,
    nr_mlock: 0,
    nr_dirty: 0,
    nr_writeback: 0,
    nr_mapped: 0,
    nr_file_pages: cached / pageSize,
    nr_shmem: cached / pageSize,
    nr_anon_pages: anonymous / pageSize,
    pgpgin: 0,
    pgpgout: 0,
    pswpin: 0,
    pswpout: 0,
    pgfault: 0,
    pgmajfault: 0,
    oom_kill: 0,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Math.floor(value)}\n`)
    .join('');
}

export function uptimeText(kernel: KernelState): string {
  const { user, system } = busyNs(kernel);
  const up = upNs(kernel);
  const show = (ns: number): string =>
    `${Math.floor(ns / 1e9)}.${String(Math.floor((ns % 1e9) / 1e7)).padStart(2, '0')}`;
  return `${show(up)} ${show(Math.max(0, up * kernel.cpus - user - system))}\n`;
}

const LOAD_MINUTES = [1, 5, 15];

/** The three averages, brought up to now. */
export function loadAverages(kernel: KernelState): readonly [number, number, number] {
  const now = kernel.clock.monotonicNs();
  const load = (kernel.loadAverage ??= { atNs: kernel.bootNs, averages: [0, 0, 0] });
  const { running, blocked } = runnable(kernel);
  // Who looks is running; that alone is no load.
  const active = Math.max(0, running + blocked - 1);
  LOAD_MINUTES.forEach((minutes, i) => {
    const decay = Math.exp(-(now - load.atNs) / (minutes * 60e9));
    load.averages[i] = load.averages[i] * decay + active * (1 - decay);
  });
  load.atNs = now;
  return load.averages;
}
export function loadavgText(kernel: KernelState): string {
  const averages = loadAverages(kernel).map((value) => value.toFixed(2));
  const { running } = runnable(kernel);
  return `${averages.join(' ')} ${Math.max(1, running)}/${kernel.pids.tasks.size} ${kernel.pids.lastPid}\n`;
}

export const versionText = (): string =>
  `${UTS_SYSNAME} version ${UTS_RELEASE} (levitate@levitate) (TypeScript) ${UTS_VERSION}\n`;
export const cmdlineText = (kernel: KernelState): string => `${kernel.bootCommand ?? 'BOOT_IMAGE=levitate'}\n`;

export function filesystemsText(kernel: KernelState): string {
  let text = '';
  for (const { name, needsDevice } of kernel.vfs.filesystemTypes())
    text += `${needsDevice === true ? '' : 'nodev'}\t${name}\n`;
  return `${text}nodev\tsockfs\nnodev\tpipefs\nnodev\tanon_inodefs\n`;
}

export function devicesText(kernel: KernelState): string {
  const list = (type: 'c' | 'b'): string => {
    let text = '';
    for (const [major, name] of kernel.vfs.devices.majors(type)) text += `${String(major).padStart(3)} ${name}\n`;
    return text;
  };
  return `Character devices:\n${list('c')}\nBlock devices:\n${list('b')}`;
}

export const locksText = (kernel: KernelState): string => describeLocks(kernel);
export const swapsText = (): string => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
export const partitionsText = (): string => 'major minor  #blocks  name\n\n';
export const miscText = (): string => '';
export function interruptsText(kernel: KernelState): string {
  let text = '    ';
  for (let cpu = 0; cpu < kernel.cpus; cpu++) text += `       CPU${cpu}`;
  return `${text}       \n`;
}
