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
import { parseArguments, TraceTextError, type Term } from '../trace/parse/term.js';
import type { Output, StructFields } from './row-plan.js';

const ADDRESSES = 1n << 47n;
/** Buffers up to this size are compared here without being copied first. */
const ROOM = 1 << 20;
/** So many texts of what was ready are remembered. */
const MOST_READY = 256;
/** struct pollfd */
const POLLFD = 8;
const POLLFD_REVENTS = 6;

interface Ready {
  readonly fd: number;
  readonly revents: number;
}

export class Outputs {
  private readonly values: Evaluator;
  private readonly bytes = Buffer.alloc(ROOM);
  private readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, ROOM);
  private readonly ready = new Map<string, readonly Ready[] | null>();

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
  /** The same of what stands behind poll's result, `[{fd=3, revents=POLLIN}]`. */
  sameReady(aux: string, call: Call, task: Task): boolean {
    const recorded = this.readyOf(aux);
    const n = Number(call.args[1]);
    if (recorded === null || n * POLLFD > ROOM || !this.load(task, call.args[0], n * POLLFD)) return false;
    let found = 0;
    for (let at = 0; at < n * POLLFD; at += POLLFD) {
      const revents = this.view.getUint16(at + POLLFD_REVENTS, true);
      if (revents === 0) continue;
      const wanted = recorded.at(found++);
      if (wanted?.revents !== revents || wanted.fd !== this.view.getInt32(at, true)) return false;
    }
    return found === recorded.length;
  }
  private readyOf(aux: string): readonly Ready[] | null {
    let ready = this.ready.get(aux);
    if (ready === undefined) {
      if (this.ready.size === MOST_READY) this.ready.clear();
      this.ready.set(aux, (ready = this.parseReady(aux)));
    }
    return ready;
  }
  private parseReady(aux: string): readonly Ready[] | null {
    let terms: Term[];
    try {
      terms = parseArguments(aux);
    } catch (error) {
      if (error instanceof TraceTextError) return null;
      throw error;
    }
    if (terms.length !== 1 || terms[0].kind !== 'array') return null;
    const of = (part: Term, name: string): number => Number(this.values.number(part.field(name)!) ?? -1n);
    return terms[0].parts.every((part) => part.field('fd') !== undefined && part.field('revents') !== undefined)
      ? terms[0].parts.map((part) => ({ fd: of(part, 'fd'), revents: of(part, 'revents') }))
      : null;
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
