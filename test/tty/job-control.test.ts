/** Controlling terminals: who gets one, who may use it, what its loss means (tty_jobctrl.c). */
import { describe, expect, test } from '@jest/globals';
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, SIGWINCH, SIG_IGN } from '../../src/abi/flags/signal.js';
import { disassociate } from '../../src/tty/job-control.js';
import { controllingTty } from '../../src/tty/index.js';
import * as io from '../../src/abi/flags/ioctl.js';
import { TOSTOP } from '../../src/tty/termios.js';
import type { Task } from '../../sched/task.js';
import type { TtyFile } from '../../src/tty/tty-file.js';
import { close, dispose, foreground, handle, ioctl, ioctlValue, openDevice, openPty, process, read } from './fake.js';
import { signals, ttyKernel, write } from './fake.js';

const O_RDWR = 2;
const O_WRONLY = 1;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;

/** A shell that leads a session on a pty, and two jobs of it. */
function session(): {
  init: Task;
  shell: Task;
  job: Task;
  other: Task;
  slave: TtyFile;
  master: TtyFile;
  kernel: Task['kernel'];
} {
  const { kernel, init } = ttyKernel();
  const shell = process(kernel, init, 'new');
  const { master, slave } = openPty(shell, O_RDWR);
  const job = process(kernel, shell, 'session');
  const other = process(kernel, shell, 'session');
  return { kernel, init, shell, job, other, slave, master };
}

describe('getting a controlling terminal', () => {
  test('a session leader that opens a free terminal', () => {
    const { shell, slave } = session();
    expect(controllingTty(shell.group)).toBe(slave.tty);
    expect(slave.tty.foregroundId).toBe(shell.group.processGroup.id);
  });
  test.each<[string, number, 'new' | 'group']>([
    ['O_NOCTTY', O_RDWR | O_NOCTTY, 'new'],
    ['write-only', O_WRONLY, 'new'],
    ['not a leader', O_RDWR, 'group'],
  ])('not by an open: %s', (_name, flags, where) => {
    const { kernel, init } = ttyKernel();
    const task = process(kernel, init, where);
    openPty(task, flags);
    expect(controllingTty(task.group)).toBeNull();
  });
  test('not a terminal that has a session', () => {
    const { kernel, init, slave } = session();
    const task = process(kernel, init, 'new');
    openDevice(task, { pts: slave.tty.minor }, O_RDWR);
    expect(controllingTty(task.group)).toBeNull();
  });
  test('TIOCSCTTY: only by a leader without one, stealing only as root', () => {
    const { kernel, init, job, shell, slave } = session();
    expect(ioctlValue(shell, slave, io.TIOCSCTTY, 0)).toBe(0);
    expect(ioctlValue(job, slave, io.TIOCSCTTY, 0)).toBe('EPERM');
    const user = process(kernel, init, 'new', 1000);
    expect(ioctlValue(user, slave, io.TIOCSCTTY, 1)).toBe('EPERM');
    const root = process(kernel, init, 'new');
    expect(ioctlValue(root, slave, io.TIOCSCTTY, 0)).toBe('EPERM');
    expect(ioctlValue(root, slave, io.TIOCSCTTY, 1)).toBe(0);
    expect(controllingTty(root.group)).toBe(slave.tty);
    expect(controllingTty(shell.group)).toBeNull();
  });
  test('/dev/tty is the controlling terminal, or ENXIO', () => {
    const { kernel, init, job, slave } = session();
    expect(openDevice(job, 0).tty).toBe(slave.tty);
    expect(() => openDevice(process(kernel, init, 'new'), 0)).toThrow(expect.objectContaining({ name: 'ENXIO' }));
  });
});

describe('in the background', () => {
  test('read: SIGTTIN to the whole group, the call restarts', () => {
    const { kernel, job, slave } = session();
    const mate = process(kernel, job, 'group');
    expect(read(job, slave)).toBe('ERESTARTSYS');
    expect([signals(job), signals(mate)]).toEqual([[SIGTTIN], [SIGTTIN]]);
  });
  test('read with SIGTTIN ignored or blocked: EIO', () => {
    const { job, other, slave } = session();
    dispose(job, SIGTTIN, SIG_IGN);
    expect(read(job, slave)).toBe('EIO');
    other.blocked.add(SIGTTIN);
    expect(read(other, slave)).toBe('EIO');
  });
  test('read in an orphaned group: EIO, no signal', () => {
    const { init, job, shell, slave } = session();
    shell.group.children.delete(job.group);
    job.group.parent = init.group;
    expect(read(job, slave)).toBe('EIO');
    expect(signals(job)).toEqual([]);
  });
  test('read in the foreground just reads', () => {
    const { job, master, shell, slave } = session();
    foreground(slave.tty, job);
    write(shell, master, 'hi\n');
    expect(read(job, slave)).toBe('hi\n');
    // The shell is now in the background, and its group is orphaned: its parent is in another session.
    expect(read(shell, slave)).toBe('EIO');
  });
  test('write: only TOSTOP stops it, and not when SIGTTOU is ignored', () => {
    const { job, other, slave } = session();
    expect(write(job, slave, 'x')).toBe(1);
    slave.tty.termios.lflag |= TOSTOP;
    expect(write(job, slave, 'x')).toBe('ERESTARTSYS');
    expect(signals(job)).toEqual([SIGTTOU]);
    dispose(other, SIGTTOU, SIG_IGN);
    expect(write(other, slave, 'x')).toBe(1);
  });
  test('changing anything: SIGTTOU whatever TOSTOP says', () => {
    const { job, slave } = session();
    expect(ioctl(job, slave, io.TCGETS)).not.toBe('ERESTARTSYS');
    for (const request of [io.TCSETS, io.TCFLSH, io.TCXONC, io.TCSBRK, io.TIOCSPGRP, io.TIOCSETD]) {
      expect(ioctlValue(job, slave, request)).toBe('ERESTARTSYS');
      expect(signals(job)).toEqual([SIGTTOU]);
    }
  });
  test('a terminal that is not one’s own never stops anybody', () => {
    const { kernel, init, slave } = session();
    const stranger = process(kernel, init, 'new');
    slave.tty.termios.lflag |= TOSTOP;
    slave.flags |= O_NONBLOCK;
    expect(read(stranger, slave)).toBe('WOULD_BLOCK');
    expect(write(stranger, slave, 'x')).toBe(1);
  });
});

describe('the foreground group', () => {
  test('TIOCSPGRP takes groups and processes of the session', () => {
    const { job, shell, slave } = session();
    expect(ioctl(shell, slave, io.TIOCSPGRP, job.group.processGroup.id)).toBe(job.tid);
    expect(ioctl(shell, slave, io.TIOCGPGRP)).toBe(job.tid);
    expect(ioctl(job, slave, io.TIOCGSID)).toBe(shell.tid);
  });
  test('and refuses the rest', () => {
    const { kernel, init, master, shell, slave } = session();
    const stranger = process(kernel, init, 'new');
    expect(ioctl(shell, slave, io.TIOCSPGRP, stranger.tid)).toBe('EPERM');
    expect(ioctl(shell, slave, io.TIOCSPGRP, 31000)).toBe('ESRCH');
    expect(ioctl(shell, slave, io.TIOCSPGRP, -5)).toBe('EINVAL');
    expect(ioctlValue(shell, slave, io.TIOCSPGRP, 8)).toBe('EFAULT');
    for (const request of [io.TIOCSPGRP, io.TIOCGPGRP, io.TIOCGSID])
      expect(ioctl(stranger, slave, request, stranger.tid)).toBe('ENOTTY');
    // The holder of the master may look.
    expect(ioctl(stranger, master, io.TIOCGPGRP)).toBe(shell.tid);
    expect(ioctl(stranger, master, io.TIOCGSID)).toBe(shell.tid);
  });
  test('from an orphaned background group: ENOTTY', () => {
    const { init, job, slave } = session();
    job.group.parent = init.group;
    expect(ioctl(job, slave, io.TIOCSPGRP, job.tid)).toBe('ENOTTY');
  });
  test('gets what is typed as signals, and SIGWINCH when the size really changes', () => {
    const { job, master, shell, slave } = session();
    foreground(slave.tty, job);
    handle(job, SIGWINCH);
    write(shell, master, '\x03\x1a\x1c');
    expect(signals(job)).toEqual([2, 3, 20]);
    expect(ioctl(shell, slave, io.TIOCSWINSZ, (80 << 16) | 24)).toBe((80 << 16) | 24);
    expect(signals(job)).toEqual([SIGWINCH]);
    ioctl(shell, master, io.TIOCSWINSZ, (80 << 16) | 24);
    expect(signals(job)).toEqual([]);
    expect(ioctl(shell, master, io.TIOCGWINSZ)).toBe((80 << 16) | 24);
  });
});

describe('losing it', () => {
  test('TIOCNOTTY by the leader: the session loses it, the foreground gets SIGHUP and SIGCONT', () => {
    const { job, other, shell, slave } = session();
    foreground(slave.tty, job);
    handle(job, SIGCONT);
    expect(ioctlValue(shell, slave, io.TIOCNOTTY)).toBe(0);
    expect([signals(job), signals(other)]).toEqual([[SIGHUP, SIGCONT], []]);
    expect([controllingTty(job.group), slave.tty.session, slave.tty.foregroundId]).toEqual([null, null, 0]);
    expect(ioctlValue(shell, slave, io.TIOCNOTTY)).toBe('ENOTTY');
  });
  test('TIOCNOTTY by another process: only for itself and its future children', () => {
    const { kernel, job, shell, slave } = session();
    expect(ioctlValue(job, slave, io.TIOCNOTTY)).toBe(0);
    expect(controllingTty(job.group)).toBeNull();
    expect(controllingTty(shell.group)).toBe(slave.tty);
    expect(controllingTty(process(kernel, job, 'group').group)).toBeNull();
  });
  test('the leader exits: SIGHUP to the foreground, the terminal is free', () => {
    const { job, shell, slave, kernel } = session();
    foreground(slave.tty, job);
    handle(job, SIGCONT);
    kernel.hooks.groupExit(shell.group);
    expect(signals(job)).toEqual([SIGHUP]);
    expect(slave.tty.session).toBeNull();
  });
  test('hangup: the files are dead, the leader gets SIGHUP and SIGCONT', () => {
    const { job, master, shell, slave } = session();
    handle(shell, SIGCONT);
    foreground(slave.tty, job);
    write(shell, master, 'typed\n');
    expect(ioctlValue(shell, slave, io.TIOCVHANGUP)).toBe(0);
    expect(signals(shell)).toEqual([SIGHUP, SIGCONT]);
    expect([read(shell, slave), write(shell, slave, 'x')]).toEqual(['', 'EIO']);
    expect([ioctl(shell, slave, io.TCGETS), ioctl(shell, slave, io.TIOCSPGRP)]).toEqual(['EIO', 'ENOTTY']);
    expect(slave.poll()).toBe(0x15d);
    expect(controllingTty(shell.group)).toBeNull();
    // Then the leader's end reaches the former foreground.
    handle(job, SIGCONT);
    disassociate(shell.group, true);
    expect(signals(job)).toEqual([SIGHUP, SIGCONT]);
  });
  test('the master is closed: hangup', () => {
    const { master, shell, slave } = session();
    close(master);
    expect(signals(shell)).toEqual([SIGHUP]);
    expect(read(shell, slave)).toBe('');
  });
  test('TIOCVHANGUP and TIOCSTI need privilege', () => {
    const { kernel, init, slave } = session();
    const user = process(kernel, init, 'new', 1000);
    expect(ioctlValue(user, slave, io.TIOCVHANGUP)).toBe('EPERM');
    expect(ioctl(user, slave, io.TIOCSTI, 65)).toBe('EIO');
  });
});
