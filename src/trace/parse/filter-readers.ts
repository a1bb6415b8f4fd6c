/** Classic BPF programs: `{len=1, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}`. */
import { SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES, SECCOMP_SET_MODE_FILTER } from '../../abi/flags/seccomp.js';
import { wordBytes } from './bytes.js';
import { anything, type ArgReader, type Encoder } from './encode.js';
import type { Term } from './term.js';

/** struct sock_fprog, with its instructions placed. */
function program(e: Encoder, term: Term): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const [length, filter] = [term.field('len'), term.field('filter')];
  if (length !== undefined) view.setUint16(0, Number(e.values.need(length, 'len') & 0xffffn), true);
  if (filter !== undefined) view.setBigUint64(8, e.pointer(filter, 8, (t) => instructions(e, t)) & MASK64, true);
  return bytes;
}
const MASK64 = (1n << 64n) - 1n;
function instructions(e: Encoder, term: Term): Uint8Array {
  return Buffer.concat(
    term.parts.map((part) => {
      const bytes = new Uint8Array(part.kind === 'call' ? 8 : 0);
      if (bytes.length === 0) return bytes;
      const [code, k, jt, jf] = part.parts.map((p) => Number(e.values.need(p, part.text) & 0xffff_ffffn));
      const view = new DataView(bytes.buffer);
      view.setUint16(0, code, true);
      bytes[2] = jt ?? 0;
      bytes[3] = jf ?? 0;
      view.setUint32(4, k, true);
      return bytes;
    }),
  );
}
export const filterProgram: ArgReader = (e, term) => e.pointer(term, 16, (t) => program(e, t));

/** What the third argument of seccomp(2) is follows from its operation. */
export const seccompArguments: ArgReader = (e, term, arg) => {
  const given = e.termOf('operation');
  switch (Number(given === undefined ? -1n : e.values.value(given, -1n))) {
    case SECCOMP_SET_MODE_FILTER:
      return filterProgram(e, term, arg);
    case SECCOMP_GET_ACTION_AVAIL:
      return e.pointer(term, 4, (t) => e.words(t, 'u32'));
    case SECCOMP_GET_NOTIF_SIZES:
      return e.pointer(
        term,
        6,
        (t) =>
          wordBytes(
            'u16',
            t.parts.map((p) => e.values.value(p)),
          ),
        true,
      );
    default:
      return e.values.need(term, arg.name);
  }
};
/** Most are numbers; PR_SET_SECCOMP's last is a program. */
export const prctlArgument: ArgReader = (e, term, arg) =>
  (term.field('filter') === undefined ? anything : filterProgram)(e, term, arg);
