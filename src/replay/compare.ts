/**
 * What a call printed now against what was recorded, term by term. How much two values must agree is the class of the
 * row's argument: exact; relational (descriptors and pids, that mean the same thing under another number); ignored (addresses,
 * times, figures of the machine).
 */
import type { ArgKind, ReturnKind, Row } from '../../syscalls/row.js';
import { classOf } from '../trace/classes.js';
import type { Evaluator } from '../trace/parse/value.js';
import { parseArguments, TraceTextError, type Term } from '../trace/parse/term.js';

export type Comparison = 'exact' | 'fd' | 'pid' | 'ignored';

/** Recorded numbers and what they are now; binds what it sees first. */
export interface Relations {
  fd(recorded: number, now: number): boolean;
  pid(recorded: number, now: number): boolean;
}

/** Fields of structs by their Linux names, which are unique: what machines and file systems decide is nobody's difference. */
const IGNORED_FIELDS =
  /^(?:st_(?:dev|ino|blocks|blksize|.time.*)|stx_(?:ino|blocks|blksize|attributes.*|mask|dev_.*|.time|mnt_id|dio.*)|d_(?:ino|off)|tv_.*|ru_.*|f_(?:type|blocks|bfree|bavail|files|ffree|fsid|flags|bsize|frsize)|tms_.*|si_(?:utime|stime|addr|ptr|int|call_addr)|sysname|nodename|release|version|machine|domainname|uptime|loads|totalram|freeram|sharedram|bufferram|totalswap|freeswap|procs|totalhigh|freehigh|rlim_.*|ss_sp|sa_handler|sa_restorer|parent_tid|child_tid(?:ptr)?|tls|child_stack|stack|iov_base|msg_controllen|nl_pid|mtime|atime|it_value)$/;
const PID_FIELDS = /^(?:si_pid|pid|l_pid)$/;
const FD_FIELDS = /^(?:fd|tfd|cmsg_data)$/;

const fieldClasses = new Map<string, Comparison>();
export function classOfField(name: string): Comparison {
  let known = fieldClasses.get(name);
  if (known === undefined) {
    known = IGNORED_FIELDS.test(name)
      ? 'ignored'
      : PID_FIELDS.test(name)
        ? 'pid'
        : FD_FIELDS.test(name)
          ? 'fd'
          : 'exact';
    // Names come from files: whatever they hold, this holds not much.
    if (fieldClasses.size < 4096) fieldClasses.set(name, known);
  }
  return known;
}
export const ignoresField = (name: string): boolean => classOfField(name) === 'ignored';
export function comparisonOf(kind: ArgKind): Comparison {
  if (kind.kind === 'struct' && IGNORED_STRUCTS.has(kind.layout)) return 'ignored';
  const known = classOf(kind);
  return known === 'address' ? 'ignored' : known;
}
const IGNORED_STRUCTS: ReadonlySet<string> = new Set([
  'timespec',
  'timeval',
  'rusage',
  'tms',
  'timex',
  'sysinfo',
  'utsname',
  'timezone',
]);
export function classOfResult(kind: ReturnKind): Comparison {
  switch (kind) {
    case 'fd':
      return 'fd';
    case 'pid':
      return 'pid';
    case 'addr':
    case 'time':
      return 'ignored';
    default:
      return 'exact';
  }
}
/** Results that name processes from before the recording, and counts of who came first: the row cannot know. */
const OUTSIDE: ReadonlySet<string> = new Set(['getppid', 'getpgrp', 'getpgid', 'getsid', 'futex']);
export const ownResult = (row: Row): boolean => row.varies.includes('result') || OUTSIDE.has(row.name);
/** What a program got from whoever started it. */
const INHERITED: ReadonlySet<string> = new Set(['prlimit64.old_limit', 'getrlimit.rlim', 'get_robust_list.head_ptr']);
export const ownArgument = (row: Row, name: string): boolean =>
  row.varies.includes(name) || INHERITED.has(`${row.name}.${name}`);

export class Comparer {
  private readonly values: Evaluator;
  private readonly relations: Relations;

  /** The field that `same` last found to differ. */
  where = '';
  /** A script means the fields that it writes, also those that are another machine's in a recording. */
  literal = false;

  /** A name of a script that stands where the kernel wrote a number: true if it was new, and has the number now. */
  capture: ((name: string, value: bigint) => boolean) | null = null;

  constructor(values: Evaluator, relations: Relations) {
    this.values = values;
    this.relations = relations;
  }

  /** Whether `now` is as good as `recorded`. */
  same(recorded: Term, now: Term, how: Comparison): boolean {
    if ((how === 'ignored' && !this.literal) || recorded.kind === 'dots' || now.kind === 'dots') return true;
    if (wild(recorded)) return true;
    if (recorded.kind === 'struct' && now.kind === 'struct') return this.structs(recorded, now);
    if (recorded.kind === 'array' && now.kind === 'array') return this.arrays(recorded, now, how);
    if (recorded.kind === 'string' && now.kind === 'string') return this.strings(recorded, now);
    if (recorded.kind === 'operation' && recorded.text === '=>')
      return this.same(recorded.parts[1], now.kind === 'operation' && now.text === '=>' ? now.parts[1] : now, how);
    if (recorded.kind === 'operation' && recorded.text === '&&') return sameTree(recorded, now);
    const [a, b] = [this.values.number(recorded), this.values.number(now)];
    if (a === null && b !== null && recorded.kind === 'symbol' && this.capture?.(recorded.text, b) === true)
      return true;
    if (a !== null && b !== null) return this.numbers(a, b, how, recorded, now);
    // An address told nothing; the other side may have shown what is there.
    if (pointer(recorded, a) || pointer(now, b)) return true;
    return sameTree(recorded, now);
  }

  /** The first of a call's outputs that is not as recorded, none of its inputs: its place among the terms, and its argument. */
  output(row: Row, recorded: readonly Term[], now: readonly Term[]): { index: number; name: string } | null {
    let next = 0;
    for (const arg of row.args) {
      if (arg.kind === 'unused') continue;
      const index = next++;
      const [a, b] = [recorded.at(index), now.at(index)];
      if (a === undefined || b === undefined) break;
      // What the call was given is what was recorded.
      const given = !('dir' in arg) ? arg.kind !== 'dynamic' : arg.dir === 'in';
      if (given || (!this.literal && ownArgument(row, arg.name))) continue;
      this.where = '';
      if (!this.same(a, b, comparisonOf(arg))) return { index, name: arg.name };
    }
    return null;
  }

  /** The same of what stands in parentheses behind a result. How much time was left is nobody's difference. */
  sameAux(recorded: string, now: string): boolean {
    const [a, b] = [recorded, now].map((text) => text.replace(/(?:, )?left \{.*\}/, ''));
    if (a === b) return true;
    try {
      const [wanted, found] = [a, b].map((text) =>
        parseArguments(text.replace(/\b(?:in|out|except|flags|seals) /g, '')),
      );
      return wanted.length === found.length && wanted.every((term, i) => this.same(term, found[i], 'exact'));
    } catch (error) {
      if (error instanceof TraceTextError) return false;
      throw error;
    }
  }

  private numbers(a: bigint, b: bigint, how: Comparison, recorded: Term, now: Term): boolean {
    if (a === b && (this.literal || how === 'exact')) return true;
    if (pointer(recorded, a) && pointer(now, b)) return true;
    if (how === 'fd') return a < 0n || b < 0n ? a === b : this.relations.fd(Number(a), Number(b));
    if (how === 'pid') return a <= 0n || b <= 0n ? a === b : this.relations.pid(Number(a), Number(b));
    return a === b;
  }
  private strings(recorded: Term, now: Term): boolean {
    if (recorded.text === now.text) return true;
    if (recorded.cut && now.cut) {
      const length = Math.min(recorded.text.length, now.text.length);
      return recorded.text.slice(0, length) === now.text.slice(0, length);
    }
    if (recorded.cut) return now.text.startsWith(recorded.text);
    return now.cut && recorded.text.startsWith(now.text);
  }
  private structs(recorded: Term, now: Term): boolean {
    // A directory's size and links are its file system's.
    const directory = /S_IFDIR/.test(modeText(recorded)) && /S_IFDIR/.test(modeText(now));
    return recorded.parts.every((part, i) => {
      if (part.kind === 'dots') return true;
      const other = part.name === '' ? now.parts.at(i) : now.field(part.name);
      if (other === undefined) return true;
      if (directory && !this.literal && /^stx?_(?:size|nlink)$/.test(part.name)) return true;
      this.where = '';
      if (this.same(part, other, classOfField(part.name))) return true;
      this.where = this.where === '' ? part.name : `${part.name}.${this.where}`;
      return false;
    });
  }
  private arrays(recorded: Term, now: Term, how: Comparison): boolean {
    const [a, b] = [recorded.parts, now.parts];
    if (a[0]?.kind === 'struct' && a[0].field('d_name') !== undefined) return this.listings(a, b);
    const cut = [a, b].some((parts) => parts.at(-1)?.kind === 'dots');
    if (!cut && a.length !== b.length) return false;
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (!this.same(a[i], b[i], how)) return false;
    return true;
  }
  /** The order of names in a directory is its file system's. */
  private listings(a: readonly Term[], b: readonly Term[]): boolean {
    const names = (parts: readonly Term[]): string =>
      parts
        .map((part) => part.field('d_name')?.text ?? '')
        .sort()
        .join('\0');
    return names(a) === names(b);
  }
}
const wild = (term: Term): boolean => term.kind === 'symbol' && term.text === '_';
const modeText = (term: Term): string => {
  const mode = term.field('st_mode') ?? term.field('stx_mode');
  return mode === undefined ? '' : textOf(mode);
};
const textOf = (term: Term): string => (term.kind === 'operation' ? term.parts.map(textOf).join(term.text) : term.text);
/** An address: as printed, or a script's memory by its name. */
const pointer = (term: Term, value: bigint | null): boolean =>
  value !== null && value >= 4096n && (term.kind !== 'number' || term.text.startsWith('0x'));
function sameTree(a: Term, b: Term): boolean {
  if (a.kind !== b.kind || a.text !== b.text || a.parts.length !== b.parts.length) return false;
  return a.parts.every((part, i) => sameTree(part, b.parts[i]));
}
