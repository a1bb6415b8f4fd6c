/** Verdict: what one call came to, against what was recorded of it. */
import { ERRNO_NAMES } from '../abi/errno.js';
import type { OpenFile } from '../../fs/file.js';
import type { Outcome } from '../trace/parse/line.js';
import { RESTART_TEXTS } from '../trace/strace.js';
import type { CallTexts } from '../trace/printers/index.js';
import { parseArguments } from '../trace/parse/term.js';
import { Comparer, type Comparison } from './compare.js';
import type { Identities } from './identities.js';
import { Outputs } from './outputs.js';
import type { PlayedTask, Playing } from './played-task.js';

export interface VerdictOptions {
  /** The file system is derived from the recording: a directory whose listing the text leaves out holds what is known. */
  readonly derived?: boolean;
  /** A script: numbers mean themselves, and names are variables. */
  readonly script?: boolean;
  /** Streams in place of what nobody knows: only their data are compared. */
  readonly standIns?: ReadonlySet<OpenFile>;
}

export class Verdict {
  private readonly options: VerdictOptions;
  private readonly ids: Identities;
  private readonly comparer: Comparer;
  private readonly outputs: Outputs;
  private readonly texts: CallTexts;

  constructor(options: VerdictOptions, ids: Identities, texts: CallTexts) {
    this.options = options;
    this.ids = ids;
    this.texts = texts;
    this.outputs = new Outputs(ids.values);
    this.comparer = new Comparer(ids.values, ids);
    if (options.script === true) {
      this.comparer.literal = true;
      this.comparer.capture = (name, value) => {
        ids.variables.set(name, value);
        return true;
      };
    }
  }

  /** What differs, in a sentence; null for nothing. */
  of(played: PlayedTask, playing: Playing, outcome: Outcome): string | null {
    const what = this.difference(played, playing, outcome) ?? this.auxDifference(played, playing, outcome);
    return what === null || this.tellsOfMachine(played, playing) ? null : what;
  }
  /** What stands in parentheses behind the result. */
  private auxDifference(played: PlayedTask, playing: Playing, { aux }: Outcome): string | null {
    if (aux === '' || playing.plan.row.varies.includes('result') || this.asksStandIns(played, playing)) return null;
    if (playing.direct && playing.plan.row.name === 'poll' && this.outputs.sameReady(aux, playing.call, played.task))
      return null;
    this.text(playing);
    return this.comparer.sameAux(aux, playing.call.aux)
      ? null
      : `what follows the result differs (${playing.call.aux})`;
  }
  /** poll and ppoll of descriptors that nobody knows. */
  private asksStandIns(played: PlayedTask, { terms }: Playing): boolean {
    const { standIns } = this.options;
    if (standIns === undefined || standIns.size === 0) return false;
    return (terms.at(0)?.parts ?? []).some((part) => {
      const fd = part.field('fd');
      const file = fd === undefined ? undefined : played.task.files.find(Number(this.ids.values.number(fd) ?? -1n));
      return file !== undefined && standIns.has(file);
    });
  }
  /** The arguments as they are now, between the parentheses. */
  text(playing: Playing): string {
    if (playing.text === null) {
      const { call } = playing;
      call.exiting = false;
      playing.entered ??= this.texts.enter(call);
      playing.text = playing.entered + this.texts.leave(call);
    }
    return playing.text;
  }
  private difference(played: PlayedTask, playing: Playing, outcome: Outcome): string | null {
    const { plan, call } = playing;
    const { row } = plan;
    if (LISTINGS.has(row.name) && this.options.derived && playing.terms.at(1)?.kind === 'number') return null;
    // Its result is whatever the interrupted code had in that register, which may look like an error.
    if (row.name === 'rt_sigreturn') return null;
    const error =
      call.errno === 0
        ? ''
        : (ERRNO_NAMES[call.errno] ?? RESTART_TEXTS[call.errno]?.split(' ', 1)[0] ?? String(call.errno));
    if (outcome.error !== error)
      return `the error is ${error === '' ? 'none' : error}, not ${outcome.error === '' ? 'none' : outcome.error}`;
    if (error !== '') return null;
    if (outcome.expects !== undefined && outcome.expects !== 'success') {
      const wanted = this.ids.variables.get(outcome.expects);
      if (wanted === undefined) return `there is no variable ${outcome.expects}`;
      if (wanted !== BigInt(call.result)) return `the result is ${call.result}, not ${outcome.expects} (${wanted})`;
    }
    if (outcome.value !== null && (this.options.script === true || !plan.ownResult)) {
      const how = this.howOfResult(playing);
      if (!this.sameResult(outcome.value, BigInt(call.result), how))
        return `the result is ${call.result}, not ${outcome.value}`;
    }
    return this.argumentDifference(played, playing);
  }
  private howOfResult(playing: Playing): Comparison {
    if (copiesDescriptor(playing)) return 'fd';
    const { row, result } = playing.plan;
    // An address that a script writes down was asked for.
    return this.options.script === true && row.ret === 'addr' ? 'exact' : result;
  }
  /** What /proc, /sys and devices say is the machine's own. */
  private tellsOfMachine(played: PlayedTask, playing: Playing): boolean {
    const { call, plan } = playing;
    const { row } = plan;
    const kind = row.args.at(0)?.kind;
    if (kind !== 'fd' && kind !== 'dirfd') return false;
    const file = played.task.files.find(Number(BigInt.asIntN(32, call.args[0])));
    if (file === undefined || copiesDescriptor(playing)) return false;
    if (this.options.standIns?.has(file) === true && !STREAM_CALLS.has(row.name)) return true;
    return DATA_CALLS.has(row.name) && KERNEL_FILES.has(file.inode.sb.fsType);
  }
  private sameResult(recorded: bigint, now: bigint, how: Comparison): boolean {
    if (how === 'ignored') return true;
    if (how === 'fd') return this.ids.fd(Number(recorded), Number(now));
    if (how === 'pid') return recorded <= 0n ? recorded === now : this.ids.pid(Number(recorded), Number(now));
    return recorded === now;
  }
  private argumentDifference(played: PlayedTask, playing: Playing): string | null {
    const { plan, terms, call, direct } = playing;
    if (terms.length === 0) return null;
    if (plan.outputs === null || !direct) return this.textDifference(playing);
    for (const output of plan.outputs) {
      const { arg, index, term, how, own } = output;
      const recorded = terms.at(term);
      if (recorded === undefined) break;
      if (how === 'ignored' || (own && this.options.script !== true)) continue;
      if (this.outputs.same(output, recorded, call, played.task)) continue;
      const now = parseArguments(this.texts.argument(call, index)).at(0);
      if (now === undefined) break;
      this.comparer.where = '';
      if (!this.comparer.same(recorded, now, how)) return this.differs(term, arg.name);
    }
    return null;
  }
  /** The same by the text of the whole call. */
  private textDifference(playing: Playing): string | null {
    const { plan, terms, call } = playing;
    // What was printed on entry is what was recorded.
    if (playing.entered !== null && call.complete) return null;
    const found = this.comparer.output(plan.row, terms, parseArguments(this.text(playing)));
    return found === null ? null : this.differs(found.index, found.name);
  }
  private differs(term: number, name: string): string {
    const field = this.comparer.where === '' ? '' : ` in ${this.comparer.where}`;
    return `argument ${term + 1} (${name}) differs${field}`;
  }
}

const copiesDescriptor = ({ plan, terms }: Playing): boolean =>
  plan.row.name === 'fcntl' && terms.length > 1 && terms[1].text.startsWith('F_DUPFD');
const STREAM_CALLS: ReadonlySet<string> = new Set([
  'read',
  'readv',
  'write',
  'writev',
  'sendfile',
  'close',
  'dup',
  'dup2',
  'dup3',
]);
const LISTINGS: ReadonlySet<string> = new Set(['getdents', 'getdents64']);
const DATA_CALLS: ReadonlySet<string> = new Set([
  'read',
  'pread64',
  'readv',
  'preadv',
  'lseek',
  'getdents64',
  'fstat',
  'fstatfs',
]);
const KERNEL_FILES: ReadonlySet<string> = new Set(['proc', 'sysfs', 'devtmpfs', 'devpts']);
