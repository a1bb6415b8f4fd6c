/**
 * /proc/PID/stat, statm, status, limits and the other numbers about a process (fs/proc/array.c).
 *
 * A thread's own files (/proc/PID/task/TID) show the thread's times and state; those of the process the sums. Times are in
 * ticks of 10 ms, memory in pages or kB. What Linux hides from a reader without ptrace rights is 0 here too.
 */
import { cpuTimes } from '../../sched/accounting.js';
import type { Session } from '../../sched/process-group.js';
import type { SigSet } from '../../sched/signal/sigset.js';
import { SIG_DFL, SIG_IGN } from '../../src/abi/flags/signal.js';
import { VM_LOCKED, VM_SHARED, VM_STACK, type MemoryMap } from '../../src/mm/memory-map.js';
import type { Task } from '../../sched/task.js';
import { mayInspect } from './access.js';

const TICK_NS = 10_000_000;
const PF_FORKNOEXEC = 0x40;
const PF_RANDOMIZE = 0x400000;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
/** RLIM_INFINITY as printed in stat. */
const UNLIMITED = '18446744073709551615';

const STATE_NAMES: Record<string, string> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  D: 'D (disk sleep)',
  T: 'T (stopped)',
  Z: 'Z (zombie)',
  X: 'X (dead)',
};

export const ticks = (ns: number): number => Math.floor(ns / TICK_NS);
/** The memory map, unless it is gone. */
export const memoryOf = (task: Task): MemoryMap | null => (task.exited ? null : task.mm);
const ppid = (task: Task): number => task.group.parent?.tgid ?? 0;

interface TtyLike {
  major: number;
  minor: number;
  foregroundId: number;
}
/** src/tty hangs the controlling terminal on the session. */
const ttyOf = (session: Session): TtyLike | null => (session as Session & { tty?: TtyLike | null }).tty ?? null;

/** new_encode_dev. */
export const encodeDevice = (major: number, minor: number): number =>
  (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);

export interface Sizes {
  total: number;
  text: number;
  lib: number;
  data: number;
  stack: number;
  locked: number;
  shared: number;
}

/** Sizes in bytes by kind of mapping. */
export function memorySizes(mm: MemoryMap): Sizes {
  const { startCode, endCode } = mm.layout;
  const { pageSize } = mm.platform;
  const text = Math.ceil(endCode / pageSize) * pageSize - Math.floor(startCode / pageSize) * pageSize;
  let exec = 0;
  let data = 0;
  let stack = 0;
  let locked = 0;
  let shared = 0;
  for (const { start, end, prot, flags, name } of mm.vmas()) {
    const size = end - start;
    if ((flags & VM_LOCKED) !== 0) locked += size;
    if ((flags & VM_SHARED) !== 0) shared += size;
    if ((flags & VM_STACK) !== 0 || name === '[stack]') stack += size;
    else if ((prot & PROT_EXEC) !== 0) exec += size;
    else if ((prot & PROT_WRITE) !== 0 && (flags & VM_SHARED) === 0) data += size;
  }
  return { total: mm.virtualBytes, text, lib: Math.max(0, exec - text), data, stack, locked, shared };
}

/** The two sets of signals that are not at their default: ignored and caught, as 64-bit hexadecimal. */
function dispositions(task: Task): { ignored: bigint; caught: bigint } {
  let ignored = 0n;
  let caught = 0n;
  for (let signo = 1; signo <= 64; signo++) {
    const { handler } = task.sighand.actions[signo];
    if (handler === SIG_IGN) ignored |= 1n << BigInt(signo - 1);
    else if (handler !== SIG_DFL) caught |= 1n << BigInt(signo - 1);
  }
  return { ignored, caught };
}
const setBits = (set: SigSet): bigint => (BigInt(set.hi >>> 0) << 32n) | BigInt(set.lo >>> 0);
const hex16 = (bits: bigint): string => bits.toString(16).padStart(16, '0');

function statPriority(task: Task): number {
  const realtime = task.policy === 1 || task.policy === 2;
  return realtime ? -1 - task.priority : 20 + task.nice;
}

/** The 52 fields. `whole`: of the process, else of the thread. */
export function statText(task: Task, reader: Task, whole: boolean): string {
  const { group } = task;
  const { kernel } = task;
  const mm = memoryOf(task);
  const permitted = mayInspect(reader, task);
  const { session } = group.processGroup;
  const tty = ttyOf(session);
  const own = task.exited ? { user: 0, system: 0 } : task.thread.cpuTimeNs();
  const times = whole ? cpuTimes(group) : { userNs: own.user, systemNs: own.system };
  const { ignored, caught } = dispositions(task);
  const layout = permitted ? mm?.layout : undefined;
  const signals = (bits: bigint): bigint => bits & 0x7fffffffn;
  const rss = group.limits[5].soft;
  const codeHidden = mm === null ? 0 : 1;
  const fields: (number | string | bigint)[] = [
    task.tid,
    `(${task.comm})`,
    task.stateLetter,
    ppid(task),
    group.processGroup.id,
    session.id,
    tty === null ? 0 : encodeDevice(tty.major, tty.minor),
    tty === null ? -1 : tty.foregroundId,
    PF_RANDOMIZE | (group.execed ? 0 : PF_FORKNOEXEC),
    group.minorFaults,
    group.childMinorFaults,
    0,
    0,
    ticks(times.userNs),
    ticks(times.systemNs),
    ticks(group.childUserNs),
    ticks(group.childSystemNs),
    statPriority(task),
    task.nice,
    Math.max(1, group.threads.size),
    0,
    ticks(task.startNs - kernel.bootNs),
    mm?.virtualBytes ?? 0,
    mm === null ? 0 : Math.floor(mm.rssBytes() / kernel.pageSize),
    rss === Infinity ? UNLIMITED : rss,
    mm === null ? 0 : layout === undefined ? codeHidden : layout.startCode,
    mm === null ? 0 : layout === undefined ? codeHidden : layout.endCode,
    layout?.startStack ?? 0,
    0,
    0,
    signals(setBits(task.pending.set)),
    signals(setBits(task.blocked)),
    signals(ignored),
    signals(caught),
    task.sleep.active ? 1 : 0,
    0,
    0,
    group.exitSignal === 0 ? 17 : group.exitSignal,
    0,
    task.policy === 1 || task.policy === 2 ? task.priority : 0,
    task.policy,
    0,
    0,
    0,
    layout?.startData ?? 0,
    layout?.endData ?? 0,
    layout?.startBrk ?? 0,
    layout?.argStart ?? 0,
    layout?.argEnd ?? 0,
    layout?.envStart ?? 0,
    layout?.envEnd ?? 0,
    permitted ? task.exitStatus : 0,
  ];
  return `${fields.join(' ')}\n`;
}

export function statmText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '0 0 0 0 0 0 0\n';
  const pages = (bytes: number): number => Math.floor(bytes / mm.platform.pageSize);
  const { total, text, data, stack, shared } = memorySizes(mm);
  const rss = pages(mm.rssBytes());
  return `${pages(total)} ${rss} ${Math.min(rss, pages(shared + text))} ${pages(text)} 0 ${pages(data + stack)} 0\n`;
}

export function statusText(task: Task): string {
  const { group, creds } = task;
  const lines: string[] = [];
  const add = (name: string, value: string | number): void => void lines.push(`${name}:\t${value}\n`);
  add('Name', escapeName(task.comm));
  if (!task.exited) add('Umask', task.fs.umask.toString(8).padStart(4, '0'));
  add('State', STATE_NAMES[task.stateLetter] ?? task.stateLetter);
  add('Tgid', group.tgid);
  add('Ngid', 0);
  add('Pid', task.tid);
  add('PPid', ppid(task));
  add('TracerPid', 0);
  add('Uid', `${creds.uid}\t${creds.euid}\t${creds.suid}\t${creds.fsuid}`);
  add('Gid', `${creds.gid}\t${creds.egid}\t${creds.sgid}\t${creds.fsgid}`);
  add('FDSize', descriptorTableSize(task));
  add('Groups', `${creds.groups.join(' ')} `);
  add('NStgid', group.tgid);
  add('NSpid', task.tid);
  add('NSpgid', group.processGroup.id);
  add('NSsid', group.processGroup.session.id);
  add('Kthread', 0);
  const mm = memoryOf(task);
  if (mm !== null) lines.push(memoryLines(task, mm));
  add('Threads', Math.max(1, group.threads.size));
  const limit = group.limits[11].soft;
  add('SigQ', `${task.pending.size + group.pending.size}/${limit === Infinity ? UNLIMITED : limit}`);
  const { ignored, caught } = dispositions(task);
  add('SigPnd', hex16(setBits(task.pending.set)));
  add('ShdPnd', hex16(setBits(group.pending.set)));
  add('SigBlk', hex16(setBits(task.blocked)));
  add('SigIgn', hex16(ignored));
  add('SigCgt', hex16(caught));
  add('CapInh', hex16(creds.capInheritable));
  add('CapPrm', hex16(creds.capPermitted));
  add('CapEff', hex16(creds.capEffective));
  add('CapBnd', hex16(creds.capBounding));
  add('CapAmb', hex16(creds.capAmbient));
  add('NoNewPrivs', group.noNewPrivs ? 1 : 0);
  add('Seccomp', 0);
  add('Seccomp_filters', 0);
  add('Speculation_Store_Bypass', 'vulnerable');
  add('SpeculationIndirectBranch', 'always enabled');
  add('Cpus_allowed', cpuMask(task));
  add('Cpus_allowed_list', cpuList(task));
  add('Mems_allowed', 1);
  add('Mems_allowed_list', 0);
  add('voluntary_ctxt_switches', 0);
  add('nonvoluntary_ctxt_switches', 0);
  return lines.join('');
}

function memoryLines(task: Task, mm: MemoryMap): string {
  const { total, text, lib, data, stack, locked } = memorySizes(mm);
  const rss = mm.rssBytes();
  const { pageSize } = mm.platform;
  const kb = (name: string, bytes: number): string => `${name}:\t${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
  const file = Math.min(rss, text + lib);
  return (
    kb('VmPeak', total) +
    kb('VmSize', total) +
    kb('VmLck', locked) +
    kb('VmPin', 0) +
    kb('VmHWM', Math.max(rss, mm.peakRssBytes())) +
    kb('VmRSS', rss) +
    kb('RssAnon', rss - file) +
    kb('RssFile', file) +
    kb('RssShmem', 0) +
    kb('VmData', data) +
    kb('VmStk', stack) +
    kb('VmExe', text) +
    kb('VmLib', lib) +
    kb('VmPTE', Math.ceil(total / ((pageSize / 8) * pageSize)) * pageSize + pageSize) +
    kb('VmSwap', 0) +
    kb('HugetlbPages', 0) +
    'CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n'
  );
}

/** comm with newline and backslash escaped. */
const escapeName = (name: string): string => name.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');

/** Slots of the descriptor table: 64, then powers of two from 256. */
export function descriptorTableSize(task: Task): number {
  let highest = 0;
  for (const [fd] of task.files.entries()) highest = fd;
  let size = 64;
  while (size <= highest) size = size === 64 ? 256 : size * 2;
  return size;
}

function allowedCpus(task: Task): number[] {
  const all = Array.from({ length: task.kernel.cpus }, (_, cpu) => cpu);
  return task.affinity === null ? all : all.filter((cpu) => task.affinity!.has(cpu));
}
function cpuMask(task: Task): string {
  let mask = 0n;
  for (const cpu of allowedCpus(task)) mask |= 1n << BigInt(cpu);
  const digits = Math.ceil(task.kernel.cpus / 4);
  const text = mask.toString(16).padStart(digits, '0');
  return text.replace(/(?<=.)(?=(.{8})+$)/g, ',');
}
function cpuList(task: Task): string {
  const ranges: string[] = [];
  const cpus = allowedCpus(task);
  for (let i = 0; i < cpus.length;) {
    let end = i;
    while (cpus[end + 1] === cpus[end] + 1) end++;
    ranges.push(end === i ? `${cpus[i]}` : `${cpus[i]}-${cpus[end]}`);
    i = end + 1;
  }
  return ranges.join(',');
}

const LIMITS: readonly (readonly [string, string])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', ''],
  ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];

export function limitsText(task: Task): string {
  const row = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit.padEnd(10)}\n`;
  const show = (value: number): string => (value === Infinity ? 'unlimited' : String(value));
  let text = row('Limit', 'Soft Limit', 'Hard Limit', 'Units');
  LIMITS.forEach(([name, unit], index) => {
    const { soft, hard } = task.group.limits[index];
    text += row(name, show(soft), show(hard), unit);
  });
  return text;
}
