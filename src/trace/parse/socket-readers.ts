/** Messages, many at once, and socket options. */
import { wordBytes } from './bytes.js';
import { padded, type ArgReader, type Encoder } from './encode.js';
import { filterProgram } from './filter-readers.js';
import { internetAddress, messageHeader } from './socket-bytes.js';
import type { Term } from './term.js';

const MMSGHDR = 64;
const MSG_LEN = 56;
export const messages =
  (out: boolean): ArgReader =>
  (e, term) =>
    e.pointer(term, 64 * 1024, (t) => {
      const pieces = t.parts
        .filter((part) => part.kind === 'struct')
        .map((part) => {
          const header = part.field('msg_hdr');
          const length = part.field('msg_len');
          const bytes = new Uint8Array(MMSGHDR);
          if (header?.kind === 'struct') bytes.set(messageHeader(e, header, out));
          if (length !== undefined)
            new DataView(bytes.buffer).setUint32(
              MSG_LEN,
              Number(e.values.need(length, 'msg_len') & 0xffff_ffffn),
              true,
            );
          return bytes;
        });
      return Buffer.concat(pieces);
    });
/** A message of unknown size: its struct is an input even where its contents are outputs. */
export const message =
  (out: boolean): ArgReader =>
  (e, term) =>
    e.pointer(term, 56, (t) => messageHeader(e, t, out));

/** A socket option's value by its form: bytes, a filter, a struct of words or addresses, or a number. */
function optionBytes(e: Encoder, term: Term): Uint8Array {
  if (term.kind === 'string') return e.bytes(term, 0);
  if (term.kind !== 'struct') return padded(e.words(term, 'i32'), 16);
  const words = term.parts.map((part) => internetAddress(part) ?? wordBytes('i32', [fieldValue(e, part)]));
  return padded(Buffer.concat(words), 64);
}
const fieldValue = (e: Encoder, part: Term): bigint => (part.name === 'pid' ? e.pid(part) : e.values.value(part));
export const option: ArgReader = (e, term, arg) =>
  term.field('filter') === undefined ? e.pointer(term, 64, (t) => optionBytes(e, t)) : filterProgram(e, term, arg);
export const optionOut: ArgReader = (e, term) => e.pointer(term, 4096, (t) => optionBytes(e, t), true);
