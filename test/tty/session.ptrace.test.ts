/** Interactive sessions through a real pseudo-terminal: the host's keyboard at one end, a BusyBox shell at the other. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Terminal } from './terminal.js';

const COMMAND = join(import.meta.dirname, '../../dist/bin/levitate-run.cjs');
const PROMPT = '# ';

let terminal: Terminal | undefined;
afterEach(() => {
  if (process.env['LEVITATE_TTY_DEBUG']) console.log(JSON.stringify(terminal?.output));
  terminal?.kill();
});

async function shell(...argv: string[]): Promise<Terminal> {
  terminal = new Terminal([process.execPath, COMMAND, ...(argv.length > 0 ? argv : ['busybox', 'sh'])]);
  if (argv.length === 0) await terminal.see(PROMPT, 60000);
  return terminal;
}
/** Types a command, gives what it printed, without its echo. */
async function run(t: Terminal, line: string): Promise<string> {
  t.type(`${line}\r`);
  await t.see('\r\n');
  return (await t.see(PROMPT)).replaceAll('\r\n', '\n');
}
/** A job that has the terminal: a key typed before that would be the shell's, which ignores ^Z and ^\\. */
async function sleeping(t: Terminal): Promise<void> {
  t.type('sh -c "echo go; exec sleep 100"\r');
  await t.see('\ngo\r\n');
}
async function leave(t: Terminal, status: number): Promise<void> {
  t.type(`exit ${status}\r`);
  expect(await t.ended).toEqual({ status, restored: true });
}

describe('a shell', () => {
  test('knows its terminal', async () => {
    const t = await shell();
    expect(await run(t, 'tty; test -t 0 && test -t 1 && test -t 2; echo $?')).toMatch(/^\/dev\/console\n0\n/);
    expect(await run(t, 'stty -a | head -n 1')).toMatch(/^speed 38400 baud; rows 24; columns 80;/);
    expect(await run(t, 'echo through > /dev/tty')).toMatch(/^through\n/);
    expect(await run(t, 'ps -o pid,tty,args | grep -c "5,1"')).toMatch(/^[2-9]\n/);
    await leave(t, 3);
  });
  test('edits and remembers lines', async () => {
    const t = await shell();
    t.type('echo wrng');
    t.type('\x7f\x7f\x7frong héé\x7f\x7f\x7f\x17right\r');
    await t.see('\r\n');
    expect(await t.see(PROMPT)).toMatch(/^right\r\n/);
    t.type('\x1b[A');
    t.type('\r');
    await t.see(/\r\nright\r\n/);
    await leave(t, 0);
  });
  test('^C interrupts, ^\\ quits, ^D ends the input', async () => {
    const t = await shell();
    await sleeping(t);
    t.type('\x03');
    await t.see('^C');
    await t.see(PROMPT);
    expect(await run(t, 'echo $?')).toMatch(/^130\n/);
    // Not a shell: BusyBox's ignores SIGQUIT until it execs.
    t.type('yes\r');
    await t.see('y\r\ny\r\n');
    t.type('\x1c');
    await t.see('^\\');
    await t.see(PROMPT);
    expect(await run(t, 'echo $?')).toMatch(/^131\n/);
    t.type('sh -c "echo go; exec cat"\r');
    await t.see('\ngo\r\n');
    t.type('ab\x7fc\r');
    await t.see('ab\b \bc\r\nac\r\n');
    t.type('\x04');
    await t.see(PROMPT);
    await leave(t, 0);
  });
  test('stops and continues jobs', async () => {
    const t = await shell();
    // It says when it has been continued: only then it has the terminal.
    t.type(`sh -c 'trap "echo cont" CONT; echo go; while :; do sleep 0.1; done'\r`);
    await t.see('\ngo\r\n');
    t.type('\x1a');
    await t.see('Stopped');
    await t.see(PROMPT);
    expect(await run(t, 'jobs')).toMatch(/\[1\]\+ +Stopped +sh -c/);
    t.type('bg\r');
    await t.see('cont\r\n');
    expect(await run(t, 'jobs')).toMatch(/Running/);
    t.type('fg\r');
    await t.see('cont\r\n');
    t.type('\x03');
    await t.see('^C');
    await t.see(PROMPT);
    expect(await run(t, 'jobs; echo none')).toMatch(/^none/);
    await leave(t, 0);
  });
  test('a background job that reads is stopped', async () => {
    const t = await shell();
    t.type('cat &\r');
    await t.see('\r\n');
    await t.see(PROMPT);
    for (let i = 0; i < 20 && !t.output.includes('tty input'); i++) await run(t, 'sleep 0.1; jobs');
    expect(t.output).toMatch(/Stopped \(tty input\) +cat/);
    // The shell leaves only once it has seen the end of the stopped job.
    await run(t, 'kill -9 %1');
    for (let i = 0; i < 50 && !t.output.includes('Killed'); i++) await run(t, 'sleep 0.1; jobs');
    await leave(t, 0);
  });
  test('hears of a new window size', async () => {
    const t = await shell();
    t.type(`sh -c 'trap "echo resized; exit" WINCH; echo go; while :; do sleep 0.1; done'\r`);
    await t.see('\ngo\r\n');
    t.resize(50, 132);
    await t.see('resized');
    await t.see(PROMPT);
    expect(await run(t, 'stty size')).toMatch(/^50 132\n/);
    await leave(t, 0);
  });
  test('without echo, and raw', async () => {
    const t = await shell();
    t.type('stty -echo; echo go; read x; stty echo; echo "[$x]"\r');
    await t.see('\ngo\r\n');
    t.type('secret\r');
    expect(await t.see(PROMPT)).toBe('[secret]\r\n/ ');
    t.type('stty raw -echo; echo go; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane\r');
    await t.see('\ngo\n');
    t.type('\x03\x04\x1a');
    expect(await t.see(PROMPT)).toMatch(/03 04 1a/);
    await leave(t, 0);
  });
  test('a flood stops at ^C', async () => {
    const t = await shell();
    t.type('yes\r');
    await t.see('y\r\ny\r\n');
    t.type('\x03');
    await t.see('^C');
    await t.see(PROMPT);
    await leave(t, 0);
  });
  test('vi and top draw and end', async () => {
    const t = await shell();
    t.type('vi /tmp/note\r');
    await t.see(/~.*\/tmp\/note/s);
    t.type('ihello from vi\x1b');
    await t.see('hello from vi');
    t.type(':wq\r');
    await t.see(PROMPT);
    expect(await run(t, 'cat /tmp/note')).toMatch(/^hello from vi\n/);
    t.type('top\r');
    await t.see('Load average');
    t.type('q');
    await t.see(PROMPT);
    await leave(t, 0);
  });
  test('script: a pty inside', async () => {
    const t = await shell();
    t.type('script -q /tmp/log\r');
    await t.see('\r\n');
    await t.see(PROMPT);
    expect(await run(t, 'tty')).toMatch(/^\/dev\/pts\/0\n/);
    await sleeping(t);
    t.type('\x03');
    await t.see(PROMPT);
    expect(await run(t, 'echo $?')).toMatch(/^130\n/);
    t.type('exit\r');
    await t.see(PROMPT);
    expect(await run(t, 'tty; ls /dev/pts; grep -c "/dev/pts/0" /tmp/log')).toMatch(/^\/dev\/console\n.*ptmx.*\n1\n/);
    await leave(t, 0);
  });
});

describe('the host terminal', () => {
  test('comes back when the guest is killed', async () => {
    const t = await shell('busybox', 'sh', '-c', 'stty raw; kill -9 $$');
    expect(await t.ended).toEqual({ status: 137, restored: true });
  });
  test.each([
    ['TERM', 143],
    ['KILL', 137],
  ])('comes back when levitate-run gets SIG%s', async (signal, status) => {
    const t = await shell('busybox', 'sh', '-c', `echo up; : ${signal}; exec sleep 1000`);
    await t.see('up\r\n');
    const pid = execFileSync('pgrep', ['-nf', `${COMMAND} busybox sh -c echo up; : ${signal}`])
      .toString()
      .trim();
    execFileSync('kill', [`-${signal}`, pid]);
    expect(await t.ended).toEqual({ status, restored: true });
  });
  test('that goes away takes the session with it', async () => {
    const t = await shell();
    t.type('sleep 1000\r');
    await t.see('\r\n');
    t.hangUp();
    expect((await t.ended).status).toBeGreaterThan(128);
  });
  test('in a pipe only the guest’s bytes come out', async () => {
    const t = await shell('sh', '-c', 'true');
    await t.ended;
    const pipe = new Terminal([
      'sh',
      '-c',
      `"${process.execPath}" "${COMMAND}" busybox ls / | od -c | head -n 3; stty -a | grep -c icanon`,
    ]);
    terminal = pipe;
    expect(await pipe.ended).toEqual({ status: 0, restored: true });
    expect(pipe.output).not.toMatch(/\\r/);
    expect(pipe.output).toMatch(/1\r\n$/);
  });
});
