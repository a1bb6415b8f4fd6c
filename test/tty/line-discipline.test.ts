/** Cases by name, each checked against the host's pty where a pty can show it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { INPUT_BREAK, INPUT_NORMAL, INPUT_PARITY, LineDiscipline } from '../../src/tty/line-discipline.js';
import { ReadProgress } from '../../src/tty/read.js';
import * as t from '../../src/tty/termios.js';
import { HostPty, ModelPty, Sink, hex, setTermios } from './host-pty.js';

let host: HostPty;
beforeAll(() => {
  host = new HostPty();
});
afterAll(() => host.close());

const input = (text: string): string => `I ${Buffer.from(text, 'utf8').toString('hex')}`;
const utf8 = setTermios(0, (x) => (x.iflag |= t.IUTF8));
const raw = (vmin: number, vtime = 0): string =>
  setTermios(0, (x) => {
    x.iflag = x.oflag = x.lflag = 0;
    x.cc[t.VMIN] = vmin;
    x.cc[t.VTIME] = vtime;
  });
const local = (flip: number): string => setTermios(0, (x) => (x.lflag ^= flip));

/** name, commands, and the answers that make the point (index → answer), so that a case cannot pass by doing nothing. */
const cases: [string, string[], Record<number, string>][] = [
  ['a line comes as a whole, ^M is a newline', [input('hello\r'), 'R 100'], { 1: '68656c6c6f0a - -' }],
  ['a long line in pieces', [input('hello\n'), 'R 2', 'R 2', 'R 100'], { 3: '6f0a - -' }],
  ['^D on an empty line is end of file', [input('\x04'), 'P', 'R 100', 'R 100'], { 2: '- - -', 3: 'E11 - -' }],
  ['^D in a line gives the line', [input('abc\x04'), 'R 100', 'R 100'], { 1: '616263 - -', 2: 'E11 - -' }],
  ['a read that ends at ^D swallows it', [input('abc\x04'), 'R 3', 'R 3'], { 1: '616263 - -', 2: 'E11 - -' }],
  ['two ^D are two', [input('abc\x04\x04'), 'R 9', 'R 9', 'R 9'], { 2: '- - -', 3: 'E11 - -' }],
  ['FIONREAD does not count ^D', [input('abc\x04de'), 'Q'], { 1: '3 - -' }],
  ['erase shows as BS SP BS', [input('ab\x7f')], { 0: '0 6162082008 -' }],
  ['erase stops at the line', [input('a\nb\x7f\x7f\x7f')], { 0: '0 610d0a62082008 -' }],
  ['erase of ^A takes two columns', [input('\x01\x7f')], { 0: '0 5e41082008082008 -' }],
  ['erase of a tab', [input('abc\t\x7f')], { 0: '0 616263090808080808 -' }],
  ['erase of a tab behind output', ['W 3e20', input('abc\t\x7f')], { 1: '0 61626309080808 -' }],
  ['erase of é is one column', [utf8, input('é\x7fx\r'), 'R 9'], { 1: '0 c3a9082008780d0a -', 2: '780a - -' }],
  ['erase of é without IUTF8 is a byte', [input('é\x7f\r'), 'R 9'], { 1: 'c30a - -' }],
  ['word erase', [input('foo bar  \x17')], {}],
  ['kill', [input('foo\x15bar\r'), 'R 9'], { 1: '6261720a - -' }],
  ['kill without ECHOKE', [local(t.ECHOKE), input('foo\x15bar\r')], { 1: '0 666f6f5e550d0a6261720d0a -' }],
  ['reprint', [input('foo\x12')], { 0: '0 666f6f5e520d0a666f6f -' }],
  ['literal next', [input('\x16\x03\r'), 'R 9'], { 0: '0 5e085e430d0a -', 1: '030a - -' }],
  ['ECHOPRT', [local(t.ECHOPRT), input('abc\x7f\x7fx\r')], { 1: '0 6162635c63622f780d0a -' }],
  ['ECHONL without ECHO', [local(t.ECHO | t.ECHONL), input('pw\n')], { 1: '0 0d0a -' }],
  ['^C flushes and signals', [input('ab\x03cd\r'), 'R 9'], { 0: '0 5e4363640d0a 2', 1: '63640a - -' }],
  ['^C with NOFLSH keeps the line', [local(t.NOFLSH), input('ab\x03cd\r'), 'R 9'], { 2: '616263640a - -' }],
  ['^\\ and ^Z', [input('\x1c'), input('\x1a')], { 0: '0 5e5c 3', 1: '0 5e5a 20' }],
  ['^S holds, ^Q lets go', [input('\x13'), 'W 6869', 'P', input('\x11'), 'W 6869'], { 1: 'E11 - -', 4: '2 6869 -' }],
  ['TCOOFF is not undone by ^Q', ['X 0', input('\x11'), 'W 6869', 'X 1', 'W 6869'], { 2: 'E11 - -', 4: '2 6869 -' }],
  ['the line that does not fit is cut at 4095', [...long('a', 5000), input('b\n'), 'Q'], { 6: '4096 - -' }],
  ['raw gives bytes at once', [raw(1), input('ab'), 'P', 'R 1', 'R 9'], { 3: '61 - -', 4: '62 - -' }],
  ['raw to canonical: what is there is a line', [raw(1), input('ab'), local(0), 'R 9'], { 3: '6162 - -' }],
  ['canonical to raw: an unfinished line is there', [input('ab'), raw(1), 'R 9'], { 2: '6162 - -' }],
  ['TCSETSF drops', [input('ab\n'), setTermios(2, () => {}), 'R 9'], { 2: 'E11 - -' }],
  ['VMIN 5 in poll', [raw(5), input('abcd'), 'P', input('e'), 'P'], { 2: '4 - -', 4: '5 - -' }],
  ['VMIN 100 counts in 64 bytes', [raw(100), ...long('x', 150), 'R 120', 'R 100'], {}],
  ['VMIN 0 gives nothing rather than EAGAIN', [raw(0), 'R 5'], { 1: '- - -' }],
  ['master speed bits cannot be changed', [setTermios(0, (x) => (x.cflag = t.CS7 | t.PARENB)), 'G'], {}],
  ['flags are kept bit for bit', [setTermios(0, (x) => (x.lflag = 0xffffffff & ~t.EXTPROC)), 'G'], {}],
];

function long(c: string, n: number): string[] {
  return Array.from({ length: Math.ceil(n / 1000) }, (_, i) => input(c.repeat(Math.min(1000, n - i * 1000))));
}

describe('as the host', () => {
  test.each(cases)('%s', async (_name, commands, expected) => {
    const script = ['N', ...commands];
    const mine = new ModelPty().run(script).slice(1);
    for (const [i, answer] of Object.entries(expected)) expect(mine[Number(i)]).toBe(answer);
    let theirs = (await host.run(script)).slice(1);
    if (theirs.join() !== mine.join()) theirs = (await host.run(['D 300000', ...script, 'D 500'])).slice(2, -1);
    expect(mine).toEqual(theirs);
  });
});

/** Blocking reads: commands before, size, milliseconds until a signal; then what the host gives and after how long. */
const blocking: [string, string[], number, number][] = [
  ['MIN>0 TIME=0: waits for MIN, a signal ends it with what came', [raw(5), input('abc')], 9, 300],
  ['MIN>0 TIME=0: nothing came', [raw(5)], 9, 200],
  ['MIN>0 TIME>0: no timer before the first byte', [raw(5, 1)], 9, 300],
  ['MIN>0 TIME>0: the gap ends it', [raw(5, 2), input('abc')], 9, 900],
  ['MIN>0 TIME>0: enough at once', [raw(3, 2), input('abcd')], 9, 900],
  ['MIN=0 TIME>0: the time ends it', [raw(0, 2)], 9, 900],
  ['MIN=0 TIME>0: one byte is enough', [raw(0, 5), input('a')], 9, 900],
  ['MIN=0 TIME=0: at once', [raw(0)], 9, 300],
  ['canonical', [input('abc')], 9, 200],
];
describe('blocking reads as the host', () => {
  test.each(blocking)('%s', async (_name, commands, size, alarmMs) => {
    const theirs = (await host.run(['N', ...commands, `B ${size} ${alarmMs}`])).at(-1)!;
    const [, result, elapsed] = /^([^:]*):(\d+)/.exec(theirs)!;
    const model = new ModelPty();
    model.run(['N', ...commands]);
    const mine = model.blockingRead(size, alarmMs);
    expect(mine.result).toBe(result);
    expect(Math.abs(mine.elapsedMs - Number(elapsed))).toBeLessThan(mine.elapsedMs === 0 ? 100 : 150);
  });
});

describe('what a pty cannot show', () => {
  const make = (change: (termios: t.Termios) => void): { ld: LineDiscipline; sink: Sink } => {
    const termios = t.ptySlaveTermios();
    change(termios);
    const sink = new Sink();
    return { ld: new LineDiscipline(termios, sink), sink };
  };
  const readAll = (ld: LineDiscipline): string => {
    const bytes = new Uint8Array(5000);
    const n = new ReadProgress().attempt(ld, bytes, 5000, 0, true);
    return n === WOULD_BLOCK ? 'nothing' : hex(bytes.subarray(0, n));
  };
  const bytes = Uint8Array.of(0x61, 0x62, 0xff);

  test.each<[string, (x: t.Termios) => void, string]>([
    ['without INPCK a bad byte is data', (x) => (x.iflag = 0), '6162ff'],
    ['INPCK: NUL', (x) => (x.iflag = t.INPCK), '6100ff'],
    ['INPCK IGNPAR: nothing', (x) => (x.iflag = t.INPCK | t.IGNPAR), '61ff'],
    ['INPCK PARMRK: marked, 0xff doubled', (x) => (x.iflag = t.INPCK | t.PARMRK), '61ff0062ffff'],
  ])('%s', (_name, change, expected) => {
    const { ld } = make((x) => {
      x.lflag = 0;
      change(x);
    });
    ld.receive(bytes, 0, 3, Uint8Array.of(INPUT_NORMAL, INPUT_PARITY, INPUT_NORMAL));
    expect(readAll(ld)).toBe(expected);
  });

  test.each<[string, number, string, number[]]>([
    ['IGNBRK', t.IGNBRK | t.BRKINT, 'nothing', []],
    ['BRKINT', t.BRKINT, 'nothing', [2]],
    ['PARMRK', t.PARMRK, 'ff0000', []],
    ['no flag', 0, '00', []],
  ])('break with %s', (_name, iflag, expected, signals) => {
    const { ld, sink } = make((x) => {
      x.lflag = 0;
      x.iflag = iflag;
    });
    ld.receive(Uint8Array.of(0), 0, 1, Uint8Array.of(INPUT_BREAK));
    expect(readAll(ld)).toBe(expected);
    expect(sink.signals).toEqual(signals);
  });

  test('output goes on where the driver had no room', () => {
    const { ld, sink } = make(() => {});
    const text = Buffer.from('ab\ncd\n');
    sink.room = 3;
    const first = ld.write(text, 0, text.length);
    expect(Buffer.from(sink.take()).toString()).toBe('ab');
    expect(first).toBe(2);
    expect(ld.write(text, 2, text.length)).toBe(2);
    expect(Buffer.from(sink.take()).toString()).toBe('\r\nc');
    sink.room = 2;
    expect(ld.write(text, 4, text.length)).toBe(1);
    expect(Buffer.from(sink.take()).toString()).toBe('d');
    expect(ld.write(text, 5, text.length)).toBe(1);
    expect(Buffer.from(sink.take()).toString()).toBe('\r\n');
  });

  test('echoes wait for room and keep their order', () => {
    const { ld, sink } = make(() => {});
    sink.room = 3;
    ld.receive(Buffer.from('a\x01\tb'));
    expect(Buffer.from(sink.take()).toString('latin1')).toBe('a^A');
    ld.output.processEchoes();
    expect(Buffer.from(sink.take()).toString('latin1')).toBe('\tb');
  });

  test('a full buffer takes no more until it is read, and ^S in what waits acts at once', () => {
    const { ld, sink } = make((x) => (x.lflag &= ~t.ECHO));
    ld.receive(Buffer.from('x\n'));
    const text = Buffer.alloc(5000, 'y');
    text[4999] = 0x13;
    const taken = ld.receive(text);
    expect(taken).toBe(4093);
    ld.lookahead(text, taken, text.length);
    expect(ld.output.stopped).toBe(true);
    expect(sink.resumed).toBe(0);
    readAll(ld);
    expect(sink.resumed).toBe(1);
  });

  test('a program that turns IXON off lets held output go', () => {
    const { ld } = make(() => {});
    ld.receive(Uint8Array.of(0x13));
    const old = ld.termios.clone();
    ld.termios.iflag &= ~t.IXON;
    ld.termiosChanged(old);
    expect(ld.output.stopped).toBe(false);
  });
});

describe('struct termios', () => {
  test('sizes', () => {
    expect((['termios', 'termios2', 'termio'] as const).map((form) => new t.Termios().encode(form).length)).toEqual([
      36, 44, 18,
    ]);
  });
  test('the defaults are the host pty’s', async () => {
    expect((await host.run(['N', 'G']))[1]).toBe(new ModelPty().run(['N', 'G'])[1]);
  });
  test('speeds follow the codes, BOTHER the numbers', () => {
    const termios = new t.Termios();
    const asked = new t.Termios();
    asked.cflag = (asked.cflag & ~t.CBAUD) | t.B115200;
    termios.decode(asked.encode('termios2'), 'termios2');
    expect([termios.ispeed, termios.ospeed]).toEqual([115200, 115200]);
    asked.cflag = (asked.cflag & ~t.CBAUD) | t.BOTHER;
    asked.ospeed = 12345;
    termios.decode(asked.encode('termios2'), 'termios2');
    expect([termios.ispeed, termios.ospeed]).toEqual([12345, 12345]);
  });
  test('termio leaves what it does not hold', () => {
    const termios = new t.Termios();
    const asked = new t.Termios();
    asked.cc[t.VINTR] = 1;
    asked.cc[t.VSUSP] = 1;
    asked.iflag = 0;
    termios.iflag = 0x10000;
    termios.decode(asked.encode('termio'), 'termio');
    expect([termios.cc[t.VINTR], termios.cc[t.VSUSP], termios.iflag]).toEqual([1, 26, 0x10000]);
  });
});
