/**
 * What happens in a run as text, one event after the other: what a Recorder makes, a recording holds, and converters take.
 *
 * A call is one event if nothing else happened between its enter and its leave, else two. `args` is what strace prints between the
 * parentheses (of an enter: up to where the result is awaited), `ret` what it prints from "= " on. Times are nanoseconds since
 * the start; a wake comes before the leave of the call that slept, with the time of the wake itself, which may be earlier.
 */
export interface RunHeader {
  readonly arch: string;
  /** Bytes. */
  readonly pageSize: number;
  readonly argv: readonly string[];
  /** NAME=VALUE. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Unix time in nanoseconds. */
  readonly started: string;
}

/** Stands for the texts of a call that come again: a sink that makes the same of them every time may keep it there. */
export interface SameTexts {
  written: Uint8Array | null;
}

export interface EventSink {
  start(header: RunHeader): void;
  call(tid: number, at: number, took: number, call: string, args: string, ret: string, same?: SameTexts | null): void;
  enter(tid: number, at: number, call: string, args: string): void;
  /** A call that never leaves (exit, a killed sleeper) ends with the task's exit. */
  leave(tid: number, at: number, took: number, call: string, args: string, ret: string): void;
  signal(tid: number, at: number, signal: string, info: string): void;
  stop(tid: number, at: number, signal: string): void;
  /** `status` as wait(2) reports it. */
  exit(tid: number, at: number, status: number): void;
  /** A task was made by `parent`. */
  task(tid: number, parent: number, at: number, thread: boolean): void;
  /** The sleep of a call ended: `by` whom, 0: a timer or the world outside; `on` the file it waited for, '' if it was none. */
  wake(tid: number, by: number, at: number, on: string): void;
  /**
   * The call that leaves next moved these bytes of a file, from `offset` on, without showing them (sendfile). Left out by
   * who has no use for them: they are not read then.
   */
  moved?(tid: number, at: number, fd: number, offset: number, data: Uint8Array): void;
  end(at: number): void;
}
