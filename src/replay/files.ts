/**
 * The file system that a recording began with, as far as its calls tell: what they opened, read, listed, looked up and executed.
 *
 * A first reading of the file collects facts by path; only what a path was before the recording changed it counts. What it
 * never touched is not there. Programs are stubs: nothing of them runs in a replay.
 */
import { SYSCALL_NUMBERS } from '../abi/numbers.js';
import type { ArchName } from '../abi/types.js';
import type { Archive, ArchiveEntry, EntryType } from '../../fs/archive/types.js';
import { parseArguments, parseFirst, TraceTextError, type Term } from '../trace/parse/term.js';
import type { TraceEvent } from '../trace/parse/line.js';
import { Evaluator } from '../trace/parse/value.js';
import { latin1 } from '../trace/parse/bytes.js';
import { FILE_CALLS } from './file-calls.js';
import { Content, ContentStore } from './contents.js';
import type { Arrangement } from './arrange.js';
import { entryOf, hardLink, interpreter, MODES, needless, newFact, normal, TYPES, type Fact } from './facts.js';
import { HardLinks } from './hard-links.js';

/** An open description of the recording. */
interface Open {
  path: string;
  offset: number;
}
export interface Process {
  cwd: string;
  files: Map<number, Open>;
}

const STREAMED: ReadonlySet<string> = new Set(['read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'lseek']);
/** Of these only the first argument and the result tell something. */
const FIRST_ONLY: ReadonlySet<string> = new Set([
  'close',
  'execve',
  'ftruncate',
  'lseek',
  'pwrite64',
  'write',
  'writev',
]);
/** Kernel file systems: ours are mounted there. */
const KERNEL = /^\/(?:proc|sys|dev)(?:\/|$)/;
/** Where the targets of links are that nobody has read. */
const HIDDEN = '/.l';
/** More is not kept of a standard input: it is in memory as one. */
const MOST_TYPED = 1 << 26;

const MINUS = 45;
const LESS = 60;
function afterDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) < 58) at++;
  return at;
}

const SCRIPT_DIRECTORY = '/tmp/script';

export class FileFacts {
  cwd = '';
  /** Of the recorded machine, in bytes. */
  pageSize = 4096;
  /** What descriptors 0 to 2 are, as far as -y tells. */
  readonly standard = new Map<number, string>();
  /** Of those, what has been written to or looked at: what it was at first is known, or never will be. */
  private readonly touched = new Set<number>();
  /** Of those, what was opened with O_APPEND. */
  readonly appending = new Set<number>();
  private readonly typed: Uint8Array[] = [];
  private typedBytes = 0;
  private readonly store = new ContentStore();
  private readonly facts = new Map<string, Fact>();
  private readonly absent = new Set<string>();
  /** Changed by the recording: nothing that is learned from now on is how it was. */
  private readonly changed = new Set<string>();
  private readonly processes = new Map<number, Process>();
  private links = 0;
  /** Whether the text has what -y adds; null: nothing has shown it yet. */
  private noted: boolean | null = null;
  private readonly unread = new Map<string, string>();
  private readonly counts = new Map<string, number>();
  private readonly hardLinks: HardLinks;
  private readonly values: Evaluator;
  private readonly arch: ArchName;

  constructor(arch: ArchName) {
    this.arch = arch;
    this.values = new Evaluator(arch);
    this.hardLinks = new HardLinks(this.values);
  }

  learn(event: TraceEvent, args: string): void {
    if (event.kind === 'directive') {
      this.told(event.directive);
      return;
    }
    if (event.kind === 'moved') {
      this.moved(this.process(event.pid), event.fd, event.offset, event.data);
      return;
    }
    if (event.kind !== 'call' && event.kind !== 'resumed') return;
    if (!Object.hasOwn(SYSCALL_NUMBERS[this.arch], event.name)) return;
    const { outcome } = event;
    if (outcome.injected || !this.mayTell(event.pid, event.name, args, 0)) return;
    const learner = FILE_CALLS[event.name];
    const process = this.process(event.pid);
    let terms: Term[];
    try {
      terms = FIRST_ONLY.has(event.name) ? parseFirst(args) : parseArguments(args, -1, needless);
    } catch (error) {
      if (error instanceof TraceTextError) return; // the replay will say where
      throw error;
    }
    this.notes(process, terms);
    const result = outcome.error === '' ? Number(outcome.value ?? -1n) : -1;
    learner?.(this, process, terms, result, outcome.error, event);
  }

  /** Whether a call can tell anything: most cannot, and that is seen without reading them. As `Wanted` has it. */
  mayTell(pid: number, name: string, text: string, at: number): boolean {
    const streamed = STREAMED.has(name);
    if (this.noted === null && streamed && at >= 0 && text.charCodeAt(at) !== MINUS)
      this.noted = text.charCodeAt(afterDigits(text, at)) === LESS;
    // Any call may have notes of where it was made, and of the standard streams.
    if (this.noted !== false && (this.standard.size < 3 || this.cwd === '')) return true;
    if (!streamed || at < 0) return FILE_CALLS[name] !== undefined;
    const fd = parseInt(text.slice(at, afterDigits(text, at)), 10);
    const path = this.processes.get(pid)?.files.get(fd)?.path;
    if (path === undefined) return fd === 0 || (fd <= 2 && !this.touched.has(fd));
    return path !== '' && !KERNEL.test(path);
  }

  /** A script says itself what there is, in a directory of its own. */
  beginScript(): void {
    this.cwd = SCRIPT_DIRECTORY;
    const directory = this.exists(SCRIPT_DIRECTORY, 'dir');
    if (directory !== null) directory.mode = 0o777;
  }
  private told({ name, terms }: { readonly name: string; readonly terms: readonly Term[] }): void {
    if (name === 'pages') this.pageSize = this.number(terms[0]);
    if (name !== 'file' && name !== 'dir' && name !== 'symlink') return;
    const given = terms[0].text;
    const path = normal(given.startsWith('/') ? given : `${SCRIPT_DIRECTORY}/${given}`);
    if (name === 'symlink') {
      this.link(path, terms[1].text);
      return;
    }
    const fact = this.exists(path, name);
    if (fact === null) return;
    fact.mode = this.number(terms[1]);
    const content = latin1(terms.at(2)?.text ?? '');
    fact.size = content.length;
    fact.content = new Content(this.store);
    fact.content.add(0, content);
  }

  // ---- what calls tell ----

  process(pid: number): Process {
    let process = this.processes.get(pid);
    if (process === undefined) {
      process = { cwd: '', files: new Map() };
      this.processes.set(pid, process);
    }
    return process;
  }
  forked(parent: Process, child: number, shared: boolean): void {
    this.processes.set(child, shared ? parent : { cwd: parent.cwd, files: new Map(parent.files) });
  }
  number(term: Term | undefined): number {
    return term === undefined ? 0 : Number(this.values.number(term) ?? 0n);
  }
  /** The absolute path that a directory descriptor and a name mean; '' if nobody knows. */
  path(process: Process, at: Term | null, name: Term | undefined): string {
    if (name === undefined || name.kind !== 'string' || name.cut) return '';
    return this.join(process, at, name.text);
  }
  join(process: Process, at: Term | null, name: string): string {
    if (name.startsWith('/')) return normal(name);
    if (at !== null && at.note.startsWith('/')) return normal(`${at.note}/${name}`);
    const fd = at === null ? -100 : this.number(at);
    const from = fd === -100 ? process.cwd || this.cwd || '/' : (process.files.get(fd)?.path ?? '');
    return from === '' ? '' : normal(`${from}/${name}`);
  }
  /** Whether it was there when the recording began, as far as is known. */
  seen(path: string): boolean {
    return this.facts.has(path);
  }
  known(path: string): boolean {
    return path === '' || this.changed.has(path) || KERNEL.test(path) || this.facts.get(path)?.changed === true;
  }
  /** The same of what a path leads to, through a link that is one. */
  behind(path: string, type: EntryType = 'file'): Fact | null {
    let at = path;
    for (let i = 0; i < 40; i++) {
      const fact = this.facts.get(at);
      if (fact?.type !== 'symlink' || this.known(at)) break;
      at = this.target(at, fact);
    }
    return this.exists(at, type);
  }
  /** Where a link leads; a made-up name where nobody has read it. */
  private target(path: string, fact: Fact): string {
    const folder = path.slice(0, path.lastIndexOf('/'));
    // Out of the way: its own folder may be listed.
    if (fact.link === '') return (fact.hidden ||= `${HIDDEN}/${this.links++}`);
    return normal(fact.link.startsWith('/') ? fact.link : `${folder}/${fact.link}`);
  }
  /** A path turns out to be a link: what was learned through it belongs to its target. */
  link(path: string, target: string, shown = ''): void {
    if (this.known(path)) return;
    const old = this.facts.get(path);
    if (old !== undefined && old.type !== 'symlink') this.facts.delete(path);
    const fact = this.exists(path, 'symlink');
    if (fact === null) return;
    const before = fact.link === '' ? fact.hidden : this.target(path, fact);
    if (shown !== '') fact.shown = shown;
    if (target !== '') fact.link = target;
    if (old !== undefined && old.type !== 'symlink') this.move(old, this.target(path, fact));
    else if (before !== '' && target !== '') {
      const moved = this.facts.get(before);
      const now = this.target(path, fact);
      if (moved !== undefined && now !== before) {
        this.facts.delete(before);
        this.move(moved, now);
      }
    }
  }
  private move(fact: Fact, path: string): void {
    if (this.known(path) || this.facts.has(path)) return;
    this.parents(path);
    this.facts.set(path, fact);
  }
  exists(path: string, type: EntryType = 'file'): Fact | null {
    if (this.known(path)) return null;
    this.parents(path);
    let fact = this.facts.get(path);
    if (fact === undefined) {
      const mode = type === 'dir' ? 0o755 : 0o644;
      fact = newFact(type, mode);
      this.facts.set(path, fact);
    } else if (type === 'dir' && fact.type !== 'dir') {
      fact.type = type;
      fact.mode |= 0o111;
    } else if (type !== 'file') fact.type = type;
    return fact;
  }
  missing(path: string): void {
    if (!this.known(path) && !this.facts.has(path)) this.absent.add(path);
  }
  change(path: string): void {
    if (path === '' || this.changed.has(path)) return;
    this.parents(path);
    this.changed.add(path);
  }
  written(path: string): void {
    const fact = this.facts.get(path);
    if (fact !== undefined) fact.changed = true;
    this.change(path);
  }
  private parents(path: string): void {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (parent !== '' && !this.changed.has(parent) && this.facts.get(parent)?.type !== 'dir')
      this.exists(parent, 'dir');
  }
  stat(path: string, term: Term | undefined): void {
    if (term?.kind !== 'struct') return;
    const mode = term.field('st_mode') ?? term.field('stx_mode');
    if (mode === undefined) return;
    const kind = mode.kind === 'operation' ? mode.parts[0].text : mode.text;
    const type = MODES[kind] ?? 'file';
    if (type === 'symlink') this.link(path, '');
    const fact = type === 'symlink' ? this.exists(path, type) : this.behind(path, type);
    if (fact === null) return;
    const same = this.hardLinks.shown(fact, term);
    if (same !== null) this.unite(fact, same);
    if (same?.changed === true) return;
    fact.mode = Number((this.values.number(mode) ?? 0o644n) & 0o7777n);
    const size = term.field('st_size') ?? term.field('stx_size');
    if (size !== undefined) fact.size = this.number(size);
    for (const id of ['uid', 'gid'] as const) {
      const field = term.field(`st_${id}`) ?? term.field(`stx_${id}`);
      if (field !== undefined) fact[id] = this.number(field);
    }
    const rdev = term.field('st_rdev');
    if (rdev !== undefined) fact.rdev = this.values.number(rdev) ?? 0n;
  }
  /** A standard stream that nobody opened is written to. */
  streamed(fd: number): void {
    if (fd <= 2) this.touched.add(fd);
  }
  /** Two names of one file. */
  private unite(fact: Fact, same: Fact): void {
    for (const [path, other] of this.facts) if (other === fact) this.facts.set(path, same);
    same.content ??= fact.content;
    same.program ||= fact.program;
    same.size = Math.max(same.size, fact.size);
  }
  /** `to` is a new name of what `from` is. */
  linked(from: string, to: string): void {
    this.hardLinks.made(to, this.hardLinks.called(from) ?? this.exists(from));
    this.change(to);
  }
  unlinked(path: string): void {
    this.hardLinks.removed(path, this.changed.has(path) ? null : (this.facts.get(path) ?? null));
    this.change(path);
  }
  renamed(from: string, to: string): void {
    if (from === to) return;
    this.unlinked(to);
    const file = this.hardLinks.removed(from, this.exists(from));
    this.change(from);
    this.hardLinks.made(to, file);
  }
  read(process: Process, fd: Term, data: Term | undefined, result: number, offset: number): void {
    const open = process.files.get(this.number(fd));
    const at = offset >= 0 ? offset : (open?.offset ?? 0);
    if (open !== undefined && offset < 0 && result > 0) open.offset += result;
    const path = open?.path ?? '';
    if (open === undefined && this.number(fd) === 0 && data?.kind === 'string' && result > 0) this.type(data.text);
    if (data?.kind !== 'string' || result <= 0) return;
    this.contains(path, at, latin1(data.text.slice(0, result)));
  }
  private moved(process: Process, fd: number, offset: number, data: Uint8Array): void {
    this.contains(process.files.get(fd)?.path ?? '', offset, data);
  }
  private contains(path: string, offset: number, data: Uint8Array): void {
    const fact = path === '' || this.known(path) || !this.facts.has(path) ? null : this.behind(path);
    if (fact === null) return;
    fact.content ??= new Content(this.store);
    fact.content.add(offset, data);
    fact.size = Math.max(fact.size, offset + data.length);
  }
  private type(text: string): void {
    if (this.typedBytes + text.length > MOST_TYPED) return;
    this.typedBytes += text.length;
    this.typed.push(latin1(text));
  }
  list(process: Process, fd: Term, entries: Term | undefined): void {
    const path = process.files.get(this.number(fd))?.path ?? '';
    const directory = this.exists(path, 'dir');
    if (directory === null || entries?.kind !== 'array') return;
    for (const entry of entries.parts) {
      const name = entry.field('d_name');
      if (name?.kind !== 'string' || name.cut || name.text === '.' || name.text === '..') continue;
      directory.names.push(name.text);
      const type = TYPES[entry.field('d_type')?.text ?? ''] ?? 'file';
      const at = normal(`${path}/${name.text}`);
      if (type === 'symlink') this.link(at, '');
      else this.exists(at, type);
    }
  }
  /** What was read from a standard input that nobody opened. */
  input(): Uint8Array {
    return Buffer.concat(this.typed);
  }
  /** What -y shows of the standard streams. */
  private notes(process: Process, terms: readonly Term[]): void {
    const [first] = terms as readonly (Term | undefined)[];
    if (first === undefined || first.note === '') return;
    if (first.text === 'AT_FDCWD' && this.cwd === '') this.cwd = first.note;
    const fd = this.number(first);
    if (first.kind === 'number' && fd >= 0 && fd <= 2 && !process.files.has(fd) && !this.standard.has(fd))
      this.standard.set(fd, first.note);
  }
  program(path: string): void {
    const fact = this.behind(path);
    if (fact === null) return;
    fact.mode |= 0o111;
    fact.program = true;
  }

  // ---- the file system ----

  fstat(process: Process, fd: Term, term: Term | undefined): void {
    const path = process.files.get(this.number(fd))?.path ?? '';
    if (path !== '') this.stat(path, term);
    else this.standardStat(process, this.number(fd), term);
  }
  /** A standard stream that nobody opened, by its fstat. */
  private standardStat(process: Process, fd: number, term: Term | undefined): void {
    if (fd < 0 || fd > 2 || process.files.has(fd) || term?.kind !== 'struct') return;
    const path = this.standard.get(fd) ?? '';
    if (path !== '') {
      // It may have had something in it: `>>`, or the output of commands before.
      if (!this.touched.has(fd) && path.startsWith('/') && !KERNEL.test(path)) this.stat(path, term);
      this.touched.add(fd);
      return;
    }
    const mode = this.number(term.field('st_mode')) & 0o170000;
    if (mode === 0o020000 && this.number(term.field('st_rdev')) === 0x103) this.standard.set(fd, '/dev/null');
    else if (mode === 0o100000) this.standard.set(fd, `/standard-${fd}`);
  }
  /** Moves what lies below a link to where that leads. */
  private settle(): void {
    for (let again = true, rounds = 0; again && rounds < 8; rounds++) {
      again = false;
      for (const [path, fact] of [...this.facts]) {
        for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
          const folder = path.slice(0, slash);
          const link = this.facts.get(folder);
          if (link?.type !== 'symlink') continue;
          this.facts.delete(path);
          this.move(fact, normal(`${this.target(folder, link)}${path.slice(slash)}`));
          again = true;
          break;
        }
      }
    }
  }
  /** What else there is to do once the archive is loaded. */
  get arrangement(): Arrangement {
    return { unread: this.unread, hidden: HIDDEN, counts: this.counts };
  }
  /** As an archive that the loader takes. */
  archive(name: string): Archive {
    const entries: ArchiveEntry[] = [];
    const children = new Map<string, string[]>();
    if (this.cwd !== '') this.exists(this.cwd, 'dir');
    for (const note of this.standard.values()) if (note.startsWith('/')) this.exists(note.replace(/<.*/s, ''));
    for (const fact of [...this.facts.values()])
      if (fact.program && interpreter(fact) !== '') this.program(interpreter(fact));
    for (const [path, fact] of [...this.facts])
      if (fact.type === 'symlink' && fact.link === '') this.target(path, fact);
    this.settle();
    for (const path of ['/tmp', '/dev', '/proc', '/sys']) if (!this.changed.has(path)) this.provide(path);
    for (const path of this.facts.keys()) {
      if (path === '' || path === '/') continue;
      const parent = path.slice(0, path.lastIndexOf('/'));
      const list = children.get(parent);
      if (list === undefined) children.set(parent, [path]);
      else list.push(path);
    }
    const seen = new Map<Fact, string>();
    const visit = (parent: string): void => {
      const names = this.facts.get(parent === '' ? '/' : parent)?.names ?? [];
      // tmpfs lists what was made last first.
      const order = new Map(names.map((one, i) => [`${parent}/${one}`, -i]));
      const list = (children.get(parent) ?? []).sort((a, b) => (order.get(a) ?? 1) - (order.get(b) ?? 1));
      for (const path of list) {
        const fact = this.facts.get(path)!;
        const first = seen.get(fact);
        entries.push(first === undefined ? entryOf(path, fact, this.arch) : hardLink(path, first, fact));
        if (first === undefined && this.hardLinks.count(fact) > 1) this.counts.set(path, this.hardLinks.count(fact));
        if (fact.type === 'symlink' && fact.link === '') this.unread.set(path, fact.hidden);
        seen.set(fact, first ?? path);
        if (fact.type === 'dir') visit(path);
      }
    };
    visit('');
    return { format: 'directory', name, entries, warnings: [], close: () => this.close() };
  }
  close(): void {
    this.store.close();
  }
  private provide(path: string): void {
    if (this.facts.has(path)) return;
    const mode = path === '/tmp' ? 0o1777 : 0o755;
    this.facts.set(path, newFact('dir', mode));
  }
}
