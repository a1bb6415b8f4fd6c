// An interactive shell on a real pseudo-terminal: line editing, job control, full-screen programs, window size; and the
// host's terminal is as it was before, however the command ends.
import { describe, expect, test } from '@jest/globals';
import { checked, compile, levitate, LEVITATE, Run, scratch, withoutWarning } from './leaks.js';

checked();

const PROMPT = /[^\r\n]*# (\x1b\[6n)?$/;
const UP = '\x1b[A';
const DOWN = '\x1b[B';
const RIGHT = '\x1b[C';
const LEFT = '\x1b[D';
const HOME = '\x1b[H';
const END = '\x1b[F';
const DELETE = '\x1b[3~';
const ESC = '\x1b';

const SIGINT = 2;
const SIGQUIT = 3;
const SIGKILL = 9;
const SIGTERM = 15;

/** ICANON, ECHO and ISIG of a struct termios in hex: what raw mode clears. */
const cooked = (termios: string): number => Buffer.from(termios, 'hex').readUInt32LE(12) & 0o13;

async function shell(size: readonly [number, number] = [24, 80], options: readonly string[] = []): Promise<Run> {
  const run = new Run([...LEVITATE, ...options, 'busybox', 'sh'], { tty: size });
  await run.expect(PROMPT);
  return run;
}

/** Types a command; its output without the echo and the next prompt. */
async function type(run: Run, line: string): Promise<string> {
  run.send(`${line}\r`);
  await run.expect('\r\n');
  return (await run.expect(PROMPT)).replace(PROMPT, '').replaceAll('\r\n', '\n');
}

/** Starts a command that does not end. The shell has given the terminal back its modes before it runs anything. */
async function begin(run: Run, line: string): Promise<void> {
  run.send(`echo be''gun; ${line}\r`);
  await run.expect('\r\nbegun\r\n');
  await pause(200);
}

async function leave(run: Run): Promise<void> {
  run.send('exit 0\r');
  expect(await run.ended).toMatchObject({ status: 0, stderr: '' });
  restored(run);
}

/** The last state of the host's terminal is its first. */
function restored(run: Run): void {
  expect(run.termios.length).toBeGreaterThan(1);
  expect(run.termios.at(-1)).toBe(run.termios[0]);
}

describe('the shell', () => {
  test('prompt, echo, exit status', async () => {
    const run = await shell();
    run.send('echo a"b"c');
    expect(await run.expect('echo a"b"c')).toBe('echo a"b"c');
    run.send('\r');
    await run.expect('abc\r\n');
    await run.expect(PROMPT);
    expect(await type(run, 'tty; test -t 0 && test -t 1 && test -t 2; echo $?')).toBe('/dev/console\n0\n');
    run.send('exit 7\r');
    expect(await run.ended).toMatchObject({ status: 7 });
    restored(run);
  });

  test('line editing: arrows, home, end, delete, backspace, ^A ^E ^K ^U ^W', async () => {
    const run = await shell();
    expect(await type(run, `echo ac${LEFT}b`)).toBe('abc\n');
    expect(await type(run, `ho 1${HOME}ec${END}2`)).toBe('12\n');
    expect(await type(run, `echo xyz${LEFT}${LEFT}${DELETE}`)).toBe('xz\n');
    expect(await type(run, 'echo wrong\x7f\x7f\x7f\x7f\x7fright')).toBe('right\n');
    expect(await type(run, 'garbage\x15echo clean')).toBe('clean\n');
    expect(await type(run, 'echo one two\x17three')).toBe('one three\n');
    expect(await type(run, `echo 1 2 3${LEFT}${LEFT}\x0b`)).toBe('1 2\n');
    expect(await type(run, 'cho front\x01e\x05!')).toBe('front!\n');
    expect(await type(run, `echo a${LEFT}${RIGHT}b`)).toBe('ab\n');
    await leave(run);
  });

  test('history', async () => {
    const run = await shell();
    await type(run, 'echo first');
    await type(run, 'echo second');
    expect(await type(run, UP)).toBe('second\n');
    expect(await type(run, UP + UP)).toBe('first\n');
    expect(await type(run, UP + UP + UP + DOWN + '\x7f\x7f\x7f\x7f\x7fedited')).toBe('sedited\n');
    expect(await type(run, 'history | tail -n 4 | sed "s/^ *[0-9]* //"')).toMatch(/^echo \w+\n(.*\n){3}$/);
    await leave(run);
  });

  test('tab completion', async () => {
    const run = await shell();
    await type(run, 'mkdir -p /tmp/longname/inner');
    expect(await type(run, 'cd /tm\tlongn\tinn\t; pwd')).toBe('/tmp/longname/inner\n');
    expect(await type(run, 'basen\t/a/b')).toBe('b\n');
    await leave(run);
  });

  test('^C ends the foreground job (130) and clears the line; ^\\ quits one (131)', async () => {
    const run = await shell();
    await begin(run, 'sleep 100');
    run.send('\x03');
    await run.expect(/\^C[^]*# (\x1b\[6n)?$/);
    expect(await type(run, 'echo $?')).toBe('130\n');
    run.send('echo never\x03');
    await run.expect(PROMPT);
    expect(await type(run, 'echo next')).toBe('next\n');
    await begin(run, 'cat');
    run.send('\x1c');
    await run.expect(/\^\\Quit[^]*# (\x1b\[6n)?$/);
    expect(await type(run, 'echo $?')).toBe('131\n');
    await leave(run);
  });

  test('^C in a loop of the shell itself, and in a pipeline', async () => {
    const run = await shell();
    await begin(run, 'while :; do :; done');
    run.send('\x03');
    await run.expect(PROMPT);
    run.send("yes | { echo be''gun >&2; exec cat > /dev/null; }\r"); // both are there once the second says so
    await run.expect('\r\nbegun\r\n');
    run.send('\x03');
    await run.expect(PROMPT);
    expect(await type(run, 'echo $?; ps | grep -c "[y]es"')).toBe('130\n0\n');
    await leave(run);
  });

  test('^Z, jobs, bg, fg', async () => {
    const run = await shell();
    await begin(run, 'sleep 300');
    run.send('\x1a');
    await run.expect(/\[1\]\+ +Stopped +sleep 300\r\n[^\n]*# /);
    expect(await type(run, 'jobs')).toMatch(/^\[1\]\+ +Stopped +sleep 300\n$/);
    expect(await type(run, 'grep State /proc/$(pidof sleep)/status')).toBe('State:\tT (stopped)\n');
    expect(await type(run, 'bg')).toMatch(/^\[1\] sleep 300\n$/);
    expect(await type(run, 'jobs')).toMatch(/^\[1\]\+ +Running +sleep 300\n$/);
    run.send('fg\r');
    await run.expect('sleep 300\r\n');
    await pause(300);
    run.send('\x03');
    await run.expect(PROMPT);
    expect(await type(run, 'echo $?; jobs')).toBe('130\n');
    await leave(run);
  });

  test('a background job that reads the terminal stops', async () => {
    const run = await shell();
    await type(run, 'cat &');
    await pause(300);
    expect(await type(run, 'jobs')).toMatch(/Stopped \(tty input\) +cat\n/);
    expect(await type(run, 'kill %1; fg >/dev/null; echo $?')).toMatch(/143\n$/);
    await leave(run);
  });

  test('^D ends a reader, then the shell', async () => {
    const run = await shell();
    await begin(run, 'cat');
    run.send('line\r');
    await run.expect('line\r\nline\r\n');
    run.send('half\x04\x04');
    await run.expect(/halfhalf[^\n]*# /);
    run.send('\x04');
    expect((await run.ended).status).toBe(0);
    restored(run);
  });

  test('canonical editing by the terminal itself: ^U ^W backspace, and ^V', async () => {
    const run = await shell();
    await begin(run, 'cat');
    run.send('garbage\x15one two\x17thre\x7feee\x7f\x7f\x16\x03\r');
    await run.expect('\r\none thre\x03\r\n');
    run.send('\x04');
    await run.expect(PROMPT);
    await leave(run);
  });
});

describe('terminal settings', () => {
  test('stty -a shows those of a fresh terminal', async () => {
    const run = await shell([30, 100]);
    const text = await type(run, 'stty -a');
    expect(text).toMatch(/rows 30; columns 100;/);
    expect(text).toMatch(/intr = \^C; quit = \^\\; erase = \^\?; kill = \^U; eof = \^D;/);
    for (const flag of ['isig', 'icanon', 'iexten', 'echo', 'echoe', 'echok', 'icrnl', 'ixon', 'opost', 'onlcr', 'cs8'])
      expect(text).toMatch(new RegExp(`(^|\\s)${flag}(\\s|$)`, 'm'));
    await leave(run);
  });

  test('stty size follows the window, and SIGWINCH comes', async () => {
    const run = await shell();
    expect(await type(run, 'stty size')).toBe('24 80\n');
    await type(run, "trap 'echo changed' WINCH");
    run.tell('size 40 132');
    await pause(500);
    expect(await type(run, ':')).toMatch(/changed|^$/);
    expect(run.output).toContain('changed');
    expect(await type(run, 'stty size')).toBe('40 132\n');
    await leave(run);
  });

  test('stty -echo hides what is typed, read -s too', async () => {
    const run = await shell();
    run.send('read -s secret\r');
    await run.expect('read -s secret\r\n');
    await pause(300);
    run.send('hidden\r');
    await run.expect(PROMPT);
    expect(run.output).not.toContain('hidden');
    expect(await type(run, 'echo "<$secret>"')).toBe('<hidden>\n');
    run.send("sh -c 'stty -echo; echo off; read x; stty echo; echo =$x='\r");
    await run.expect('\r\noff\r\n');
    run.send('quiet\r');
    expect(await run.expect(/=quiet=\r\n/)).not.toMatch(/^quiet/);
    await run.expect(PROMPT);
    await leave(run);
  });

  test('raw mode of a guest: one byte at a time, ^C is a byte', async () => {
    const run = await shell();
    run.send('stty raw -echo; echo on; head -c 3 | od -An -tx1; stty sane\r');
    await run.expect('on\n');
    run.send('a\x03\x1a');
    await run.expect('61 03 1a');
    await run.expect(PROMPT);
    expect(await type(run, 'echo sane')).toBe('sane\n');
    await leave(run);
  });

  test('read -t gives up, read -n takes one key', async () => {
    const run = await shell();
    expect(await type(run, 'read -t 1 x; echo $?')).toMatch(/^[1-9]\d*\n$/);
    run.send('read -n 1 key; echo "<$key>"\r');
    await run.expect('"\r\n');
    await pause(300);
    run.send('k');
    await run.expect('<k>');
    await run.expect(PROMPT);
    await leave(run);
  });

  test('the host terminal is raw while the guest runs', async () => {
    const run = await shell();
    expect(cooked(run.termios[0])).not.toBe(0);
    expect(cooked(await run.termiosNow())).toBe(0);
    await leave(run);
  });
});

describe('full-screen programs', () => {
  test('vi edits and saves a file', async () => {
    const run = await shell();
    await type(run, 'printf "one\\ntwo\\nthree\\n" > /tmp/f');
    run.send('vi /tmp/f\r');
    await run.expect(/'?\/tmp\/f'? [^]*1\/3/);
    run.send('jddihello \x1b');
    await pause(500);
    run.send('Gofour' + ESC);
    await pause(500);
    run.send(':wq\r');
    await run.expect(PROMPT);
    expect(await type(run, 'cat /tmp/f')).toBe('one\nhello three\nfour\n');
    expect(await type(run, 'stty -a | grep -c "[^-]icanon"')).toBe('1\n');
    await leave(run);
  });

  test('vi redraws after a resize', async () => {
    const run = await shell([10, 40]);
    await type(run, 'seq 1 100 > /tmp/f');
    run.send('vi /tmp/f\r');
    await run.expect(/1\/100/);
    expect(run.output).not.toMatch(/^\s*15\s*$/m);
    run.tell('size 30 40');
    await run.expect(/\b29\b/);
    run.send(':q\r');
    await run.expect(PROMPT);
    await leave(run);
  });

  test('top -b -n1', async () => {
    const run = await shell();
    const text = await type(run, 'top -b -n1');
    expect(text).toMatch(/^Mem: \d+K used, \d+K free/);
    expect(text).toMatch(/\n +1 +0 root +S .*busybox sh/);
    expect(text).toMatch(/ R .*top -b -n1/);
    await leave(run);
  });

  test('interactive top, then q', async () => {
    const run = await shell();
    run.send('top\r');
    await run.expect(/PID +PPID +USER/);
    await run.expect(/top/);
    run.send('q');
    await run.expect(PROMPT);
    expect(await type(run, 'echo $?')).toBe('0\n');
    await leave(run);
  });

  test('less pages', async () => {
    const run = await shell([10, 40]);
    run.send('seq 1 50 | less\r');
    await run.expect(/\n?9\b/);
    run.send(' ');
    await run.expect(/18\b/);
    run.send('q');
    await run.expect(PROMPT);
    await leave(run);
  });

  test('much output while typing ahead', async () => {
    const run = await shell();
    run.send('seq 1 20000\recho ahead\r');
    await run.expect('\r\n20000\r\n');
    await run.expect('\r\nahead\r\n');
    await run.expect(PROMPT);
    const numbers = run.output.match(/^\d+\r$/gm)!.map(Number);
    expect(numbers).toEqual(Array.from({ length: 20000 }, (_, i) => i + 1));
    await leave(run);
  });
});

describe('the host terminal is restored', () => {
  test('after an exit by signal', async () => {
    const run = await shell();
    run.send('kill -KILL $$\r');
    expect((await run.ended).status).toBe(137);
    restored(run);
  });

  test('after --timeout', async () => {
    const run = new Run([...LEVITATE, '--timeout', '1s', 'busybox', 'cat'], { tty: [24, 80] });
    expect((await run.ended).status).toBe(124);
    restored(run);
  });

  test('after an error of ours', async () => {
    const run = new Run([...LEVITATE, 'no-such-program'], { tty: [24, 80] });
    expect(await run.ended).toMatchObject({ status: 127, stdout: expect.stringContaining('not found') });
    restored(run);
  });

  test('after a guest that left it raw', async () => {
    const run = new Run([...LEVITATE, 'busybox', 'sh', '-c', 'stty raw -echo; exit 4'], { tty: [24, 80] });
    expect((await run.ended).status).toBe(4);
    restored(run);
  });

  test('SIGTERM goes to process 1, an interactive shell that ignores it', async () => {
    const run = await shell();
    run.kill(SIGTERM);
    await pause(300);
    expect(await type(run, 'echo still')).toBe('still\n');
    await leave(run);
  });

  test.each([
    ['SIGTERM', SIGTERM],
    ['SIGINT', SIGINT],
    ['SIGQUIT', SIGQUIT],
  ])('after %s to a command that does not ignore it', async (_name, signal) => {
    const run = new Run([...LEVITATE, 'busybox', 'sh', '-c', 'echo up; exec sleep 100'], { tty: [24, 80] });
    await run.expect('up');
    expect(cooked(await run.termiosNow())).toBe(0);
    // ash loses a signal that arrives on its way into exec, on a real Linux too.
    run.kill(signal);
    const again = setInterval(() => run.kill(signal), 500);
    const { status } = await run.ended.finally(() => clearInterval(again));
    expect(status).toBe(128 + signal);
    restored(run);
  });

  test('after SIGKILL: the guard does it, and the guests are gone within a second', async () => {
    const run = await shell();
    await type(run, 'sleep 100 & sleep 200 &');
    expect(await run.tree()).toMatchObject({ 'levitate-stub': expect.any(Number), 'levitate-guard': 1 });
    run.kill(SIGKILL);
    expect(await run.ended).toMatchObject({ status: null, signal: SIGKILL });
    expect(run.leftMs).toBeLessThan(1000);
    restored(run);
  });

  test('after the window is closed', async () => {
    const run = await shell();
    await type(run, 'sleep 100 &');
    run.tell('hangup');
    const { status, signal } = await run.ended;
    expect([status, signal]).toEqual([129, null]);
  });

  test('a shell of the host around it: ^C inside does not reach it, its terminal works afterwards', async () => {
    const script = `${LEVITATE.join(' ')} busybox sh; echo "host $?"; stty -a | grep -o '.icanon'; read line; echo "<$line>"`;
    const run = new Run(['bash', '-c', script], { tty: [24, 80] });
    await run.expect(PROMPT);
    await begin(run, 'sleep 100');
    run.send('\x03');
    await run.expect(PROMPT);
    run.send('exit 9\r');
    await run.expect(/host 9\r\n icanon\r\n/);
    run.send('typed\r');
    await run.expect('<typed>');
    expect((await run.ended).status).toBe(0);
    restored(run);
  });

  test('only the output is a terminal', async () => {
    const out = new Run(['bash', '-c', `echo in | ${LEVITATE.join(' ')} busybox cat`], { tty: [24, 80] });
    const { status, stdout } = await out.ended;
    expect([status, withoutWarning(stdout)]).toEqual([0, 'in\r\n']);
    restored(out);
  });

  test('only the input is a terminal', async () => {
    const run = new Run(['bash', '-c', `${LEVITATE.join(' ')} busybox head -1 | cat -A`], { tty: [24, 80] });
    await pause(500);
    run.send('typed\r');
    await run.expect('typed$');
    expect((await run.ended).status).toBe(0);
    restored(run);
  });
});

describe('an init', () => {
  test('gives the console to its shells; poweroff ends everything', async () => {
    const run = new Run([...LEVITATE, 'busybox', 'init'], { tty: [24, 80] });
    await run.expect(PROMPT);
    expect(run.output).not.toMatch(/job control turned off/);
    expect(await type(run, 'ps -o pid,sid,tty,args | grep "init$\\|-/bin/sh$" | tr -s " "')).toMatch(
      /^ 1 1 \? .*init\n \d+ \d+ 5,1 -\/bin\/sh\n$/,
    );
    await begin(run, 'sleep 100');
    run.send('\x1a');
    await run.expect(PROMPT);
    await begin(run, 'fg');
    run.send('\x03');
    await run.expect(PROMPT);
    // A new shell takes the old one's place.
    const first = await type(run, 'echo $$');
    run.send('exit\r');
    await run.expect(PROMPT);
    expect(await type(run, 'echo $$')).not.toBe(first);
    await begin(run, 'sleep 100');
    run.send('\x03');
    await run.expect(PROMPT);
    run.send('poweroff\r');
    await run.expect('Requesting system poweroff');
    expect((await run.ended).status).toBe(0);
    restored(run);
  });

  test('setsid of process 1 succeeds once', async () => {
    compile(
      '#include <unistd.h>\n#include <stdio.h>\n#include <errno.h>\n' +
        'int main() { int a = setsid(); int b = setsid(); printf("%d %d %d\\n", a, b, errno); }',
      'root/setsid',
    );
    expect((await levitate(['--root', scratch('root'), '/setsid'])).stdout).toBe('1 -1 1\n');
  });
});

/** For what cannot be seen from outside: a command has been started and waits. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
