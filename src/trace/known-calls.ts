/**
 * Calls whose text is known: a program that waits and reads in a loop makes the same few calls again and again.
 *
 * The text of a call follows from its row, its arguments, its result and the bytes of memory its printer looked at, and from
 * nothing else, but for two. So those bytes are noted while a text is made; where they are the same again, so is the text.
 * A pointer may be another one then, if all that was looked at is what it points to and the text does not show it.
 */
import type { ArgType, Row } from '../../syscalls/row.js';
import { ADDRESSES, type Call } from './call.js';
import type { SameTexts } from './events.js';
import { CallTexts } from './printers/index.js';
import { resultText } from './strace.js';
import { address } from './text.js';
import type { DescriptorName, TraceMemory } from './tracer.js';

/** What is remembered of a row's calls, and of how each of them ended. */
const MOST_ENTERS = 8;
const MOST_LEAVES = 32;
/** Then all is forgotten: a guest that never repeats itself must not fill memory. */
const MOST_KEPT = 4096;
/** Reads and bytes past which looking again costs as much as printing again. */
const MOST_READS = 8;
const MOST_BYTES = 256;
/** So many new ones in a row, and the next so many are not looked for. */
const PATIENCE = 32;
const PAUSE = 1000;
/** The stack pointer, and the call before it. */
const TELLS_MORE: ReadonlySet<string> = new Set(['rt_sigreturn', 'restart_syscall']);
const POINTERS: ReadonlySet<ArgType['kind']> = new Set(['buffer', 'path', 'string', 'word']);
const PLAIN: ReadonlySet<ArgType['kind']> = new Set([
  ...POINTERS,
  'int',
  'uint',
  'long',
  'ulong',
  'hex32',
  'fd',
  'dirfd',
  'pid',
  'uid',
  'gid',
  'mode',
  'off',
  'size',
  'signal',
  'flags',
  'enum',
  'unused',
]);

/** Memory of a task that notes what is read of it. */
export class NotedMemory implements TraceMemory {
  plain: TraceMemory;
  /** Whether notes are wanted of what comes next. */
  wanted = false;
  private readonly addrs: number[] = [];
  private readonly lengths: number[] = [];
  private readonly found: (Uint8Array | null)[] = [];
  private count = 0;
  /** Something else than memory was asked for, or too much of it. */
  private unknown = false;

  constructor(plain: TraceMemory) {
    this.plain = plain;
  }
  begin(): void {
    this.count = 0;
    this.unknown = !this.wanted;
    this.plain.begin?.();
  }
  read(addr: number, length: number): Uint8Array | null {
    const bytes = this.plain.read(addr, length);
    if (this.unknown) return bytes;
    const { count } = this;
    if (count === MOST_READS || length > MOST_BYTES) {
      this.unknown = true;
      return bytes;
    }
    this.addrs[count] = addr;
    this.lengths[count] = length;
    this.found[count] = bytes;
    this.count++;
    return bytes;
  }
  handy(addr: number): number {
    return this.plain.handy?.(addr) ?? 0;
  }
  descriptor(fd: number, detail: 1 | 2): DescriptorName | null {
    this.unknown = true;
    return this.plain.descriptor?.(fd, detail) ?? null;
  }
  cwd(): string | null {
    this.unknown = true;
    return this.plain.cwd?.() ?? null;
  }
  /**
   * What has been read since `begin` for a text, to keep; null: looking there again would not tell enough. `loose`: which
   * arguments may be other pointers, null if these cannot.
   */
  noted(call: Call, loose: readonly number[] | null, text: string): Noted | null {
    if (this.unknown) return null;
    const reads: Read[] = [];
    let same = loose !== null && !loose.some((arg) => call.args[arg] !== 0n && text.includes(address(call.args[arg])));
    for (let i = 0; i < this.count; i++) {
      const [addr, length, bytes] = [this.addrs[i], this.lengths[i], this.found[i]];
      const pointers = loose?.filter((arg) => call.args[arg] === BigInt(addr)) ?? [];
      if (pointers.length !== 1) same = false;
      reads.push({ arg: pointers[0], addr, length, bytes: bytes === null ? null : new Uint8Array(bytes) });
    }
    return { reads, args: call.args.slice(0, call.row.args.length), loose: same };
  }
}

interface Read {
  /** The argument that points there. */
  readonly arg: number | undefined;
  readonly addr: number;
  readonly length: number;
  readonly bytes: Uint8Array | null;
}
/** What a text was made of. */
interface Noted {
  readonly reads: readonly Read[];
  readonly args: readonly bigint[];
  /** Whether its pointers may be others. */
  readonly loose: boolean;
}
/** One list of remembered texts, the oldest of which makes room. */
class Known<T> {
  readonly entries: T[] = [];
  private readonly most: number;
  private oldest = 0;
  private missed = 0;
  private pause = 0;

  constructor(most: number) {
    this.most = most;
  }
  /** Whether it is worth a look. */
  get worthwhile(): boolean {
    if (this.pause === 0) return this.most > 0;
    this.pause--;
    return false;
  }
  hit(): void {
    this.missed = 0;
  }
  add(entry: T): void {
    this.entries[this.oldest] = entry;
    this.oldest = (this.oldest + 1) % this.most;
  }
  miss(): void {
    if (++this.missed < PATIENCE) return;
    this.missed = 0;
    this.pause = PAUSE;
  }
}

/** What follows from entering a call. */
interface KnownEnter {
  readonly noted: Noted;
  readonly text: string;
  readonly complete: boolean;
  readonly saved: unknown;
  readonly ret: Call['ret'];
  readonly aux: string;
  readonly leaves: Known<KnownLeave>;
}
class KnownRow extends Known<KnownEnter> {
  /** Arguments that point to what is shown instead of them, in calls that follow no pointers in memory. */
  readonly loose: readonly number[] | null;

  constructor(row: Row) {
    super(TELLS_MORE.has(row.name) ? 0 : MOST_ENTERS);
    const loose = row.args.flatMap(({ kind }, i) => (POINTERS.has(kind) ? [i] : []));
    this.loose = loose.length > 0 && row.args.every(({ kind }) => PLAIN.has(kind)) ? loose : null;
  }
}
interface KnownLeave extends SameTexts {
  readonly result: number;
  readonly errno: number;
  readonly tampered: number;
  readonly noted: Noted;
  readonly text: string;
  /** That of entering too. */
  readonly whole: string;
  readonly outcome: string;
}
/** What is known of a call under way: null for what had to be made. */
export interface Knowledge {
  readonly memory: NotedMemory;
  row: KnownRow | null;
  enter: KnownEnter | null;
  leave: KnownLeave | null;
}

export class KnownCalls {
  private readonly texts = new CallTexts();
  private readonly rows = new Map<Row, KnownRow>();
  private kept = 0;
  /** What was read last. */
  private addr = 0;
  private length = 0;
  private bytes: Uint8Array | null = null;

  /** Text of a call that begins; its memory is that of `knowledge`. */
  enter(call: Call, knowledge: Knowledge): string {
    const { memory } = knowledge;
    const known = this.ofRow(call.row);
    knowledge.row = known;
    knowledge.enter = null;
    memory.wanted = known.worthwhile;
    if (!memory.wanted) return this.texts.enter(call);
    this.begin(memory);
    for (const entry of known.entries) {
      if (!this.same(entry.noted, call, known.loose, memory.plain)) continue;
      known.hit();
      call.complete = entry.complete;
      call.saved = entry.saved;
      call.ret = entry.ret;
      call.aux = entry.aux;
      knowledge.enter = entry;
      return entry.text;
    }
    known.miss();
    const text = this.texts.enter(call);
    const noted = memory.noted(call, known.loose, text);
    if (noted === null) return text;
    const { complete, saved, ret, aux } = call;
    const leaves = new Known<KnownLeave>(MOST_LEAVES);
    this.keep();
    known.add((knowledge.enter = { noted, text, complete, saved, ret, aux, leaves }));
    return text;
  }
  /** The rest of its text. */
  leave(call: Call, tampered: number, knowledge: Knowledge): string {
    const { memory } = knowledge;
    const leaves = knowledge.enter?.leaves;
    const { loose } = knowledge.row!;
    knowledge.leave = null;
    memory.wanted = leaves?.worthwhile === true;
    if (leaves === undefined || !memory.wanted) return this.texts.leave(call);
    this.begin(memory);
    const { result, errno } = call;
    for (const entry of leaves.entries) {
      if (entry.result !== result || entry.errno !== errno || entry.tampered !== tampered) continue;
      if (!this.same(entry.noted, call, loose, memory.plain)) continue;
      leaves.hit();
      knowledge.leave = entry;
      return entry.text;
    }
    leaves.miss();
    const text = this.texts.leave(call);
    const outcome = resultText(call, tampered);
    const noted = memory.noted(call, loose, text + outcome);
    if (noted === null) return text;
    const whole = knowledge.enter!.text + text;
    this.keep();
    leaves.add({ result, errno, tampered, noted, text, whole, outcome, written: null });
    return text;
  }

  private ofRow(row: Row): KnownRow {
    let known = this.rows.get(row);
    if (known === undefined) this.rows.set(row, (known = new KnownRow(row)));
    return known;
  }
  private keep(): void {
    if (++this.kept < MOST_KEPT) return;
    this.kept = 0;
    this.rows.clear();
  }
  private begin(memory: NotedMemory): void {
    this.length = -1;
    memory.begin();
  }
  private same(noted: Noted, call: Call, loose: readonly number[] | null, memory: TraceMemory): boolean {
    const { args, reads } = noted;
    for (let i = 0; i < args.length; i++) {
      if (args[i] === call.args[i]) continue;
      if (!noted.loose || args[i] === 0n || !loose!.includes(i)) return false;
      if (call.args[i] === 0n || call.args[i] >= ADDRESSES) return false;
    }
    for (const read of reads) {
      const { arg, length, bytes: known } = read;
      const addr = noted.loose ? Number(call.args[arg!]) : read.addr;
      if (addr !== this.addr || length !== this.length) {
        this.bytes = memory.read(addr, length);
        this.addr = addr;
        this.length = length;
      }
      const { bytes } = this;
      if (bytes === null || known === null) {
        if (bytes !== known) return false;
        continue;
      }
      for (let i = 0; i < length; i++) if (bytes[i] !== known[i]) return false;
    }
    return true;
  }
}
