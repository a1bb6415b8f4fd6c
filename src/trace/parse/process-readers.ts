/** clone, clone3, futex, capabilities: calls whose text does not list the arguments in their order, sets in two halves. */
import * as fx from '../../abi/flags/futex.js';
import { LAYOUTS } from '../../abi/layouts/index.js';
import { putScalar, wordBytes } from './bytes.js';
import { padded, type ArgReader, type CallReader } from './encode.js';
import { struct } from './shapes.js';
import type { Term } from './term.js';

/** clone's arguments are named in its text. */
export const clone: CallReader = (e, terms) => {
  const named = (name: string): Term | undefined => terms.find((term) => term.name === name);
  const pointer = (name: string): bigint => {
    const term = named(name);
    if (term === undefined) return 0n;
    return term.kind === 'array' ? e.pointer(term, 8, (t) => e.words(t, 'i32'), true) : e.address(term);
  };
  const flags = named('flags');
  const value = flags === undefined ? 0n : e.values.need(flags, 'flags');
  return [value, pointer('child_stack'), pointer('parent_tid'), pointer('child_tidptr'), pointer('tls')];
};
export const clone3: CallReader = (e, terms) => {
  const first = terms[0]?.kind === 'operation' ? terms[0].parts[0] : terms[0];
  const size = terms[1] === undefined ? 88n : e.values.need(terms[1], 'size');
  if (first?.kind !== 'struct') return [first === undefined ? 0n : e.address(first), size];
  const addresses = (name: string, term: Term, view: DataView, offset: number): boolean => {
    if (!['pidfd', 'child_tid', 'parent_tid', 'stack', 'tls'].includes(name)) return false;
    putScalar(view, offset, 'u64', e.address(term));
    return true;
  };
  return [e.placement.place(padded(e.structs.of(LAYOUTS.clone_args, first, addresses), Number(size & 0xffffn))), size];
};

/** What stands where depends on the operation: see futexArgs of printers/misc.ts. */
export const futex: CallReader = (e, terms) => {
  const [uaddr, operation, ...rest] = terms;
  const op = e.values.need(operation, 'futex_op');
  const at = uaddr.kind === 'array' ? e.pointer(uaddr, 8, (t) => e.words(t, 'i32')) : e.address(uaddr);
  const args = [at, op, 0n, 0n, 0n, 0n];
  const value = (i: number): bigint => (rest[i] === undefined ? 0n : e.values.need(rest[i], 'value'));
  const time = (i: number): bigint =>
    rest[i] === undefined ? 0n : TIMESPEC(e, rest[i], { kind: 'int', name: 'timeout' });
  switch (Number(op) & 127) {
    case fx.FUTEX_LOCK_PI:
    case fx.FUTEX_LOCK_PI2:
      args[3] = time(0);
      break;
    case fx.FUTEX_WAIT:
    case fx.FUTEX_WAIT_BITSET:
    case fx.FUTEX_WAIT_REQUEUE_PI:
      args[2] = value(0);
      args[3] = time(1);
      if ((Number(op) & 127) === fx.FUTEX_WAIT_BITSET) args[5] = value(2);
      else if (rest[2] !== undefined) args[4] = e.address(rest[2]);
      break;
    case fx.FUTEX_WAKE_BITSET:
      args[2] = value(0);
      args[5] = value(1);
      break;
    default:
      args[2] = value(0);
      args[3] = value(1);
      if (rest[2] !== undefined) args[4] = e.address(rest[2]);
      args[5] = value(3);
  }
  return args;
};
const TIMESPEC = struct('timespec');

/** Sets of 64 bits as two structs, the lower halves first; of 32 as one for the first version. */
const LINUX_CAPABILITY_VERSION_1 = 0x19980330n;
export const capabilities =
  (out = false): ArgReader =>
  (e, term) => {
    const version = e.terms[0]?.field('version');
    const halves = version !== undefined && e.values.number(version) === LINUX_CAPABILITY_VERSION_1 ? 1 : 2;
    return e.pointer(
      term,
      12 * halves,
      (t) => {
        const sets = ['effective', 'permitted', 'inheritable'].map((name) => {
          const field = t.field(name);
          return field === undefined ? 0n : e.values.need(field, name);
        });
        const words = halves === 1 ? sets : [...sets, ...sets.map((set) => set >> 32n)];
        return wordBytes(
          'u32',
          words.map((word) => word & 0xffff_ffffn),
        );
      },
      out,
    );
  };
