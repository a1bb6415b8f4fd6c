/**
 * The row: the one declaration of a system call, from which dispatch, strace text, trace schema, the coverage page,
 * replay comparison and fuzzing are all derived.
 *
 * An argument's kind says how its register is decoded (number handed to the handler) and how it is printed. Pointers are
 * handed over as addresses: handlers copy in themselves, because Linux's order of errors (EBADF before EFAULT or after)
 * is visible to guests. `out` buffers are printed after the call, from guest memory, limited by the return value.
 */
import type { Fd, GuestAddr, GuestPath, GuestPtr } from '../src/abi/types.js';
import type { Task } from '../sched/task.js';

/** Which direction data flows through a pointer. */
export type Direction = 'in' | 'out' | 'inout';

/**
 * Where a buffer's or array's length comes from: another argument (by name), the return value, or a fixed count.
 */
export type LengthSource = { arg: string } | 'ret' | { fixed: number };

export type ArgKind =
  | { kind: 'int' } // signed 32 bits, decimal
  | { kind: 'uint' } // unsigned 32 bits, decimal
  | { kind: 'long' } // signed 64 bits, decimal
  | { kind: 'ulong' } // unsigned 64 bits, decimal
  | { kind: 'hex' } // unsigned 64 bits, hexadecimal
  | { kind: 'fd' }
  | { kind: 'dirfd' } // a descriptor or AT_FDCWD
  | { kind: 'pid' }
  | { kind: 'uid' } // signed 32 in print (-1), unsigned in handlers
  | { kind: 'gid' }
  | { kind: 'mode' } // octal
  | { kind: 'off' } // signed 64
  | { kind: 'size' } // unsigned 64
  | { kind: 'signal' }
  | { kind: 'addr' } // plain address
  | { kind: 'path' } // NUL-terminated string
  | { kind: 'string'; what: string } // NUL-terminated string that is no path
  | { kind: 'strings' } // NULL-terminated array of strings (argv)
  | { kind: 'flags'; set: string } // bits of the named set in src/abi/flags
  | { kind: 'enum'; set: string } // one value of the named set
  | { kind: 'buffer'; dir: Direction; length: LengthSource }
  | { kind: 'iovec'; dir: Direction; length: LengthSource }
  | { kind: 'msghdr'; dir: Direction }
  | { kind: 'sockaddr'; dir: Direction; length: LengthSource }
  | { kind: 'struct'; dir: Direction; layout: string; count?: LengthSource } // layout of src/abi/layouts
  | { kind: 'sigset'; dir: Direction }
  | { kind: 'fdset'; dir: Direction }
  | { kind: 'word'; dir: Direction; of: 'int' | 'uint' | 'long' | 'ulong' | 'fd' | 'fdpair' | 'off' | 'size' } // pointer to integer(s)
  | { kind: 'dynamic'; by: string } // meaning depends on another argument (ioctl, fcntl, prctl); the printer named `by` decides
  | { kind: 'unused' }; // a register Linux ignores, not printed

export type ArgType = ArgKind & { name: string };

/** What a handler gets for an argument of this kind. */
export type ArgValue<A extends ArgKind> = A['kind'] extends 'fd' | 'dirfd'
  ? Fd
  : A['kind'] extends 'path'
    ? GuestPath
    : A['kind'] extends 'struct'
      ? GuestPtr
      : A['kind'] extends 'addr' | 'buffer' | 'iovec' | 'msghdr' | 'sockaddr' | 'string' | 'strings' | 'sigset' | 'fdset' | 'word'
        ? GuestAddr
        : number;

export type ArgValues<Args extends readonly ArgType[]> = { [I in keyof Args]: ArgValue<Args[I]> };

/** How a return value is printed and compared. */
export type ReturnKind = 'int' | 'fd' | 'size' | 'addr' | 'pid' | 'mode' | 'off' | 'uid' | 'flags' | 'none' | 'zero' | 'time';

/** strace's classes for `-e trace=%file` and friends. */
export type TraceClass =
  | 'file' | 'process' | 'network' | 'signal' | 'memory' | 'desc' | 'ipc' | 'creds' | 'clock' | 'stat' | 'lstat' | 'fstat'
  | 'statfs' | 'fstatfs' | 'pure';

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

export interface Row {
  readonly name: string;
  readonly numbers: Numbers;
  readonly args: readonly ArgType[];
  readonly ret: ReturnKind;
  readonly classes: readonly TraceClass[];
  readonly disposition: Disposition;
  /** Absent exactly when the disposition is `absent`. */
  readonly handler?: (task: Task, ...args: number[]) => number;
}

export interface RowOptions {
  ret?: ReturnKind;
  classes?: readonly TraceClass[];
  disposition?: Disposition;
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
    disposition: options.disposition ?? 'full',
    handler: handler as unknown as (task: Task, ...args: number[]) => number,
  };
}

/** Declares a call that this kernel does not have; it returns `-errno`. */
export function absent(
  name: string,
  numbers: Numbers,
  args: readonly ArgType[],
  errno: number,
  options: RowOptions = {},
): Row {
  return { name, numbers, args, ret: options.ret ?? 'int', classes: options.classes ?? [], disposition: { absent: errno } };
}

// Constructors of argument types, so that a row reads like a prototype.
const of =
  <K extends ArgKind['kind']>(kind: K) =>
  <N extends string>(name: N) =>
    ({ kind, name }) as { kind: K; name: N };
export const int = of('int');
export const uint = of('uint');
export const long = of('long');
export const ulong = of('ulong');
export const hex = of('hex');
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
export const path = of('path');
export const strings = of('strings');
export const unused = { kind: 'unused', name: 'unused' } as const;
export const string = (name: string, what: string) => ({ kind: 'string', name, what }) as const;
export const flags = (name: string, set: string) => ({ kind: 'flags', name, set }) as const;
export const enumeration = (name: string, set: string) => ({ kind: 'enum', name, set }) as const;
export const buffer = (name: string, dir: Direction, length: LengthSource) => ({ kind: 'buffer', name, dir, length }) as const;
export const iovec = (name: string, dir: Direction, length: LengthSource) => ({ kind: 'iovec', name, dir, length }) as const;
export const msghdr = (name: string, dir: Direction) => ({ kind: 'msghdr', name, dir }) as const;
export const sockaddr = (name: string, dir: Direction, length: LengthSource) => ({ kind: 'sockaddr', name, dir, length }) as const;
export const struct = (name: string, dir: Direction, layout: string, count?: LengthSource) =>
  ({ kind: 'struct', name, dir, layout, ...(count === undefined ? {} : { count }) }) as const;
export const sigset = (name: string, dir: Direction) => ({ kind: 'sigset', name, dir }) as const;
export const fdset = (name: string, dir: Direction) => ({ kind: 'fdset', name, dir }) as const;
export const word = (
  name: string,
  dir: Direction,
  of: 'int' | 'uint' | 'long' | 'ulong' | 'fd' | 'fdpair' | 'off' | 'size',
) => ({ kind: 'word', name, dir, of }) as const;
export const dynamic = (name: string, by: string) => ({ kind: 'dynamic', name, by }) as const;
