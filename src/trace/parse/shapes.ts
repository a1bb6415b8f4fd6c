/** Readers that others are made of: pointers to structs, arrays, words, buffers; fields that name descriptors and pids. */
import { LAYOUTS, type LayoutName } from '../../abi/layouts/index.js';
import { forArch, type Scalar } from '../../abi/layout.js';
import type { FieldWriter } from './bytes.js';
import { padded, type ArgReader, type Encoder } from './encode.js';
import type { Term } from './term.js';

/** A pointer to a struct of this layout. */
export const struct =
  (name: LayoutName, out = false, special?: (e: Encoder) => FieldWriter): ArgReader =>
  (e, term) =>
    e.pointer(term, forArch(LAYOUTS[name], e.arch).size, (t) => e.structs.of(LAYOUTS[name], t, special?.(e)), out);
/** A pointer to an array of them; `count` of the argument called so where the text shows fewer. */
export const array =
  (name: LayoutName, out = false, count = '', special?: (e: Encoder) => FieldWriter): ArgReader =>
  (e, term) => {
    const { size } = forArch(LAYOUTS[name], e.arch);
    const given = count === '' ? undefined : e.termOf(count);
    const room = size * Math.max(1, Math.min(65_536, Number(given === undefined ? 1n : e.values.value(given, 1n))));
    const encode = (t: Term): Uint8Array =>
      padded(
        Buffer.concat(
          t.parts.filter((p) => p.kind === 'struct').map((p) => e.structs.of(LAYOUTS[name], p, special?.(e))),
        ),
        room,
      );
    return e.pointer(term, room, encode, out);
  };
export const words =
  (type: Scalar, out = false): ArgReader =>
  (e, term) =>
    e.pointer(term, 64, (t) => padded(e.words(t, type), 16), out);
export const descriptorField =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset) => {
    if (name !== 'fd' && name !== 'tfd' && name !== 'src_fd') return false;
    view.setInt32(offset, Number(BigInt.asIntN(32, e.fd(term))), true);
    return true;
  };
export const pidField =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset) => {
    if (!['si_pid', 'pid', 'l_pid', 'sigev_notify_thread_id'].includes(name)) return false;
    view.setInt32(offset, Number(BigInt.asIntN(32, e.pid(term))), true);
    return true;
  };
export const times =
  (layout: 'timespec' | 'timeval'): ArgReader =>
  (e, term) =>
    e.pointer(term, 32, (t) => {
      const bytes = new Uint8Array(32);
      const view = new DataView(bytes.buffer);
      t.parts.slice(0, 2).forEach((part, i) => {
        // UTIME_NOW stands alone, in place of the whole time.
        if (part.kind === 'symbol') view.setBigInt64(16 * i + 8, e.values.need(part, 'time'), true);
        else bytes.set(e.structs.of(LAYOUTS[layout], part), 16 * i);
      });
      return bytes;
    });
/** A pointer to a buffer of the size that the argument called `length` gives. */
export const sizedBuffer =
  (length: string, out = false): ArgReader =>
  (e, term) => {
    const size = e.sizeOf({ arg: length }, '');
    return e.pointer(term, size, (t) => e.bytes(t, size), out);
  };
/** A string whose end the size cut: what follows is not its NUL. */
export const outString =
  (length: string): ArgReader =>
  (e, term) => {
    const size = e.sizeOf({ arg: length }, '');
    const encode = (t: Term): Uint8Array => {
      const bytes = e.text(t);
      return t.cut
        ? Buffer.concat([bytes.subarray(0, -1), new Uint8Array(Math.max(1, size - bytes.length + 1)).fill(1)])
        : bytes;
    };
    return e.pointer(term, size, encode, true);
  };
