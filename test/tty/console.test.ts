/** The console between a host terminal and a guest session. */
import { describe, expect, test } from '@jest/globals';
import { SIGCONT, SIGHUP, SIGINT, SIGWINCH } from '../../src/abi/flags/signal.js';
import { attachConsole, controllingTty, setControllingTty } from '../../src/tty/index.js';
import * as io from '../../src/abi/flags/ioctl.js';
import * as t from '../../src/tty/termios.js';
import { BASE } from '../ipc/fake.js';
import { FakeHost } from './fake-host.js';
import { blockingRead, handle, ioctl, ioctlValue, openDevice, read, signals, ttyKernel, wake, write } from './fake.js';

const IN = 1;
const OUT = 4;

function console(lazy = false) {
  const { kernel, init } = ttyKernel();
  const host = new FakeHost();
  const tty = attachConsole(kernel, { host, inputFd: 0, outputFd: 1, lazy });
  const file = openDevice(init, 1);
  setControllingTty(init, tty, 2, false);
  const type = (text: string): void => {
    host.input.push(text);
    host.ready(IN);
  };
  return { kernel, init, host, tty, file, type };
}

describe('console', () => {
  test('opening it does not make it the controlling terminal, TIOCSCTTY does', () => {
    const { kernel, init } = ttyKernel();
    const tty = attachConsole(kernel, { host: new FakeHost(), inputFd: 0, outputFd: 1 });
    const file = openDevice(init, 1);
    expect(controllingTty(init.group)).toBeNull();
    expect(ioctlValue(init, file, io.TIOCSCTTY)).toBe(0);
    expect(controllingTty(init.group)).toBe(tty);
  });
  test('without a host terminal: ENODEV', () => {
    const { init } = ttyKernel();
    expect(() => openDevice(init, 1)).toThrow(expect.objectContaining({ name: 'ENODEV' }));
  });
  test('keys are echoed at once and wake the reader at the end of the line', () => {
    const { init, host, file, type } = console();
    expect(host.raw).toBe(true);
    expect(blockingRead(init, file)).toBe('BLOCKED');
    type('hi');
    expect(host.output).toBe('hi');
    expect(wake(init)).toBe('asleep');
    type('\r');
    expect(host.output).toBe('hi\r\n');
    expect(wake(init)).toBe(3);
  });
  test('^C is a signal', () => {
    const { init, host, type } = console();
    type('\x03');
    expect(signals(init)).toEqual([SIGINT]);
    expect(host.output).toBe('^C');
  });
  test('the size is the host’s and follows it', () => {
    const { init, host, tty, file } = console();
    handle(init, SIGWINCH);
    expect(ioctl(init, file, io.TIOCGWINSZ)).toBe((80 << 16) | 24);
    host.size = { rows: 50, columns: 132, xPixels: 0, yPixels: 0 };
    tty.hostResized();
    tty.hostResized();
    expect(signals(init)).toEqual([SIGWINCH]);
    expect(ioctl(init, file, io.TIOCGWINSZ)).toBe((132 << 16) | 50);
  });

  test('a slow host stops the writer; it goes on when the host does', () => {
    const { init, host, file } = console();
    host.room = 100;
    const text = 'x'.repeat(40000);
    // With ONLCR it stops where a newline might not fit any more.
    expect(write(init, file, text)).toBe(16383);
    let more = 0;
    for (let n; (n = write(init, file, 'y')) !== 'WOULD_BLOCK';) more += Number(n);
    expect(more).toBe(100);
    expect([host.waits(OUT), file.poll() & 4]).toEqual([true, 0]);
    host.room = 10000;
    host.ready(OUT);
    expect(host.output.length).toBe(10100);
    expect(host.waits(OUT)).toBe(true);
    expect(write(init, file, 'z')).toBe(1);
    host.room = Infinity;
    host.ready(OUT);
    expect(host.output).toBe(`${'x'.repeat(16383)}${'y'.repeat(100)}z`);
    expect(ioctl(init, file, io.TIOCOUTQ)).toBe(0);
  });
  test('^C takes back what the host has not taken', () => {
    const { init, host, file, type } = console();
    host.room = 5;
    write(init, file, 'hello world');
    type('\x03');
    host.room = Infinity;
    host.ready(OUT);
    expect(host.output).toBe('hello^C');
    expect(signals(init)).toEqual([SIGINT]);
  });
  test('tcdrain and TCSETSW wait for the host', () => {
    const { init, host, file } = console();
    host.room = 2;
    write(init, file, 'abc');
    expect(ioctl(init, file, io.TIOCOUTQ)).toBe(1);
    expect(ioctlValue(init, file, io.TCSBRK, 1)).toBe('BLOCKED');
    expect(wake(init)).toBe('asleep');
    host.room = Infinity;
    host.ready(OUT);
    expect(wake(init)).toBe(0);
    host.room = 0;
    write(init, file, 'd');
    ioctlValue(init, file, io.TCGETS, BASE);
    init.mm.writeU32(BASE + 12, t.ICANON);
    expect(ioctlValue(init, file, io.TCSETSW, BASE)).toBe('BLOCKED');
    expect(file.tty.termios.lflag).not.toBe(t.ICANON);
    host.room = Infinity;
    host.ready(OUT);
    expect(wake(init)).toBe(0);
    expect(file.tty.termios.lflag).toBe(t.ICANON);
    expect(file.references).toBe(1);
  });

  test('input nobody reads stays with the host', () => {
    const { init, host, file, type } = console();
    const raw = file.tty.termios.clone();
    raw.lflag = 0;
    file.tty.setTermios(raw);
    type('a'.repeat(4000));
    expect(host.waits(IN)).toBe(true);
    type('b'.repeat(4000));
    expect(host.waits(IN)).toBe(false);
    expect(read(init, file, 2000)).toBe('a'.repeat(2000));
    expect(host.waits(IN)).toBe(false);
    expect(read(init, file, 2000)).toBe('a'.repeat(2000));
    expect(host.waits(IN)).toBe(true);
    expect(read(init, file, 5000)).toBe('b'.repeat(4000));
  });
  test('^S in what waits holds the output at once, ^Q lets it go', () => {
    const { init, host, file, type } = console();
    const raw = file.tty.termios.clone();
    raw.lflag = 0;
    file.tty.setTermios(raw);
    type('a'.repeat(4095));
    type('b\x13');
    expect(write(init, file, 'held')).toBe('WOULD_BLOCK');
    read(init, file, 5000);
    expect(write(init, file, 'held')).toBe('WOULD_BLOCK');
    type('\x11');
    expect(write(init, file, 'free')).toBe(4);
    expect(host.output).toBe('free');
  });

  test.each([
    ['the end of input', 0],
    ['an error', -5],
  ])('%s on the host is a hangup', (_name, how) => {
    const { init, host, tty, file } = console();
    handle(init, SIGCONT);
    expect(blockingRead(init, file)).toBe('BLOCKED');
    host.input.push(how);
    host.ready(IN);
    expect(signals(init)).toEqual([SIGHUP, SIGCONT]);
    expect(wake(init)).toBe(0);
    expect([read(init, file), write(init, file, 'x')]).toEqual(['', 'EIO']);
    tty.close();
    expect(host.raw).toBe(false);
  });
  test('drained', () => {
    const { init, host, tty, file } = console();
    let done = 0;
    tty.whenDrained(() => done++);
    expect(done).toBe(1);
    host.room = 1;
    write(init, file, 'ab');
    tty.whenDrained(() => done++);
    expect(done).toBe(1);
    host.room = 1;
    host.ready(OUT);
    expect([done, host.output]).toEqual([2, 'ab']);
  });
  test('close gives the terminal back and hears no more', () => {
    const { host, tty } = console();
    tty.close();
    tty.close();
    expect([host.raw, host.waits(IN)]).toEqual([false, false]);
  });
  test('lazy: the host terminal is left alone until somebody wants input', () => {
    const { init, host, file } = console(true);
    write(init, file, 'out\n');
    // The host's own discipline adds the CR.
    expect([host.raw, host.waits(IN), host.output]).toEqual([false, false, 'out\n']);
    expect(blockingRead(init, file)).toBe('BLOCKED');
    expect([host.raw, host.waits(IN)]).toEqual([true, true]);
  });
});
