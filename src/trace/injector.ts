/**
 * Injector: which calls of a run are injected into, and what.
 *
 * Calls are counted per rule, call name and task, as in strace, and only those that fit the rule's path, fd and pid. Chance is a
 * hash of seed, task, call and count, not a sequence: how tasks interleave changes no decision, so a seed gives the same run.
 */
import type { Row } from '../../syscalls/row.js';
import type { Task } from '../../sched/task.js';
import { AT_FDCWD } from '../abi/flags/open.js';
import { describeFile } from '../../fs/procfs/process-files.js';
import { pathOf } from '../../fs/paths.js';
import type { InjectRule, Injection } from './inject.js';
import { taskMemory } from './task-memory.js';

/** One rule for one call. */
interface Slot {
  readonly rule: InjectRule;
  readonly index: number;
  readonly seed: number;
}

const PATH_LIMIT = 4096;

export class Injector {
  private readonly slots = new Map<Row, Slot[]>();
  private readonly counts = new WeakMap<Task, Uint32Array>();
  private size = 0;

  /** `random`: 32 bits, for rules without a seed of their own. */
  constructor(rules: readonly InjectRule[], random: () => number) {
    for (const rule of rules) {
      const seed = rule.seed ?? random();
      for (const row of rule.calls) {
        const slot: Slot = { rule, index: this.size++, seed };
        // Later rules come first, and one that fits every call hides those before it.
        const before = unconditional(rule) ? [] : (this.slots.get(row) ?? []);
        this.slots.set(row, [slot, ...before]);
      }
    }
  }

  /** What is to be done to this call, or null. To be asked once a call. */
  decide(task: Task, row: Row, args: readonly bigint[]): Injection | null {
    const slots = this.slots.get(row);
    if (slots === undefined) return null;
    for (const slot of slots) {
      if (!fits(slot.rule, task, row, args)) continue;
      const count = this.count(task, slot.index);
      const due = isDue(slot.rule, count) && chance(slot, task.tid, count) < slot.rule.probability;
      return due ? slot.rule : null;
    }
    return null;
  }

  private count(task: Task, index: number): number {
    let counts = this.counts.get(task);
    if (counts === undefined) this.counts.set(task, (counts = new Uint32Array(this.size)));
    return ++counts[index];
  }
}

const unconditional = ({ path, fd, pid }: InjectRule): boolean => path === null && fd === null && pid === null;

function isDue({ first, last, step }: InjectRule, count: number): boolean {
  if (count === first) return true;
  return step > 0 && count > first && count <= last && (count - first) % step === 0;
}

/** From 0 up to 1. */
function chance({ seed, index }: Slot, tid: number, count: number): number {
  let hash = Math.floor(seed / 2 ** 32) | 0;
  for (const word of [seed, index, tid, count]) {
    // MurmurHash3's finalizer after each word.
    hash = (hash ^ word) | 0;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    hash = (hash ^ (hash >>> 16)) + 0x9e37_79b9;
  }
  return (hash >>> 0) / 2 ** 32;
}

function fits(rule: InjectRule, task: Task, row: Row, args: readonly bigint[]): boolean {
  const { path, fd, pid } = rule;
  if (pid !== null && task.tgid !== pid) return false;
  if (fd !== null && !descriptors(row, args).includes(fd)) return false;
  return path === null || paths(task, row, args).some((text) => path.test(text));
}

const toFd = (value: bigint): number => Number(BigInt.asIntN(32, value));

function descriptors(row: Row, args: readonly bigint[]): number[] {
  return row.args.flatMap(({ kind }, i) => (kind === 'fd' || kind === 'dirfd' ? [toFd(args[i])] : []));
}

/** Every path the call is about: those it names, as written and made absolute, and those of its descriptors. */
function paths(task: Task, row: Row, args: readonly bigint[]): string[] {
  const found: string[] = [];
  for (const [i, { kind }] of row.args.entries()) {
    if (kind === 'fd') found.push(...openPath(task, toFd(args[i])));
    if (kind !== 'path') continue;
    const text = guestString(task, args[i]);
    if (text === null) continue;
    found.push(text);
    if (text.startsWith('/')) continue;
    const base = i > 0 && row.args[i - 1].kind === 'dirfd' ? toFd(args[i - 1]) : AT_FDCWD;
    const folder = base === AT_FDCWD ? [pathOf(task.kernel.vfs, task.fs.cwd, task.fs.root)] : openPath(task, base);
    for (const from of folder) found.push(absolute(`${from}/${text}`));
  }
  return found;
}

function openPath(task: Task, fd: number): string[] {
  const file = task.files.find(fd);
  return file === undefined ? [] : [describeFile(file, task)];
}

function guestString(task: Task, at: bigint): string | null {
  const memory = taskMemory(task);
  let text = '';
  // Piece by piece to the next page: the string may end right before a hole.
  for (let from = Number(at); text.length < PATH_LIMIT;) {
    const length = PATH_LIMIT - (from % PATH_LIMIT);
    const bytes = memory.read(from, length);
    if (bytes === null) return null;
    const end = bytes.indexOf(0);
    text += Buffer.from(bytes).toString('latin1', 0, end < 0 ? length : end);
    if (end >= 0) return text;
    from += length;
  }
  return text;
}

/** Without `.`, `..` and double slashes; links are not followed. */
function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
