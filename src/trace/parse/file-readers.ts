/** Arguments of fcntl and ioctl, file handles, extensible structs of paths. */
import * as f from '../../abi/flags/fcntl.js';
import * as io from '../../abi/flags/ioctl.js';
import { LAYOUTS, type LayoutName } from '../../abi/layouts/index.js';
import { latin1, wordBytes } from './bytes.js';
import { padded, type ArgReader } from './encode.js';
import { interfaceRequest, isInterface } from './interface-readers.js';
import { descriptorField, pidField } from './shapes.js';
import type { Term } from './term.js';

export const handle: ArgReader = (e, term) =>
  e.pointer(term, 8 + 128, (t) => {
    const bytes = new Uint8Array(8 + 128);
    bytes.set(e.structs.of(LAYOUTS.file_handle, t).subarray(0, 8));
    bytes.set(latin1(t.field('f_handle')?.text ?? '').subarray(0, 128), 8);
    return bytes;
  });

const FCNTL_POINTERS = new Set([
  f.F_GETLK,
  f.F_SETLK,
  f.F_SETLKW,
  f.F_OFD_GETLK,
  f.F_OFD_SETLK,
  f.F_OFD_SETLKW,
  f.F_GETOWN_EX,
  f.F_SETOWN_EX,
  f.F_GETOWNER_UIDS,
]);
const FCNTL_PIDS = new Set([f.F_SETOWN]);
export const fcntlArgument: ArgReader = (e, term, arg) => {
  const command = Number(e.values.value(e.terms[1], -1n));
  if (term.kind === 'symbol' && term.text === '_') return e.placement.room(64);
  // A script writes what F_GETLK asks for and what it answers; strace only the answer.
  const given = term.kind === 'operation' && term.text === '=>' ? term.parts[0] : term;
  if (given.kind === 'struct') {
    const layout = given.field('l_type') === undefined ? LAYOUTS.f_owner_ex : LAYOUTS.flock;
    return e.pointer(term, 64, (t) => padded(e.structs.of(layout, t, pidField(e)), 64));
  }
  const value = e.values.need(term, arg.name);
  if (FCNTL_PIDS.has(command)) return e.pid(term);
  // The lowest descriptor that F_DUPFD may give is a number, not a descriptor.
  if (!FCNTL_POINTERS.has(command) || value < 4096n) return value;
  return e.pointer(term, 64, () => new Uint8Array(64));
};
const TERMIOS: readonly number[] = [io.TCGETS, io.TCSETS, io.TCSETSW, io.TCSETSF, io.TIOCGLCKTRMIOS, io.TIOCSLCKTRMIOS];
export const ioctlArgument: ArgReader = (e, term, arg) => {
  const command = Number(BigInt.asUintN(32, e.values.value(e.terms[1])));
  if (term.kind === 'symbol' && term.text === '_') return e.placement.room(4096);
  switch (term.kind) {
    case 'struct': {
      if (isInterface(term)) return e.pointer(term, 256, (t) => padded(interfaceRequest(e, t), 256));
      const layout: LayoutName = TERMIOS.includes(command) ? 'termios' : term.field('ws_row') ? 'winsize' : 'termios2';
      return e.pointer(term, 256, (t) => padded(e.structs.of(LAYOUTS[layout], t, descriptorField(e)), 256));
    }
    case 'array': {
      const pid = command === io.TIOCSPGRP && term.parts.length === 1;
      const value = (t: Term): Uint8Array => (pid ? wordBytes('i32', [e.pid(t.parts[0])]) : e.words(t, 'i32'));
      return e.pointer(term, 256, (t) => padded(value(t), 256));
    }
    case 'string':
      return e.placement.place(padded(e.text(term), 256));
    default: {
      const value = e.values.need(term, arg.name);
      // Small numbers are numbers; the rest of what is written bare are pointers that told nothing.
      return value < 65_536n ? value : e.pointer(term, 4096, () => new Uint8Array(0));
    }
  }
};

/** struct open_how; bytes behind what strace knows of it are a string. */
export const openHow: ArgReader = (e, term) =>
  e.pointer(term, 24, (t) => {
    const known = e.structs.of(LAYOUTS.open_how, t);
    const more = t.parts.find((part) => part.kind === 'string');
    return more === undefined
      ? known
      : padded(Buffer.concat([known, latin1(more.text)]), e.sizeOf({ arg: 'size' }, ''));
  });

const OLD_HEADER = 18;
const HEADER = 19;
/** Records of getdents64(2), or of getdents(2), whose last byte is the type. */
export const directoryEntries =
  (modern: boolean): ArgReader =>
  (e, term) => {
    const size = e.sizeOf({ arg: 'count' }, '');
    const record = (entry: Term): Uint8Array => {
      const number = (name: string): bigint => {
        const field = entry.field(name);
        return field === undefined ? 0n : e.values.value(field);
      };
      const head = Buffer.concat([
        wordBytes('u64', [number('d_ino'), number('d_off')]),
        wordBytes('u16', [number('d_reclen')]),
        wordBytes('u8', modern ? [number('d_type')] : []),
      ]);
      const length = Math.max(modern ? HEADER : OLD_HEADER, Math.min(Number(number('d_reclen')), size));
      const whole = padded(Buffer.concat([head, latin1(entry.field('d_name')?.text ?? '')]), length).subarray(
        0,
        length,
      );
      if (!modern && length > OLD_HEADER) whole[length - 1] = Number(number('d_type') & 0xffn);
      return whole;
    };
    const records = (t: Term): Uint8Array => Buffer.concat(t.parts.filter((p) => p.kind === 'struct').map(record));
    return e.pointer(term, size, records, true);
  };
