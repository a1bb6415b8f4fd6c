/**
 * Terminals of a kernel: the device numbers they answer to, and how they are opened (drivers/tty/tty_io.c, tty_open).
 *
 *     c 5:0  /dev/tty      the controlling terminal of the opener; ENXIO without one
 *     c 5:1  /dev/console  the console, if the kernel was given one; ENODEV otherwise
 *     c 5:2  /dev/ptmx     a new pty
 *     c 136  /dev/pts/N    its slave
 *
 * Oddities copied: opening /dev/console never makes it the controlling terminal (TIOCSCTTY does). Deviation: on Linux a
 * background process may read from /dev/console; here it is a terminal like any other, as in a container.
 */
import { EBUSY, EIO, ENODEV, ENXIO, errno } from '../abi/errno.js';
import { O_CLOEXEC, O_NOCTTY } from '../abi/flags/open.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../abi/flags/capability.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { RLIMIT_NOFILE } from '../abi/flags/limits.js';
import type { Task } from '../../sched/task.js';
import { Dentry } from '../../fs/dentry.js';
import type { Inode } from '../../fs/inode.js';
import type { OpenFile } from '../../fs/file.js';
import { track } from '../../fs/references.js';
import { discardFile } from '../../fs/open.js';
import type {} from '../../fs/task-parts.js';
import { Console, type ConsoleOptions } from './console.js';
import { devpts, devptsType } from './devpts.js';
import { controllingTty, jobControlHooks, setControllingTty, takeOnOpen } from './job-control.js';
import type { PtyMaster, PtySlave } from './pty.js';
import type { Tty } from './tty.js';
import { TtyFile } from './tty-file.js';

export { Console, controllingTty, devptsType, jobControlHooks, setControllingTty };

const TTYAUX_MAJOR = 5;
const PTS_MAJOR = 136;

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    console?: Console;
  }
}

/** Device numbers; filesystem type (`devptsType`) and hooks (`jobControlHooks`) are registered by the kernel's lists. */
export function registerTtyDevices(kernel: KernelState): void {
  const { vfs } = kernel;
  vfs.registerDevice('c', TTYAUX_MAJOR, 0, (inode, flags, task) => openCurrent(inode, flags, task), '/dev/tty');
  vfs.registerDevice('c', TTYAUX_MAJOR, 1, (inode, flags) => openConsole(kernel, inode, flags), '/dev/console');
  vfs.registerDevice('c', TTYAUX_MAJOR, 2, (inode, flags, task) => openMaster(inode, flags, task), '/dev/ptmx');
  vfs.registerDevice('c', PTS_MAJOR, [0, 0xfffff], (inode, flags, task) => openSlave(inode, flags, task), 'pts');
}

/** Binds the console to a host terminal. */
export function attachConsole(kernel: KernelState, options: ConsoleOptions): Console {
  return (kernel.console = new Console(kernel, options));
}

function open(task: Task, inode: Inode, flags: number, tty: Tty): TtyFile {
  if (tty.exclusive && tty.files.size > 0 && !capable(task.creds, CAP_SYS_ADMIN)) throw errno(EBUSY);
  const file = new TtyFile(inode, flags & ~O_NOCTTY, tty);
  if ((flags & O_NOCTTY) === 0 && !tty.isMaster) takeOnOpen(task, tty, flags);
  return file;
}

function openCurrent(inode: Inode, flags: number, task: Task): TtyFile {
  const tty = controllingTty(task.group);
  if (tty === null) throw errno(ENXIO);
  return open(task, inode, flags | O_NOCTTY, tty);
}

function openConsole(kernel: KernelState, inode: Inode, flags: number): TtyFile {
  if (kernel.console === undefined) throw errno(ENODEV);
  const file = new TtyFile(inode, flags & ~O_NOCTTY, kernel.console);
  file.throughConsole = true;
  return file;
}

function openMaster(inode: Inode, flags: number, task: Task): TtyFile {
  const master = devpts(task.kernel).createPair(task);
  master.openPeer = (opener, peerFlags) => openPeer(opener, master, peerFlags);
  return open(task, inode, flags, master);
}

function openSlave(inode: Inode, flags: number, task: Task): TtyFile {
  const slave: PtySlave | null = devpts(task.kernel).slave(inode.rdevMinor);
  if (slave === null) throw errno(EIO);
  slave.checkOpen();
  return open(task, inode, flags, slave);
}

/** TIOCGPTPEER: opens the slave of a master by its place in devpts, whatever is mounted where; returns a descriptor. */
function openPeer(task: Task, master: PtyMaster, flags: number): number {
  const sb = devpts(task.kernel);
  const { minor } = master.link;
  const inode = sb.nodes.get(minor);
  if (inode === undefined) throw errno(EIO);
  const file: OpenFile = openSlave(inode, flags & ~O_CLOEXEC, task);
  for (const mount of task.kernel.vfs.namespace.mounts) {
    if (mount.sb === sb) file.place = { mount, dentry: new Dentry(`${minor}`, mount.root, inode) };
  }
  track(file);
  try {
    return task.files.install(file, (flags & O_CLOEXEC) !== 0, task.group.limits[RLIMIT_NOFILE].soft);
  } catch (error) {
    discardFile(file);
    throw error;
  }
}
