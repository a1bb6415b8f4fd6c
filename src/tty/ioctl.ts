/**
 * ioctl(2) on terminals (drivers/tty/tty_io.c tty_ioctl, tty_ioctl.c, n_tty.c n_tty_ioctl). Requests about termios, window
 * size and job control made on the master of a pty act on its slave (`tty.real`).
 *
 * Oddities copied: setting anything from the background is SIGTTOU whatever TOSTOP says; TCSBRK with a non-zero argument is
 * tcdrain; a TCSETS* cannot change what a terminal has not (byte size, parity), and says nothing.
 */
import { EINTR, EINVAL, EIO, EPERM, ERESTARTSYS, errno } from '../abi/errno.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../abi/flags/capability.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK, block } from '../../sched/wait.js';
import { dropFile } from '../../fs/fd-table.js';
import * as io from '../abi/flags/ioctl.js';
import * as jobs from './job-control.js';
import * as t from './termios.js';
import type { Tty } from './tty.js';
import type { TtyFile } from './tty-file.js';

export function ttyIoctl(task: Task, file: TtyFile, request: number, arg: number): number {
  const { tty } = file;
  const { mm } = task;
  switch (request) {
    case io.TCSBRK:
    case io.TCSBRKP:
    case io.TIOCSBRK:
      jobs.checkForeground(task, tty);
      return afterDrain(task, file, tty, EINTR, () => 0);
    case io.TIOCCBRK:
      jobs.checkForeground(task, tty);
      return 0;
    case io.TIOCSETD:
      jobs.checkForeground(task, tty);
      if (mm.readU32(arg) !== t.N_TTY) throw errno(EINVAL);
      return 0;
    case io.TIOCGETD:
      mm.writeU32(arg, t.N_TTY);
      return 0;
    case io.TIOCSTI:
      return simulateInput(task, tty, arg);
    case io.TIOCGWINSZ:
    case io.TIOCSWINSZ:
      return windowSize(task, tty, request, arg);
    case io.TIOCEXCL:
    case io.TIOCNXCL:
      tty.exclusive = request === io.TIOCEXCL;
      return 0;
    case io.TIOCGEXCL:
      mm.writeU32(arg, tty.exclusive ? 1 : 0);
      return 0;
    case io.TIOCVHANGUP:
      if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
      tty.hangup();
      return 0;
    case io.TIOCGDEV:
      mm.writeU32(arg, deviceNumber(tty.real));
      return 0;
    case io.FIONREAD:
      mm.writeU32(arg, tty.ld.inputCount());
      return 0;
    case io.TIOCOUTQ:
      mm.writeU32(arg, tty.pendingOutput());
      return 0;
    case io.TCXONC:
      return flowControl(task, tty, arg);
    case io.TCFLSH:
      return flush(task, tty, arg);
  }
  return (
    jobControlIoctl(task, file, request, arg) ??
    termiosIoctl(task, file, request, arg) ??
    tty.ioctl(task, file, request, arg)
  );
}

/** new_encode_dev. */
export function deviceNumber(tty: Tty): number {
  return (tty.minor & 0xff) | (tty.major << 8) | ((tty.minor & ~0xff) << 12);
}

function jobControlIoctl(task: Task, file: TtyFile, request: number, arg: number): number | undefined {
  const { tty } = file;
  switch (request) {
    case io.TIOCNOTTY:
      jobs.giveUpTty(task, tty);
      return 0;
    case io.TIOCSCTTY:
      jobs.setControllingTty(task, tty.real, file.flags, arg === 1);
      return 0;
    case io.TIOCGPGRP:
      task.mm.writeU32(arg, jobs.getForeground(task, tty));
      return 0;
    case io.TIOCSPGRP:
      jobs.setForeground(task, tty, () => task.mm.readI32(arg));
      return 0;
    case io.TIOCGSID:
      task.mm.writeU32(arg, jobs.getSession(task, tty));
      return 0;
  }
  return undefined;
}

/** Sleeps until all output has left, O_NONBLOCK or not, then does `then`. Holds the file meanwhile. */
function afterDrain(task: Task, file: TtyFile, tty: Tty, interrupted: number, then: () => number): number {
  if (tty.pendingOutput() === 0) return then();
  if (task.signalPending()) throw errno(interrupted);
  file.references++;
  const attempt = (): number => {
    if (file.hungUp) return 0;
    return tty.pendingOutput() > 0 ? WOULD_BLOCK : then();
  };
  return block(task, attempt, [tty.queue], { restart: interrupted, onEnd: () => dropFile(file) });
}

function simulateInput(task: Task, tty: Tty, arg: number): number {
  // As with sysctl dev.tty.legacy_tiocsti=0.
  if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EIO);
  tty.scratch[0] = task.mm.readU8(arg);
  tty.receive(tty.scratch, 0, 1);
  return 0;
}

function windowSize(task: Task, tty: Tty, request: number, arg: number): number {
  const { mm } = task;
  if (request === io.TIOCSWINSZ) {
    const view = mm.readStruct(arg, 8);
    const [rows, columns, xpixel, ypixel] = [0, 2, 4, 6].map((at) => view.getUint16(at, true));
    tty.real.resize({ rows, columns, xpixel, ypixel });
    return 0;
  }
  const { rows, columns, xpixel, ypixel } = tty.real.size;
  [rows, columns, xpixel, ypixel].forEach((value, i) => mm.scratchView.setUint16(i * 2, value, true));
  mm.writeStruct(arg, 8);
  return 0;
}

function flowControl(task: Task, tty: Tty, arg: number): number {
  jobs.checkForeground(task, tty);
  if (arg === t.TCOOFF || arg === t.TCOON) tty.ld.holdOutput(arg === t.TCOOFF);
  else if (arg === t.TCIOFF) tty.ld.sendFlowChar(t.VSTOP);
  else if (arg === t.TCION) tty.ld.sendFlowChar(t.VSTART);
  else throw errno(EINVAL);
  tty.flush();
  return 0;
}

function flush(task: Task, tty: Tty, arg: number): number {
  const input = arg === t.TCIFLUSH || arg === t.TCIOFLUSH;
  // Before the job-control check, as Linux does it.
  if (input) tty.discardInput();
  jobs.checkForeground(task, tty);
  if (!input && arg !== t.TCOFLUSH) throw errno(EINVAL);
  if (input) tty.ld.flushInput();
  if (arg !== t.TCIFLUSH) tty.ld.flushOutput();
  tty.flush();
  return 0;
}

interface TermiosRequest {
  form: t.TermiosForm;
  wait?: boolean;
  flush?: boolean;
}
const SETTERS: ReadonlyMap<number, TermiosRequest> = new Map([
  [io.TCSETS, { form: 'termios' }],
  [io.TCSETSW, { form: 'termios', wait: true }],
  [io.TCSETSF, { form: 'termios', wait: true, flush: true }],
  [io.TCSETS2, { form: 'termios2' }],
  [io.TCSETSW2, { form: 'termios2', wait: true }],
  [io.TCSETSF2, { form: 'termios2', wait: true, flush: true }],
  [io.TCSETA, { form: 'termio' }],
  [io.TCSETAW, { form: 'termio', wait: true }],
  [io.TCSETAF, { form: 'termio', wait: true, flush: true }],
]);
const GETTERS: ReadonlyMap<number, t.TermiosForm> = new Map([
  [io.TCGETS, 'termios'],
  [io.TCGETS2, 'termios2'],
  [io.TCGETA, 'termio'],
]);

function termiosIoctl(task: Task, file: TtyFile, request: number, arg: number): number | undefined {
  const { real } = file.tty;
  const { mm } = task;
  const getForm = GETTERS.get(request);
  if (getForm !== undefined) {
    const bytes = real.termios.encode(getForm);
    mm.copyOut(arg, bytes, 0, bytes.length);
    return 0;
  }
  const setter = SETTERS.get(request);
  if (setter !== undefined) {
    jobs.checkForeground(task, real);
    const bytes = new Uint8Array(t.termiosSize(setter.form));
    mm.copyIn(arg, bytes, 0, bytes.length);
    const apply = (): number => {
      const wanted = real.termios.clone();
      wanted.decode(bytes, setter.form);
      if (setter.flush) real.ld.dropInput();
      real.setTermios(wanted);
      if (setter.flush) real.ld.kick();
      return 0;
    };
    return setter.wait ? afterDrain(task, file, real, ERESTARTSYS, apply) : apply();
  }
  if (request === io.TIOCGSOFTCAR) {
    mm.writeU32(arg, (real.termios.cflag & t.CLOCAL) !== 0 ? 1 : 0);
    return 0;
  }
  if (request === io.TIOCSSOFTCAR) {
    const wanted = real.termios.clone();
    wanted.cflag = mm.readU32(arg) ? wanted.cflag | t.CLOCAL : wanted.cflag & ~t.CLOCAL;
    real.setTermios(wanted);
    return 0;
  }
  return undefined;
}
