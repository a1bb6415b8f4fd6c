/**
 * The row: the one declaration of a system call, from which dispatch, strace text, trace schema, the coverage page,
 * replay comparison and fuzzing are all derived.
 *
 * An argument's kind says how its register is decoded (number handed to the handler) and how it is printed. Pointers are
 * handed over as addresses: handlers copy in themselves, because Linux's order of errors (EBADF before EFAULT or after)
 * is visible to guests. `out` buffers are printed after the call, from guest memory, limited by the return value.
 */
import type { FlagSetName } from '../src/abi/flags/index.js';
import type { LayoutName } from '../src/abi/layouts/index.js';
import type { ArchName, Fd, GuestAddr, GuestPath, GuestPtr } from '../src/abi/types.js';
import type { Task } from '../sched/task.js';

/** Which direction data flows through a pointer. */
export type Direction = 'in' | 'out' | 'inout';

/**
 * Where a buffer's or array's length comes from: another argument (by name), the return value, or a fixed count.
 */
export type LengthSource = { arg: string } | 'ret' | { fixed: number };

/** How much of a register Linux looks at: the C type of the parameter. `mode` is umode_t, 16 bits. */
export type Width = 'int' | 'uint' | 'long' | 'ulong' | 'mode';

export type ArgKind =
  | { kind: 'int' } // signed 32 bits, decimal
  | { kind: 'uint' } // unsigned 32 bits, decimal
  | { kind: 'long' } // signed 64 bits, decimal
  | { kind: 'ulong' } // unsigned 64 bits, decimal
  | { kind: 'hex' } // unsigned 64 bits, hexadecimal
  | { kind: 'hex32' } // unsigned 32 bits, hexadecimal
  | { kind: 'fd' }
  | { kind: 'dirfd' } // a descriptor or AT_FDCWD
  | { kind: 'pid' }
  | { kind: 'uid' } // signed 32 in print (-1), unsigned in handlers
  | { kind: 'gid' }
  | { kind: 'mode' } // octal
  | { kind: 'off' } // signed 64
  | { kind: 'size' } // unsigned 64
  | { kind: 'signal' }
  | { kind: 'addr'; tagged?: true } // plain address; tagged: its top byte is ignored where the architecture has tags
  | { kind: 'path' } // NUL-terminated string
  | { kind: 'string'; what: string } // NUL-terminated string that is no path
  | { kind: 'strings' } // NULL-terminated array of strings (argv)
  | { kind: 'environ' } // the same, printed as a count (envp)
  | { kind: 'flags'; set: FlagSetName; as: 'uint' | 'ulong' } // bits of the named set in src/abi/flags
  | { kind: 'enum'; set: FlagSetName; as: 'int' | 'uint' | 'long' } // one value of the named set
  | { kind: 'buffer'; dir: Direction; length: LengthSource }
  | { kind: 'iovec'; dir: Direction; length: LengthSource }
  | { kind: 'msghdr'; dir: Direction }
  | { kind: 'sockaddr'; dir: Direction; length: LengthSource }
  | { kind: 'struct'; dir: Direction; layout: LayoutName; count?: LengthSource } // layout of src/abi/layouts
  | { kind: 'sigset'; dir: Direction }
  | { kind: 'fdset'; dir: Direction }
  | { kind: 'word'; dir: Direction; of: WordType } // pointer to integer(s)
  | { kind: 'dynamic'; by: string; as: Width } // printed by the printer named `by` (ioctl, fcntl, open's mode)
  | { kind: 'unused' }; // a register Linux ignores, not printed

export type WordType = 'int' | 'uint' | 'long' | 'ulong' | 'fd' | 'fdpair' | 'off' | 'size';

export type ArgType = ArgKind & { name: string };

/** What a handler gets for an argument of this kind. */
export type ArgValue<A extends ArgKind> = A['kind'] extends 'fd' | 'dirfd'
  ? Fd
  : A['kind'] extends 'path'
    ? GuestPath
    : A['kind'] extends 'struct'
      ? GuestPtr
      : A['kind'] extends
            | 'addr'
            | 'buffer'
            | 'iovec'
            | 'msghdr'
            | 'sockaddr'
            | 'string'
            | 'strings'
            | 'environ'
            | 'sigset'
            | 'fdset'
            | 'word'
        ? GuestAddr
        : number;

export type ArgValues<Args extends readonly ArgType[]> = { [I in keyof Args]: ArgValue<Args[I]> };

/** How a return value is printed and compared; `dynamic`: the printer of that call decides. */
export type ReturnKind =
  'int' | 'fd' | 'size' | 'addr' | 'pid' | 'mode' | 'off' | 'uid' | 'flags' | 'none' | 'zero' | 'time' | 'dynamic';

/** strace's classes for `-e trace=%file` and friends (`stat-like` is its %%stat, `statfs-like` its %%statfs). */
export type TraceClass =
  | 'file'
  | 'process'
  | 'network'
  | 'signal'
  | 'memory'
  | 'desc'
  | 'ipc'
  | 'creds'
  | 'clock'
  | 'stat'
  | 'lstat'
  | 'fstat'
  | 'stat-like'
  | 'statfs'
  | 'fstatfs'
  | 'statfs-like'
  | 'pure';

/** Full, partial with what is missing, stub with the reason, absent with the errno Linux gives for a missing call. */
export type Disposition = 'full' | { partial: string } | { stub: string; errno?: number } | { absent: number };

/** Numbers per ABI; undefined where that ABI has no such call. */
export interface Numbers {
  readonly x86_64?: number;
  readonly aarch64?: number;
}

export type Handler<Args extends readonly ArgType[] = readonly ArgType[]> = (
  task: Task,
  ...args: [...ArgValues<Args>]
) => number;

/** Which register (0 to 5) holds each argument, where that is not their order (clone on aarch64). */
export type RegisterOrder = Readonly<Partial<Record<ArchName, readonly number[]>>>;

/** What the gate knows or can do: the signal mask, ids, the address of set_tid_address(2), the FS base. */
export type Answered = 'mask' | 'pid' | 'tid' | 'uid' | 'euid' | 'gid' | 'egid' | 'tidAddress' | 'fsBase';

export interface Row {
  readonly name: string;
  readonly numbers: Numbers;
  readonly args: readonly ArgType[];
  readonly ret: ReturnKind;
  readonly classes: readonly TraceClass[];
  readonly registers?: RegisterOrder | undefined;
  readonly disposition: Disposition;
  /**
   * Always a stop, with the gate too: it changes registers or host mappings, ends the thread, or sleeps as a rule. Every other
   * call may come without one: then only its arguments, ip and sp are in the registers until HostThread.sync().
   */
  readonly stops: boolean;
  /** The gate answers the call by itself, from the thread's channel: see HostThread.share. Not while calls are traced. */
  readonly answered: Answered | undefined;
  /**
   * Arguments, or `result`, whose values are not the same in two runs of one program on one kernel: times, random bytes, usage,
   * what the machine is. For those who compare runs.
   */
  readonly varies: readonly string[];
  /** Absent exactly when the disposition is `absent`. */
  readonly handler?: (task: Task, ...args: number[]) => number;
}

export interface RowOptions {
  ret?: ReturnKind;
  classes?: readonly TraceClass[];
  registers?: RegisterOrder;
  disposition?: Disposition;
  stops?: boolean;
  answered?: Answered;
  varies?: readonly string[];
}

/** Declares an implemented call (default disposition: full). */
export function row<const Args extends readonly ArgType[]>(
  name: string,
  numbers: Numbers,
  args: Args,
  options: RowOptions,
  handler: Handler<Args>,
): Row {
  return {
    name,
    numbers,
    args,
    ret: options.ret ?? 'int',
    classes: options.classes ?? [],
    registers: options.registers,
    disposition: options.disposition ?? 'full',
    stops: options.stops ?? false,
    answered: options.answered,
    varies: options.varies ?? [],
    handler: handler as unknown as (task: Task, ...args: number[]) => number,
  };
}

/** Declares a call that this kernel does not have; it fails with `errno`. */
export function absent(
  name: string,
  numbers: Numbers,
  args: readonly ArgType[],
  options: RowOptions,
  errno: number = 38 /* ENOSYS */,
): Row {
  return {
    name,
    numbers,
    args,
    ret: options.ret ?? 'int',
    classes: options.classes ?? [],
    registers: options.registers,
    disposition: { absent: errno },
    stops: false,
    answered: undefined,
    varies: options.varies ?? [],
  };
}

// Constructors of argument types, so that a row reads like a prototype.
const of =
  <K extends ArgKind['kind']>(kind: K) =>
  <N extends string>(name: N) => ({ kind, name });
export const int = of('int');
export const uint = of('uint');
export const long = of('long');
export const ulong = of('ulong');
export const hex = of('hex');
export const hex32 = of('hex32');
export const fd = of('fd');
export const dirfd = of('dirfd');
export const pid = of('pid');
export const uid = of('uid');
export const gid = of('gid');
export const mode = of('mode');
export const off = of('off');
export const size = of('size');
export const signal = of('signal');
export const addr = of('addr');
export const taggedAddr = <N extends string>(name: N) => ({ kind: 'addr', name, tagged: true }) as const;
export const path = of('path');
export const strings = of('strings');
export const environ = of('environ');
export const unused = { kind: 'unused', name: 'unused' } as const;
export const string = (name: string, what: string) => ({ kind: 'string', name, what }) as const;
/** Flags of C type int or unsigned: the handler gets 0 to 2^32 - 1. */
export const flags = (name: string, set: FlagSetName) => ({ kind: 'flags', name, set, as: 'uint' }) as const;
/** Flags of C type unsigned long: bits above 31 reach the handler. */
export const longFlags = (name: string, set: FlagSetName) => ({ kind: 'flags', name, set, as: 'ulong' }) as const;
export const enumeration = (name: string, set: FlagSetName, as: 'int' | 'uint' | 'long' = 'int') =>
  ({ kind: 'enum', name, set, as }) as const;
export const buffer = (name: string, dir: Direction, length: LengthSource) =>
  ({ kind: 'buffer', name, dir, length }) as const;
export const iovec = (name: string, dir: Direction, length: LengthSource) =>
  ({ kind: 'iovec', name, dir, length }) as const;
export const msghdr = (name: string, dir: Direction) => ({ kind: 'msghdr', name, dir }) as const;
export const sockaddr = (name: string, dir: Direction, length: LengthSource) =>
  ({ kind: 'sockaddr', name, dir, length }) as const;
export const struct = (name: string, dir: Direction, layout: LayoutName, count?: LengthSource) =>
  ({ kind: 'struct', name, dir, layout, ...(count === undefined ? {} : { count }) }) as const;
export const sigset = (name: string, dir: Direction) => ({ kind: 'sigset', name, dir }) as const;
export const fdset = (name: string, dir: Direction) => ({ kind: 'fdset', name, dir }) as const;
export const word = (name: string, dir: Direction, of: WordType) => ({ kind: 'word', name, dir, of }) as const;
/** An argument only its own printer understands; `as` is the C type (default: unsigned long, a pointer or a word). */
export const dynamic = (name: string, by: string, as: Width = 'ulong') => ({ kind: 'dynamic', name, by, as }) as const;
