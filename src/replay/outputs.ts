/**
 * Outputs: whether what a call wrote is what was recorded, seen in memory as it is, without printing it.
 *
 * It only ever says yes: whatever is not plainly the same (names that stand for numbers, texts that were cut, fields that
 * are related) is for the Comparer, which looks at the text.
 */
import type { Scalar } from '../abi/layout.js';
import { S_IFDIR, S_IFMT } from '../abi/flags/stat.js';
import type { Task } from '../../sched/task.js';
import type { LengthSource } from '../../syscalls/row.js';
import { latin1Slice } from '../trace/latin1.js';
import type { Call } from '../trace/call.js';
import { WORDS } from '../trace/parse/encode.js';
import type { Evaluator } from '../trace/parse/value.js';
import type { Term } from '../trace/parse/term.js';
import type { Output, StructFields } from './row-plan.js';

const ADDRESSES = 1n << 47n;
/** Buffers up to this size are compared here without being copied first. */
const ROOM = 1 << 20;

export class Outputs {
  private readonly values: Evaluator;
  private readonly bytes = Buffer.alloc(ROOM);
  private readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, ROOM);

  constructor(values: Evaluator) {
    this.values = values;
  }

  same({ arg, index, fields, how }: Output, term: Term, call: Call, task: Task): boolean {
    const address = call.args[index];
    if (address === 0n) return term.kind === 'symbol' && term.text === 'NULL';
    if (address < 0n || address >= ADDRESSES) return false;
    switch (arg.kind) {
      case 'buffer': {
        if (term.kind !== 'string' || term.cut) return false;
        const { length } = term.text;
        if (length !== lengthOf(call, arg.length) || length > ROOM) return false;
        return this.load(task, address, length) && latin1Slice(this.bytes, 0, length) === term.text;
      }
      case 'struct':
        return fields !== null && term.kind === 'struct' && this.struct(fields, term, address, task);
      case 'word': {
        if (how !== 'exact' || term.kind !== 'array' || term.parts.length !== 1) return false;
        return this.load(task, address, 8) && this.equal(WORDS[arg.of], 0, term.parts[0]);
      }
      default:
        return false;
    }
  }
  private struct(fields: StructFields, term: Term, address: bigint, task: Task): boolean {
    if (!this.load(task, address, fields.size)) return false;
    let directory = false;
    for (const part of term.parts) {
      if (part.kind === 'dots') continue;
      const field = fields.exact.get(part.name);
      if (field === undefined) return false;
      if (this.equal(field.type as Scalar, field.offset, part)) {
        if (part.name === 'st_mode') directory = (this.view.getUint32(field.offset, true) & S_IFMT) === S_IFDIR;
      } else if (part.name === 'st_nlink' || part.name === 'stx_nlink') {
        if (!directory) return false;
      } else if (part.name !== 'st_size' || !directory) return false;
    }
    return true;
  }
  private load(task: Task, address: bigint, length: number): boolean {
    if (length === 0) return true;
    return task.mm.tryCopyIn(Number(address), this.bytes, 0, length);
  }
  private equal(type: Scalar, at: number, term: Term): boolean {
    const recorded = this.values.small(term);
    const { view } = this;
    switch (type) {
      case 'u8':
        return view.getUint8(at) === recorded;
      case 'i8':
        return view.getInt8(at) === recorded;
      case 'u16':
        return view.getUint16(at, true) === recorded;
      case 'i16':
        return view.getInt16(at, true) === recorded;
      case 'u32':
        return view.getUint32(at, true) === recorded;
      case 'i32':
        return view.getInt32(at, true) === recorded;
      case 'u64':
        return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true) === recorded;
      default:
        return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true) === recorded;
    }
  }
}
function lengthOf(call: Call, source: LengthSource): number {
  if (source === 'ret') return call.result;
  return 'fixed' in source ? source.fixed : Number(call.arg(source.arg));
}
