/**
 * Dispatch: from the registers of a stopped thread to the handler of its system call.
 *
 * Decodes each argument as the C type of its kind says and calls the handler, without allocating. Errors leave as thrown
 * `Errno`, an absent call's too. A number without a row (x32 with its bit 30, negative, past the end) is ENOSYS, as in
 * do_syscall_64() and invoke_syscall().
 */
import { ENOSYS, errno } from '../src/abi/errno.js';
import { TOP_BYTE_IGNORED, type ArchName } from '../src/abi/types.js';
import type { Registers } from '../src/platform/registers.js';
import type { Task } from '../sched/task.js';
import type { Answered, ArgKind, Row } from './row.js';
import { ROWS } from './table.js';

/** How a register becomes a number. */
const INT = 0; // signed 32 bits
const UINT = 1; // unsigned 32 bits
const LONG = 2; // signed 64 bits
const ULONG = 3; // unsigned 64 bits
const MODE = 4; // umode_t, 16 bits
const TAGGED = 5; // an address whose top byte does not count
const WIDTHS = { int: INT, uint: UINT, long: LONG, ulong: ULONG, mode: MODE } as const;

function widthOf(arg: ArgKind, arch: ArchName): number {
  switch (arg.kind) {
    case 'int':
    case 'fd':
    case 'dirfd':
    case 'pid':
    case 'signal':
      return INT;
    case 'uint':
    case 'hex32':
    case 'uid':
    case 'gid':
      return UINT;
    case 'mode':
      return MODE;
    case 'long':
    case 'off':
      return LONG;
    case 'flags':
    case 'enum':
    case 'dynamic':
      return WIDTHS[arg.as];
    case 'addr':
      return arg.tagged && TOP_BYTE_IGNORED[arch] ? TAGGED : ULONG;
    default:
      return ULONG;
  }
}

/** In the high half. */
const BIT_55 = 1 << 23;

function decode(regs: Registers, word: number, width: number): number {
  switch (width) {
    case INT:
      return regs.lo(word) | 0;
    case UINT:
      return regs.lo(word);
    case LONG:
      return regs.getSigned(word);
    case MODE:
      return regs.lo(word) & 0xffff;
    case TAGGED: {
      const high = regs.hi(word);
      // untagged_addr: an address of the kernel's half stays what it is.
      return (high & BIT_55) === 0 ? (high & 0x00ff_ffff) * 2 ** 32 + regs.lo(word) : unsigned(regs, word);
    }
    default:
      return unsigned(regs, word);
  }
}
/** Values within 1 KiB of 2^64 would round up to it, and be aligned. */
function unsigned(regs: Registers, word: number): number {
  const value = regs.get(word);
  return value < 2 ** 64 ? value : 2 ** 64 - 2048;
}

/** A row made ready for one architecture. */
export interface Entry {
  readonly nr: number;
  readonly row: Row;
  readonly arity: number;
  /** Which of the six argument registers each argument is in. */
  readonly order: readonly number[];
  readonly widths: readonly number[];
  readonly handler: ((task: Task, ...args: number[]) => number) | undefined;
  /** Stubs and absent calls count themselves for the exit report. */
  readonly counted: boolean;
  hits: number;
}

const ALL_REGISTERS = [0, 1, 2, 3, 4, 5];

/**
 * What the gate may copy before it hands a call over: a class of GatePort.classes. Nothing that other threads change while the call
 * looks at it, as a futex word.
 */
function sentAlong({ args }: Row): number {
  const [first, second, third] = args;
  if (first?.kind === 'path' || (first?.kind === 'struct' && first.dir !== 'out')) return 3;
  if (first?.kind === 'dynamic' && first.by === 'pollfds') return 3;
  switch (second?.kind) {
    case 'buffer': {
      const { dir, length } = second;
      return dir === 'in' && typeof length === 'object' && 'arg' in length && length.arg === third?.name ? 7 : 1;
    }
    case 'path':
    case 'sigset':
    case 'iovec':
    case 'msghdr':
      return 5;
    case 'struct':
    case 'sockaddr':
      return second.dir === 'out' ? 1 : 5;
    default:
      return 1;
  }
}

/** Classes of GatePort.classes; facts are in the order of HostThread.share. */
const ANSWERED: Readonly<Record<Answered, number>> = {
  mask: 2,
  pid: 0x80,
  tid: 0x81,
  uid: 0x82,
  euid: 0x83,
  gid: 0x84,
  egid: 0x85,
  tidAddress: 0xc0,
  fsBase: 0xc1,
};

export class Dispatcher {
  readonly arch: ArchName;
  /** Indexed by system call number; holes are numbers the ABI never assigned. */
  readonly entries: readonly (Entry | undefined)[];

  constructor(arch: ArchName, rows: readonly Row[] = ROWS) {
    this.arch = arch;
    const entries: (Entry | undefined)[] = [];
    for (const row of rows) {
      const nr = row.numbers[arch];
      if (nr === undefined) continue;
      entries[nr] = {
        nr,
        row,
        arity: row.args.length,
        order: row.registers?.[arch] ?? ALL_REGISTERS,
        widths: row.args.map((arg) => widthOf(arg, arch)),
        handler: row.handler,
        counted: typeof row.disposition === 'object' && !('partial' in row.disposition),
        hits: 0,
      };
    }
    this.entries = Array.from(entries);
  }

  /** GatePort.classes: which calls may come without a stop; every one comes when `traced`. */
  fillGateClasses(classes: Uint8Array, traced: boolean): void {
    for (let nr = 0; nr < classes.length; nr++) {
      const entry = this.entries[nr];
      if (entry === undefined) classes[nr] = 0;
      else if (entry.row.answered !== undefined && !traced) classes[nr] = ANSWERED[entry.row.answered];
      else if (entry.row.stops) classes[nr] = 0;
      else classes[nr] = sentAlong(entry.row);
    }
  }

  /** The row of a number, or undefined. */
  row(nr: number): Row | undefined {
    return this.entries[nr]?.row;
  }

  /** The row called `name`; throws for a name that this architecture lacks. */
  byName(name: string): Row {
    const entry = this.entries.find((candidate) => candidate?.row.name === name);
    if (entry === undefined) throw new Error(`no system call ${name} on ${this.arch}`);
    return entry.row;
  }

  /** Runs the call in `regs`; returns its result or throws its `Errno`. */
  dispatch(task: Task, regs: Registers): number {
    const entry = this.entries[regs.nr];
    if (entry === undefined) throw errno(ENOSYS);
    return this.invoke(entry, task, regs);
  }

  invoke(entry: Entry, task: Task, regs: Registers): number {
    if (entry.counted) entry.hits++;
    const { handler, order, widths } = entry;
    if (handler === undefined) throw errno(absentErrno(entry.row));
    const words = regs.layout.args;
    switch (entry.arity) {
      case 0:
        return handler(task);
      case 1:
        return handler(task, decode(regs, words[order[0]], widths[0]));
      case 2:
        return handler(task, decode(regs, words[order[0]], widths[0]), decode(regs, words[order[1]], widths[1]));
      case 3:
        return handler(
          task,
          decode(regs, words[order[0]], widths[0]),
          decode(regs, words[order[1]], widths[1]),
          decode(regs, words[order[2]], widths[2]),
        );
      case 4:
        return handler(
          task,
          decode(regs, words[order[0]], widths[0]),
          decode(regs, words[order[1]], widths[1]),
          decode(regs, words[order[2]], widths[2]),
          decode(regs, words[order[3]], widths[3]),
        );
      case 5:
        return handler(
          task,
          decode(regs, words[order[0]], widths[0]),
          decode(regs, words[order[1]], widths[1]),
          decode(regs, words[order[2]], widths[2]),
          decode(regs, words[order[3]], widths[3]),
          decode(regs, words[order[4]], widths[4]),
        );
      default:
        return handler(
          task,
          decode(regs, words[order[0]], widths[0]),
          decode(regs, words[order[1]], widths[1]),
          decode(regs, words[order[2]], widths[2]),
          decode(regs, words[order[3]], widths[3]),
          decode(regs, words[order[4]], widths[4]),
          decode(regs, words[order[5]], widths[5]),
        );
    }
  }

  /** The decoded arguments, for tracers and replay (off the hot path). */
  decodeArgs(entry: Entry, regs: Registers): number[] {
    return entry.widths.map((width, i) => decode(regs, regs.layout.args[entry.order[i]], width));
  }

  /** The raw 64-bit registers in the row's order, as tracers get them. */
  rawArgs(entry: Entry, regs: Registers): bigint[] {
    const { args } = regs.layout;
    const values = new Array<bigint>(entry.widths.length);
    for (let i = 0; i < values.length; i++) values[i] = regs.big(args[entry.order[i]]);
    return values;
  }

  /** Stubs and absent calls that guests have made, most frequent first. */
  missed(): { row: Row; hits: number }[] {
    return this.entries
      .flatMap((entry) => (entry && entry.counted && entry.hits > 0 ? [{ row: entry.row, hits: entry.hits }] : []))
      .sort((a, b) => b.hits - a.hits);
  }
}

function absentErrno(row: Row): number {
  return typeof row.disposition === 'object' && 'absent' in row.disposition ? row.disposition.absent : ENOSYS;
}
