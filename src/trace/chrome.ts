/**
 * Chrome's trace event format (the JSON array form), which Perfetto and chrome://tracing open: a track a task, a slice a call
 * with the time it was blocked inside it, arrows from who woke it, instants for signals, execs and exits.
 *
 * Slices of one track never overlap but nest, and come in the order of their times; arrows come when the sleeper has woken. The
 * closing bracket may be missing, as the format allows: then the writer was killed.
 */
import type { EventSink, RunHeader } from './events.js';
import { asciiJson, type TextSink } from './text-sink.js';

interface Track {
  readonly tid: number;
  /** The process: that of its thread group's leader. */
  readonly pid: number;
  name: string;
  /** The call it is in. */
  call: string;
  args: string;
  at: number;
  inCall: boolean;
  /** Its sleep ended; NaN: it did not sleep. */
  wokenAt: number;
  wokenBy: number;
  /** The file it waited for. */
  on: string;
  /** Its last slice; from above until: it has none. */
  from: number;
  until: number;
  /** The next may not begin before. */
  free: number;
  /** Instants in the midst of a call, which come after its slice. */
  instants: string[];
}

/** Characters of arguments that are shown: a viewer is no place for buffers. */
const ARGS_LIMIT = 2000;

export class ChromeWriter implements EventSink {
  private readonly out: TextSink;
  private readonly tracks = new Map<number, Track>();
  private readonly quoted = new Map<string, string>();
  private flows = 0;
  private first = true;

  constructor(out: TextSink) {
    this.out = out;
  }

  start({ argv }: RunHeader): void {
    const name = baseName(argv[0] ?? '');
    this.tracks.set(1, newTrack(1, 1, name, 0));
    this.nameProcess(this.track(1), name);
  }

  call(tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    const track = this.track(tid);
    this.slice(track, call, args, ret, at, took);
    this.named(track, call, args, ret, at + took);
  }

  enter(tid: number, at: number, call: string, args: string): void {
    const track = this.track(tid);
    track.inCall = true;
    track.call = call;
    track.args = args;
    track.at = at;
    track.wokenAt = NaN;
  }

  leave(tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    const track = this.track(tid);
    const begun = track.inCall;
    const text = begun ? track.args + args : args;
    track.inCall = false;
    const from = begun ? track.at : at - took;
    this.slice(track, call, text, ret, from, at - from);
    this.named(track, call, text, ret, at);
  }

  signal(tid: number, at: number, signal: string, info: string): void {
    this.instant(this.track(tid), at, signal, `{"info":${asciiJson(info)}}`);
  }

  stop(tid: number, at: number, signal: string): void {
    this.instant(this.track(tid), at, `stopped by ${signal}`, '{}');
  }

  exit(tid: number, at: number, status: number): void {
    const track = this.track(tid);
    this.unfinished(track, at);
    const signal = status & 0x7f;
    const how = signal === 0 ? `exit ${(status >>> 8) & 0xff}` : `killed by signal ${signal}`;
    this.instant(track, at, how, `{"status":${status}}`);
  }

  task(tid: number, parent: number, at: number, thread: boolean): void {
    const maker = this.tracks.get(parent);
    const name = maker?.name ?? '';
    const track = newTrack(tid, thread && maker !== undefined ? maker.pid : tid, name, at);
    this.tracks.set(tid, track);
    if (thread) this.nameThread(track, name);
    else this.nameProcess(track, name);
  }

  wake(tid: number, by: number, at: number, on: string): void {
    const track = this.track(tid);
    if (!track.inCall) return;
    track.wokenAt = at;
    track.wokenBy = by;
    track.on = on;
    const waker = by === tid ? undefined : this.tracks.get(by);
    if (waker === undefined) return;
    const from = arrowFrom(waker, at);
    if (from === null) return;
    const id = ++this.flows;
    this.event(`"ph":"s","id":${id},"cat":"wake","name":"wake",${place(waker)},"ts":${micro(from)}`);
    const to = micro(Math.max(from, at));
    this.event(`"ph":"f","bp":"e","id":${id},"cat":"wake","name":"wake",${place(track)},"ts":${to}`);
  }

  end(at: number): void {
    for (const track of this.tracks.values()) this.unfinished(track, at);
    this.out.add(this.first ? '[]\n' : '\n]\n');
  }

  private track(tid: number): Track {
    let track = this.tracks.get(tid);
    if (track === undefined) this.tracks.set(tid, (track = newTrack(tid, tid, '', 0)));
    return track;
  }

  /** A call from `at` on; it begins after what is there, which another clock reading may contradict by a hair. */
  private slice(track: Track, call: string, args: string, ret: string, at: number, took: number): void {
    const from = Math.max(at, track.free);
    const until = Math.max(from, at + took);
    const shown = args.length > ARGS_LIMIT ? `${args.slice(0, ARGS_LIMIT)}...` : args;
    const detail = `{"args":${asciiJson(shown)},"result":${asciiJson(ret)}}`;
    this.complete(track, 'syscall', this.quote(call), from, until, detail);
    if (track.wokenAt > from) {
      const blocked = this.quote(`blocked on ${blockedOn(call, track.on)}`);
      const by = `{"woken by":${track.wokenBy},"on":${asciiJson(track.on)}}`;
      this.complete(track, 'blocked', blocked, from, Math.min(track.wokenAt, until), by);
    }
    track.wokenAt = NaN;
    track.from = from;
    track.until = track.free = until;
    for (const instant of track.instants.splice(0)) this.event(instant);
  }

  /** What it was in has no end of its own. */
  private unfinished(track: Track, at: number): void {
    if (!track.inCall) return;
    track.inCall = false;
    // Asleep to the end, unless it is a call that never returns.
    if (!track.call.startsWith('exit') && Number.isNaN(track.wokenAt)) {
      track.wokenAt = at;
      track.wokenBy = 0;
      track.on = '';
    }
    this.slice(track, track.call, track.args, '= ?', track.at, at - track.at);
  }

  private named(track: Track, call: string, args: string, ret: string, at: number): void {
    if (call === 'prctl' && ret === '= 0') {
      const name = /^PR_SET_NAME, "((?:[^"\\]|\\.)*)"/.exec(args)?.[1];
      if (name !== undefined) this.nameThread(track, name);
    } else if ((call === 'execve' || call === 'execveat') && ret === '= 0') {
      const name = programName(args);
      this.instant(track, at, `exec ${name}`, '{}');
      this.nameProcess(track, name);
    }
  }

  private nameProcess(track: Track, name: string): void {
    this.metadata('process_name', track, name);
    this.nameThread(track, name);
  }
  private nameThread(track: Track, name: string): void {
    track.name = name;
    this.metadata('thread_name', track, name);
  }
  private metadata(what: string, track: Track, name: string): void {
    this.event(`"ph":"M","name":"${what}",${place(track)},"args":{"name":${asciiJson(name)}}`);
  }

  private instant(track: Track, at: number, name: string, args: string): void {
    const when = Math.max(at, track.free);
    const text = `"ph":"i","s":"t","cat":"event","name":${this.quote(name)},${place(track)},"ts":${micro(when)},"args":${args}`;
    if (track.inCall) track.instants.push(text);
    else {
      track.free = when;
      this.event(text);
    }
  }
  private complete(track: Track, cat: string, name: string, from: number, until: number, args: string): void {
    const dur = micro(until - from);
    this.event(
      `"ph":"X","cat":"${cat}","name":${name},${place(track)},"ts":${micro(from)},"dur":${dur},"args":${args}`,
    );
  }
  private event(fields: string): void {
    this.out.add(`${this.first ? '[\n' : ',\n'}{${fields}}`);
    this.first = false;
  }

  /** As JSON text; names are few and come again and again. */
  private quote(name: string): string {
    let text = this.quoted.get(name);
    if (text === undefined) {
      text = asciiJson(name);
      if (this.quoted.size < 10_000) this.quoted.set(name, text);
    }
    return text;
  }
}

function newTrack(tid: number, pid: number, name: string, at: number): Track {
  return {
    tid,
    pid,
    name,
    call: '',
    args: '',
    at: 0,
    inCall: false,
    wokenAt: NaN,
    wokenBy: 0,
    on: '',
    from: 1,
    until: 0,
    free: at,
    instants: [],
  };
}

/**
 * Where in the waker's track an arrow of time `at` begins: in a slice, or a viewer drops it. Who dies wakes its parent when its
 * last slice is over. Null: it has done nothing yet.
 */
function arrowFrom(waker: Track, at: number): number | null {
  if (waker.inCall && at >= waker.at) return Math.max(at, waker.free);
  return waker.from > waker.until ? null : Math.min(Math.max(at, waker.from), Math.max(waker.from, waker.until - 1));
}

const place = ({ pid, tid }: Track): string => `"pid":${pid},"tid":${tid}`;

/** Nanoseconds as the format's microseconds, exactly: a rounded end would reach into the next slice. */
function micro(ns: number): string {
  const whole = Math.round(ns);
  const part = whole % 1000;
  return part === 0 ? String(whole / 1000) : `${(whole - part) / 1000}.${String(part).padStart(3, '0')}`;
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** argv[0] of an execve's arguments, or the file if that says nothing. */
function programName(args: string): string {
  const [, path = '', first = ''] =
    /^(?:\w+, )?"((?:[^"\\]|\\.)*)"(?:\.\.\.)?(?:, \["((?:[^"\\]|\\.)*)")?/.exec(args) ?? [];
  return baseName(first) || baseName(path) || '?';
}

/** What a call waits for, in words. */
function blockedOn(call: string, on: string): string {
  const what = BLOCKED_ON[call];
  if (what !== undefined) return what;
  const kind = /^(?:(pipe|socket):|anon_inode:\[?(\w+))/.exec(on);
  if (kind !== null) return `${kind[1] ?? kind[2]} ${call}`;
  return /^\/dev\/(tty|pts|console)/.test(on) ? `terminal ${call}` : call;
}
const BLOCKED_ON: Readonly<Record<string, string>> = {
  futex: 'futex',
  wait4: 'wait4 (a child)',
  waitid: 'waitid (a child)',
  nanosleep: 'sleep',
  clock_nanosleep: 'sleep',
  poll: 'poll',
  ppoll: 'poll',
  select: 'select',
  pselect6: 'select',
  epoll_wait: 'epoll',
  epoll_pwait: 'epoll',
  epoll_pwait2: 'epoll',
  pause: 'a signal',
  rt_sigsuspend: 'a signal',
  rt_sigtimedwait: 'a signal',
  vfork: "vfork's child",
  flock: 'file lock',
};
