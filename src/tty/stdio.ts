/**
 * Connects descriptors 0, 1 and 2 of process 1 to those of the supervisor: a host terminal through the console and its line
 * discipline, anything else as it is. A descriptor that this process has closed is closed in the guest; one that it was
 * started without is not: Node opens /dev/null there first, with O_RDWR, as daemons do on purpose, so nothing tells them apart.
 *
 * Invariant: `close` gives the host terminal back; `drained` resolves once the host has taken everything written.
 */
import { closeSync } from 'node:fs';
import { SIGHUP, SIGINT, SIGQUIT, SIGTERM } from '../abi/flags/signal.js';
import { AT_FDCWD, O_ACCMODE, O_APPEND, O_NOCTTY, O_RDWR } from '../abi/flags/open.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { kernelInfo, sendSignalToGroup } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import { openAt } from '../../fs/open.js';
import { LOOKUP_FOLLOW, resolve } from '../../fs/walk.js';
import type { OpenFile } from '../../fs/file.js';
import type { HostIo } from '../platform/host-io.js';
import type { Console } from './console.js';
import { HostStream, HostStreamFile, serveHostFifos } from './host-stream.js';
import { attachConsole, setControllingTty } from './index.js';
import { hostFlags, streamHost } from './stream-host.js';

/** Signals sent to the supervisor that are passed on to process 1, as docker run does. */
const FORWARDED = { SIGHUP, SIGINT, SIGQUIT, SIGTERM } as const;

/** Access mode and O_APPEND of the host's descriptor. */
function accessOf(fd: number): number {
  return hostFlags(fd) & (O_ACCMODE | O_APPEND);
}

export class Stdio {
  private readonly kernel: KernelState;
  private readonly io: HostIo;
  private console: Console | null = null;
  /** Host descriptors that are the console. */
  private terminals: readonly number[] = [];
  private readonly streams: HostStream[] = [];
  private readonly listeners: [NodeJS.Signals, () => void][] = [];

  constructor(kernel: KernelState, init: Task, io: HostIo, tty: boolean | undefined) {
    this.kernel = kernel;
    this.io = io;
    const host = streamHost(io);
    serveHostFifos(kernel.vfs);
    const terminals = tty === false ? [] : [0, 1, 2].filter((fd) => io.isatty(fd));
    this.terminals = terminals;
    if (terminals.length > 0) this.openConsole(init, io, terminals);
    for (const fd of [0, 1, 2]) {
      if (terminals.includes(fd)) continue;
      try {
        host.fstat(fd);
      } catch {
        continue; // closed on the host
      }
      // What is one pipe or file on the host is one open file in the guest: writes to both keep their order.
      const out = fd === 2 ? init.files.find(1) : undefined;
      if (out instanceof HostStreamFile && out.stream.shows(fd)) {
        init.files.set(fd, out, false);
        continue;
      }
      const stream = new HostStream(kernel, host, fd);
      this.streams.push(stream);
      init.files.set(fd, new HostStreamFile(stream, accessOf(fd)), false);
    }
    this.forwardSignals(init);
  }

  private openConsole(init: Task, io: HostIo, terminals: number[]): void {
    const inputFd = terminals[0];
    const outputFd = terminals.find((fd) => fd > 0) ?? inputFd;
    // Without a terminal on both sides the host terminal may be someone else's as well (`levitate-run ls | less`).
    const lazy = !(terminals.includes(0) && terminals.includes(1));
    const console = attachConsole(this.kernel, { host: io, inputFd, outputFd, lazy });
    this.console = console;
    // As login does it: the terminal belongs to who uses it.
    const { inode } = resolve(init, AT_FDCWD, '/dev/console', LOOKUP_FOLLOW).dentry;
    inode!.setAttributes({ uid: init.creds.uid, mode: 0o620 });
    const file: OpenFile = openAt(init, AT_FDCWD, '/dev/console', O_RDWR | O_NOCTTY, 0);
    for (const fd of terminals) init.files.set(fd, file, false);
    setControllingTty(init, console, O_RDWR, false);
    this.on('SIGWINCH', () => console.hostResized());
  }

  private forwardSignals(init: Task): void {
    for (const [name, signo] of Object.entries(FORWARDED))
      this.on(name as NodeJS.Signals, () => {
        sendSignalToGroup(init.group, kernelInfo(signo));
        this.kernel.kick();
      });
  }
  private on(name: NodeJS.Signals, listener: () => void): void {
    process.on(name, listener);
    this.listeners.push([name, listener]);
  }

  /** Everything the guests wrote has reached the host (or its reader is gone). */
  async drained(): Promise<void> {
    const sinks = [...this.streams, ...(this.console === null ? [] : [this.console])];
    await Promise.all(sinks.map((sink) => new Promise<void>((resolve) => sink.whenDrained(resolve))));
  }

  close(): void {
    for (const [name, listener] of this.listeners.splice(0)) process.off(name, listener);
    this.console?.close();
    for (const stream of this.streams) stream.close();
    // Node resets the terminals it was started with when it exits, and aborts if one has hung up; not if it is closed.
    for (const fd of this.terminals) if (this.io.getWinsize(fd) === null) closeSync(fd);
    this.terminals = [];
  }
}

export function connectStdio(kernel: KernelState, init: Task, io: HostIo, tty: boolean | undefined): Stdio {
  return new Stdio(kernel, init, io, tty);
}
