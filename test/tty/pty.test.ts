/** Pseudo-terminals: both ends, their life, packet mode, devpts. */
import { describe, expect, test } from '@jest/globals';
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { blockingRead, close, ioctl, ioctlValue, openDevice, openPty, outcome, process, read } from './fake.js';
import { signals, ttyKernel, wake, write } from './fake.js';
import { BASE } from '../ipc/fake.js';
import { devpts, devptsType } from '../../src/tty/devpts.js';
import { IoBuffer } from '../../fs/guest-buffer.js';
import * as io from '../../src/abi/flags/ioctl.js';
import * as t from '../../src/tty/termios.js';

const IN = POLLIN | POLLRDNORM;
const OUT = POLLOUT | POLLWRNORM;
const O_NONBLOCK = 0o4000;

function pty(slaveFlags?: number) {
  const { kernel, init } = ttyKernel();
  const task = process(kernel, init, 'new');
  return { kernel, init, task, ...openPty(task, slaveFlags) };
}

describe('data', () => {
  test('what is typed is echoed and read; what is printed arrives', () => {
    const { task, master, slave } = pty();
    expect(write(task, master, 'hi\n')).toBe(3);
    expect(read(task, master)).toBe('hi\r\n');
    expect(read(task, slave)).toBe('hi\n');
    write(task, slave, 'out\n');
    expect(read(task, master)).toBe('out\r\n');
  });
  test('poll', () => {
    const { task, master, slave } = pty();
    expect([master.poll(), slave.poll()]).toEqual([OUT, OUT]);
    write(task, master, 'h');
    expect([master.poll(), slave.poll()]).toEqual([IN | OUT, OUT]);
    write(task, master, '\n');
    expect(slave.poll()).toBe(IN | OUT);
  });
  test('a reader sleeps until a line is there', () => {
    const { task, master, slave } = pty();
    expect(blockingRead(task, slave)).toBe('BLOCKED');
    write(task, master, 'ab');
    expect(wake(task)).toBe('asleep');
    write(task, master, 'c\n');
    expect(wake(task)).toBe(4);
  });
  test('VTIME ends a read after the last byte', () => {
    const { kernel, task, master, slave } = pty();
    const { termios } = slave.tty;
    const raw = termios.clone();
    raw.lflag = 0;
    raw.cc[t.VMIN] = 9;
    raw.cc[t.VTIME] = 5;
    slave.tty.setTermios(raw);
    let now = 1e9;
    kernel.clock.monotonicNs = () => now;
    expect(blockingRead(task, slave)).toBe('BLOCKED');
    now += 9e9;
    expect(wake(task)).toBe('asleep');
    write(task, master, 'ab');
    expect(wake(task)).toBe('asleep');
    now += 0.4e9;
    write(task, master, 'c');
    expect(wake(task)).toBe('asleep');
    now += 0.4e9;
    expect(wake(task)).toBe('asleep');
    now += 0.2e9;
    expect(wake(task)).toBe(3);
  });
  test('nobody reads: a writer stops, and goes on when there is room', () => {
    const { task, master, slave } = pty();
    slave.flags |= O_NONBLOCK;
    const raw = slave.tty.termios.clone();
    raw.oflag = 0;
    slave.tty.setTermios(raw);
    let sent = 0;
    for (let n; typeof (n = write(task, slave, Buffer.alloc(5000, sent))) === 'number';) sent += n;
    expect(sent).toBe(4095 + 16384);
    expect(slave.poll()).toBe(0);
    let got = 0;
    for (let text; typeof (text = read(task, master, 3000)) === 'string' && text !== 'WOULD_BLOCK';) got += text.length;
    expect(got).toBe(sent);
    expect(slave.poll()).toBe(OUT);
  });
  test('a wrong pointer', () => {
    const { task, master, slave } = pty();
    write(task, master, 'x\n');
    expect(outcome(() => slave.read(task, new IoBuffer().single(task.mm, 8, 5, true)))).toBe('EFAULT');
    expect(outcome(() => slave.write(task, new IoBuffer().single(task.mm, 8, 5, false)))).toBe('EFAULT');
    expect(ioctlValue(task, slave, io.TCGETS, 8)).toBe('EFAULT');
    expect(ioctlValue(task, slave, io.FIONREAD, 8)).toBe('EFAULT');
    expect(ioctlValue(task, slave, io.TIOCSWINSZ, 8)).toBe('EFAULT');
    expect(ioctlValue(task, slave, 0x12345678)).toBe('ENOTTY');
  });
});

describe('life', () => {
  test('locked until TIOCSPTLCK', () => {
    const { kernel, init } = ttyKernel();
    const master = openDevice(init, 2);
    expect(ioctl(init, master, io.TIOCGPTLCK)).toBe(1);
    expect(outcome(() => openDevice(init, { pts: 0 }) && 0)).toBe('EIO');
    ioctl(init, master, io.TIOCSPTLCK, 0);
    expect(openDevice(init, { pts: 0 }).tty.name).toBe('pts/0');
    expect(devpts(kernel).nodes.size).toBe(1);
  });
  test('numbers are the lowest free ones, and names go with the master', () => {
    const { kernel, init, master } = pty();
    const second = openDevice(init, 2);
    expect([ioctl(init, master, io.TIOCGPTN), ioctl(init, second, io.TIOCGPTN)]).toEqual([0, 1]);
    close(master);
    expect([...devpts(kernel).nodes.keys()]).toEqual([1]);
    expect(ioctl(init, openDevice(init, 2), io.TIOCGPTN)).toBe(0);
  });
  test('before a slave was open the master may read and write; after the last one it gets EIO', () => {
    const { init } = ttyKernel();
    const master = openDevice(init, 2);
    expect(read(init, master)).toBe('WOULD_BLOCK');
    write(init, master, 'early\n');
    ioctl(init, master, io.TIOCSPTLCK, 0);
    const slave = openDevice(init, { pts: 0 });
    expect(read(init, slave)).toBe('early\n');
    write(init, slave, 'last words');
    close(slave);
    expect(read(init, master)).toBe('early\r\nlast words');
    expect(read(init, master)).toBe('EIO');
    expect(master.poll() & POLLHUP).toBe(POLLHUP);
    const again = openDevice(init, { pts: 0 });
    expect(read(init, master)).toBe('WOULD_BLOCK');
    close(again);
  });
  test('the master’s end wakes a sleeping slave with end of file', () => {
    const { task, master, slave } = pty();
    expect(blockingRead(task, slave)).toBe('BLOCKED');
    close(master);
    expect(wake(task)).toBe(0);
  });
  test('exclusive use', () => {
    const { kernel, init, task, slave } = pty();
    expect(ioctlValue(task, slave, io.TIOCEXCL)).toBe(0);
    expect(ioctl(task, slave, io.TIOCGEXCL)).toBe(1);
    expect(outcome(() => openDevice(process(kernel, init, 'new', 1000), { pts: 0 }) && 0)).toBe('EBUSY');
    expect(openDevice(task, { pts: 0 })).toBeDefined();
  });
  test('termios of the master is the slave’s', () => {
    const { task, master, slave } = pty();
    slave.tty.termios.lflag = t.ICANON;
    expect(ioctlValue(task, master, io.TCGETS, BASE)).toBe(0);
    expect(task.mm.readU32(BASE + 12)).toBe(t.ICANON);
    task.mm.writeU32(BASE + 12, t.ICANON | t.ECHO);
    expect(ioctlValue(task, master, io.TCSETS, BASE)).toBe(0);
    expect(slave.tty.termios.lflag).toBe(t.ICANON | t.ECHO);
  });
  test('TIOCSIG', () => {
    const { task, master } = pty(2);
    expect(ioctlValue(task, master, io.TIOCSIG, 9)).toBe('EINVAL');
    expect(ioctlValue(task, master, io.TIOCSIG, 3)).toBe(0);
    expect(signals(task)).toEqual([3]);
  });
});

describe('packet mode', () => {
  const on = () => {
    const all = pty();
    expect(ioctl(all.task, all.master, io.TIOCPKT, 1)).toBe(1);
    expect(ioctl(all.task, all.master, io.TIOCGPKT)).toBe(1);
    return all;
  };
  test('data comes behind a 0', () => {
    const { task, master, slave } = on();
    write(task, slave, 'abc');
    expect(read(task, master, 3)).toBe('\0ab');
    expect(read(task, master)).toBe('\0c');
    expect(read(task, master)).toBe('WOULD_BLOCK');
  });
  test('events come alone, first, and with POLLPRI', () => {
    const { task, master, slave } = on();
    write(task, slave, 'abc');
    ioctlValue(task, slave, io.TCFLSH, t.TCIFLUSH);
    ioctlValue(task, slave, io.TCXONC, t.TCOOFF);
    expect(master.poll() & POLLPRI).toBe(POLLPRI);
    expect(read(task, master)).toBe('\x05');
    ioctlValue(task, slave, io.TCXONC, t.TCOON);
    expect(read(task, master)).toBe('\x08');
    expect(read(task, master)).toBe('\0abc');
    expect(master.poll()).toBe(OUT);
  });
  test('a program that changes flow control says so', () => {
    const { task, master, slave } = on();
    const termios = slave.tty.termios.clone();
    termios.iflag &= ~t.IXON;
    slave.tty.setTermios(termios);
    expect(read(task, master)).toBe('\x10');
    termios.iflag |= t.IXON;
    slave.tty.setTermios(termios);
    expect(read(task, master)).toBe('\x20');
  });
});

describe('devpts', () => {
  test('names, numbers and modes', () => {
    const { kernel, init, index } = pty();
    const { root, nodes, ptmx } = devptsType.get(kernel, {
      source: '',
      data: 'gid=5,mode=620,ptmxmode=666',
      flags: 0,
      task: init,
    }) as ReturnType<typeof devpts>;
    expect(root.lookup!('0', init)).toBe(nodes.get(index));
    expect([root.lookup!('1', init), root.lookup!('00', init), root.lookup!('x', init)]).toEqual([null, null, null]);
    expect(ptmx.mode).toBe(0o20666);
    openDevice(init, 2);
    const node = nodes.get(1)!;
    expect([node.mode, node.gid, node.rdevMajor, node.rdevMinor]).toEqual([0o20620, 5, 136, 1]);
    const names: string[] = [];
    root.iterate!(2, init, (name) => names.push(name) > 0);
    expect(names).toEqual(['ptmx', '0', '1']);
  });
  test('wrong options', () => {
    const { kernel, init } = ttyKernel();
    for (const data of ['mode=8', 'size=3', 'max=99999', 'uid=-1'])
      expect(outcome(() => devptsType.get(kernel, { source: '', data, flags: 0, task: init }) && 0)).toBe('EINVAL');
  });
  test('max', () => {
    const { kernel, init } = ttyKernel();
    devpts(kernel).remount('max=2');
    openDevice(init, 2);
    openDevice(init, 2);
    expect(outcome(() => openDevice(init, 2) && 0)).toBe('ENOSPC');
  });
});
