/**
 * What recorded numbers are now: pids, descriptors of each table of files, addresses of each address space, and the
 * variables of a script. Bound as calls bring them.
 */
import type { Task } from '../../sched/task.js';
import { SAME, type Translation } from '../trace/parse/encode.js';
import type { Term } from '../trace/parse/term.js';
import { Evaluator } from '../trace/parse/value.js';
import type { ArchName } from '../abi/types.js';
import { Addresses, pages } from './addresses.js';
import type { Relations } from './compare.js';
import type { PlayedTask, Playing } from './played-task.js';

export class Identities implements Relations {
  readonly values: Evaluator;
  readonly variables = new Map<string, bigint>();
  /** Whose descriptors `fd` means. */
  current: PlayedTask | null = null;
  private readonly exact: boolean;
  private readonly pids = new Map<number, number>();
  private readonly pidsNow = new Map<number, number>();
  private readonly addresses = new WeakMap<object, Addresses>();
  private readonly fds = new WeakMap<object, Map<number, number>>();

  /** `exact`: a script, where descriptors and pids mean themselves. */
  constructor(arch: ArchName, exact: boolean) {
    this.exact = exact;
    this.values = new Evaluator(arch, (name) => this.variables.get(name));
  }

  /** A new task starts from its parent's tables, where it has copies of them. */
  inherit(task: Task, parent: Task): void {
    const from = this.addresses.get(parent.mm);
    if (parent.mm !== task.mm && from !== undefined && !this.addresses.has(task.mm))
      this.addresses.set(task.mm, from.copy());
    const files = this.fds.get(parent.files);
    if (parent.files !== task.files && files !== undefined && !this.fds.has(task.files))
      this.fds.set(task.files, new Map(files));
  }
  pidNow(recorded: number): number | undefined {
    return this.pids.get(recorded);
  }
  /** Whether this pid of ours has been told of. */
  hasPid(now: number): boolean {
    return this.pidsNow.has(now);
  }
  bindPid(recorded: number, now: number): void {
    this.pids.set(recorded, now);
    this.pidsNow.set(now, recorded);
  }
  pid(recorded: number, now: number): boolean {
    if (this.exact) return recorded === now;
    const known = this.pids.get(recorded);
    if (known !== undefined) return known === now;
    if (this.pidsNow.has(now)) return false;
    this.bindPid(recorded, now);
    return true;
  }
  private fdsOf(task: Task): Map<number, number> {
    const { files } = task;
    let map = this.fds.get(files);
    if (map === undefined) this.fds.set(files, (map = new Map<number, number>()));
    return map;
  }
  fd(recorded: number, now: number): boolean {
    if (this.exact) return recorded === now;
    const map = this.fdsOf(this.current!.task);
    // A descriptor as a result is a new one, whatever had its number before.
    if (recorded === now) map.delete(recorded);
    else map.set(recorded, now);
    return true;
  }
  private addressesOf(task: Task): Addresses {
    let table = this.addresses.get(task.mm);
    if (table === undefined) this.addresses.set(task.mm, (table = new Addresses()));
    return table;
  }

  /** Memory that the recorded program had from elsewhere is mapped in one piece where a call means all of it. */
  reachRange(played: PlayedTask, terms: readonly Term[]): void {
    if (this.exact) return;
    const [address, length] = [this.values.number(terms[0]), this.values.number(terms[1])];
    if (address === null || length === null || address < 65_536n || address >= 1n << 47n || length > 1n << 30n) return;
    try {
      this.addressesOf(played.task).reach(played.task.mm, Number(address), Number(length));
    } catch {
      // Then the call itself will say why.
    }
  }
  bindResult(played: PlayedTask, playing: Playing): void {
    const { plan, terms } = playing;
    const { row } = plan;
    if (row.name === 'execve' || row.name === 'execveat') this.addresses.delete(played.task.mm);
    if (row.name === 'munmap') {
      const [address, length] = [this.values.number(terms[0]), this.values.number(terms[1])];
      if (address !== null && length !== null) this.addressesOf(played.task).unbind(Number(address), Number(length));
    }
  }
  /** Where recorded memory lies now. */
  bindMemory(played: PlayedTask, playing: Playing, recorded: bigint): void {
    const { plan, terms, call } = playing;
    const { row } = plan;
    const number = (i: number): number => Number(this.values.number(terms[i]) ?? 0n);
    const length = (i: number): number => pages(played.task.mm, number(i));
    const table = this.addressesOf(played.task);
    const start = Number(recorded);
    switch (row.name) {
      case 'mmap':
        table.bind(start, length(1), call.result);
        return;
      case 'mremap':
        table.unbind(number(0), length(1));
        table.bind(start, length(2), call.result);
        return;
      case 'shmat':
        table.bind(start, 1 << 24, call.result);
        return;
      case 'brk':
        if (number(0) === 0 && table.find(start) === null) table.bind(start, HEAP, call.result);
        return;
      default:
        return;
    }
  }

  /** How the arguments of a task's calls are to be read. */
  translation(task: Task): Translation {
    if (this.exact) return SAME;
    return {
      pid: (recorded) => BigInt(this.pids.get(Number(recorded)) ?? Number(recorded)),
      fd: (fd) => BigInt(this.fdsOf(task).get(Number(fd)) ?? Number(fd)),
      path: (path) => {
        if (!path.startsWith('/proc/')) return path;
        return path.replace(PROC_PID, (digits) => String(this.pids.get(Number(digits)) ?? digits));
      },
      address: (address) => {
        if (address >= 1n << 47n) return address;
        const table = this.addressesOf(task);
        try {
          return BigInt(table.reach(task.mm, Number(address), 1));
        } catch {
          return address;
        }
      },
    };
  }
}

/** The processes and threads that a path of procfs names. */
const PROC_PID = /(?<=^\/proc\/+(?:[^/]+\/+task\/+)?)[0-9]+(?=\/|$)/g;
/** Calls that mean a range, which is mapped in one piece. */
export const RANGES: ReadonlySet<string> = new Set([
  'mprotect',
  'madvise',
  'munmap',
  'msync',
  'mlock',
  'munlock',
  'mlock2',
  'mincore',
  'pkey_mprotect',
]);
/** How far a heap may grow. */
const HEAP = 1 << 30;
