/** Lines, not arguments: interleaving, prefixes, signals, exits; and the summary table. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SIGINFO } from '../../src/abi/layouts/signal.js';
import { writeField } from '../../src/abi/layout.js';
import { StraceWriter } from '../../src/trace/strace.js';
import { DEFAULT_STYLE, FULL_STYLE } from '../../src/trace/style.js';
import { Summary, summaryText } from '../../src/trace/summary.js';
import { ROWS } from '../../syscalls/table.js';
import { available } from './golden.js';

const row = (name: string) => ROWS.find((r) => r.name === name)!;
const check = available('strace') && available('gcc') ? test : test.skip;

function setup(prefix: 'auto' | 'always' | 'never' = 'auto') {
  const page = new Uint8Array(256);
  let out = '';
  const writer = new StraceWriter({
    arch: 'x86_64',
    prefix,
    write: (s) => (out += s),
    memory: () => ({ read: (at, n) => (at >= 4096 && at + n <= 4352 ? page.slice(at - 4096, at - 4096 + n) : null) }),
  });
  const poke = (at: number, s: string): void => page.set(Buffer.from(s, 'latin1'), at - 4096);
  return { writer, poke, text: () => out.split('\n').slice(0, -1) };
}
function info(fields: Partial<Record<keyof typeof SIGINFO.offsets, number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIGINFO.size));
  for (const [name, value] of Object.entries(fields))
    writeField(SIGINFO, view, 0, name as keyof typeof SIGINFO.offsets, value);
  return new Uint8Array(view.buffer);
}
const a = { tid: 100 };
const b = { tid: 1234567 };

describe('lines', () => {
  test('a call interrupted by another task is unfinished, and resumed', () => {
    const { writer, poke, text } = setup();
    writer.enter(a, row('getpid'), []);
    writer.leave(a, row('getpid'), [], 100, 0);
    writer.attach(b);
    const read = [3n, 4096n, 5n];
    writer.enter(a, row('read'), read);
    const write = [4n, 4096n, 2n];
    poke(4096, 'hi');
    writer.enter(b, row('write'), write);
    writer.leave(b, row('write'), write, 2, 0);
    writer.leave(a, row('read'), read, 2, 0);
    writer.enter(b, row('nanosleep'), [4096n, 0n]);
    writer.enter(a, row('close'), [3n]);
    writer.leave(b, row('nanosleep'), [4096n, 0n], -1, 516);
    writer.leave(a, row('close'), [3n], 0, 0);
    writer.exited(b, 3 << 8);
    writer.enter(a, row('getppid'), []);
    writer.leave(a, row('getppid'), [], 1, 0);
    expect(text()).toEqual([
      'getpid()                                = 100',
      '[pid   100] read(3,  <unfinished ...>',
      '[pid 1234567] write(4, "hi", 2)         = 2',
      '[pid   100] <... read resumed>"hi", 5)  = 2',
      '[pid 1234567] nanosleep({tv_sec=26984, tv_nsec=0},  <unfinished ...>',
      '[pid   100] close(3 <unfinished ...>',
      '[pid 1234567] <... nanosleep resumed>NULL) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)',
      '[pid   100] <... close resumed>)        = 0',
      '[pid 1234567] +++ exited with 3 +++',
      'getppid()                               = 1',
    ]);
  });

  test('a thread that calls execve goes on as the leader', () => {
    const { writer, text } = setup('always');
    const thread = { tid: 101 };
    writer.enter(a, row('pause'), []);
    writer.attach(thread);
    writer.enter(thread, row('getpid'), []);
    writer.exited({ tid: 100, supersededBy: 101 }, 0);
    writer.leave({ tid: 100 }, row('getpid'), [], 100, 0);
    expect(text()).toEqual([
      '100   pause( <unfinished ...>',
      '101   getpid( <unfinished ...>',
      '100   <... pause resumed>)              = ?',
      '100   +++ superseded by execve in pid 101 +++',
      '100   <... getpid resumed>)             = 100',
    ]);
  });

  test('tasks that die inside a call', () => {
    const { writer, text } = setup('always');
    writer.enter(a, row('exit_group'), [7n]);
    writer.exited(a, 7 << 8);
    writer.enter(b, row('read'), [0n, 4096n, 1n]);
    writer.exited(b, 9);
    writer.enter(a, row('pause'), []);
    writer.enter(b, row('pause'), []);
    writer.exited(a, 11 | 0x80);
    expect(text()).toEqual([
      '100   exit_group(7)                     = ?',
      '100   +++ exited with 7 +++',
      '1234567 read(0,  <unfinished ...>)      = ?',
      '1234567 +++ killed by SIGKILL +++',
      '100   pause( <unfinished ...>',
      '1234567 pause( <unfinished ...>',
      '100   <... pause resumed>)              = ?',
      '100   +++ killed by SIGSEGV (core dumped) +++',
    ]);
  });

  test('signals, stops and restarts', () => {
    const { writer, text } = setup('never');
    const child = { si_signo: 17, si_code: 1, si_pid: 5, si_uid: 0, si_status: 3, si_utime: 0, si_stime: 250 };
    writer.signal(a, { signal: 17, info: info(child) });
    writer.signal(a, { signal: 11, info: info({ si_signo: 11, si_code: 2, si_addr: 0x1234 }) });
    writer.signal(a, { signal: 2, info: info({ si_signo: 2, si_code: 0x80 }) });
    writer.signal(a, { signal: 37, info: info({ si_signo: 37, si_code: -1, si_pid: 1, si_uid: 2, si_value: 3 }) });
    writer.stopped(a, 19);
    writer.enter(a, row('restart_syscall'), []);
    writer.leave(a, row('restart_syscall'), [], 0, 0);
    expect(text()).toEqual([
      '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5, si_uid=0, si_status=3, si_utime=0, si_stime=250 /* 2.50 s */} ---',
      '--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x1234} ---',
      '--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---',
      '--- SIGRT_5 {si_signo=SIGRT_5, si_code=SI_QUEUE, si_pid=1, si_uid=2, si_int=3, si_ptr=0x3} ---',
      '--- stopped by SIGSTOP ---',
      'restart_syscall(<... resuming interrupted system call ...>) = 0',
    ]);
  });

  test.each([DEFAULT_STYLE, FULL_STYLE, { ...FULL_STYLE, constants: 'verbose', hex: 'all', descriptors: 2 } as const])(
    'every row can be printed, whatever its arguments: %j',
    (style) => {
      for (const arch of ['x86_64', 'aarch64'] as const) {
        for (const memory of [null, 0x00, 0xff]) {
          let lines = 0;
          const writer = new StraceWriter({
            arch,
            style: () => style,
            write: (s) => (lines += s.split('\n').length - 1),
            memory: () => ({
              read: (at, n) => (memory === null || at + n > 65_536 ? null : new Uint8Array(n).fill(memory)),
              descriptor: (fd) => ({ path: `/<${fd}>`, deleted: true }),
              cwd: () => null,
            }),
          });
          for (const r of ROWS) {
            for (const value of [0n, 4096n, (1n << 64n) - 1n]) {
              for (const errno of [0, 14]) {
                const args = Array.from({ length: Math.max(1, r.args.length) }, () => value);
                writer.enter(a, r, args);
                writer.leave(a, r, args, errno === 0 ? 1 : -1, errno);
              }
            }
          }
          expect(lines).toBe(ROWS.length * 6);
        }
      }
    },
  );
});

/** A program with faults, handlers, children; the lines that tell of them are the same in every run but for ids and times. */
const PROGRAM = `
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ucontext.h>
static void handler(int s, siginfo_t *i, void *c) {
#if defined __x86_64__
  ((ucontext_t *)c)->uc_mcontext.gregs[REG_RIP] += 7;
#else
  ((ucontext_t *)c)->uc_mcontext.pc += 4;
#endif
}
int main(void) {
  struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
  sigaction(SIGSEGV, &sa, 0);
#if defined __x86_64__
  __asm__ volatile("xor %%eax, %%eax; movl $1, 0x10(%%rax)" ::: "eax");
#else
  __asm__ volatile("mov x0, xzr; str wzr, [x0, 16]" ::: "x0");
#endif
  raise(SIGWINCH);
  int status;
  if (fork() == 0) _exit(42);
  wait(&status);
  kill(getpid(), SIGTERM);
  return 0;
}`;

check('signal and exit lines are those of strace', () => {
  const dir = mkdtempSync(join(tmpdir(), 'levitate-strace-'));
  try {
    writeFileSync(join(dir, 'p.c'), PROGRAM);
    const built = spawnSync('gcc', ['-w', '-O1', '-o', join(dir, 'p'), join(dir, 'p.c')], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    spawnSync('strace', ['-o', join(dir, 'log'), join(dir, 'p')]);
    const log = readFileSync(join(dir, 'log'), 'utf8')
      .split('\n')
      .filter((line) => /^(---|\+\+\+)/.test(line));
    const number = (name: string, line: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(line)?.[1] ?? 0);
    const { writer, text } = setup('never');
    writer.signal(a, { signal: 11, info: info({ si_signo: 11, si_code: 1, si_addr: 16 }) });
    const own = number('si_pid', log[1]);
    writer.signal(a, {
      signal: 28,
      info: info({ si_signo: 28, si_code: -6, si_pid: own, si_uid: number('si_uid', log[1]) }),
    });
    const child = { si_pid: number('si_pid', log[2]), si_uid: number('si_uid', log[2]), si_status: 42 };
    writer.signal(a, { signal: 17, info: info({ si_signo: 17, si_code: 1, ...child }) });
    writer.signal(a, {
      signal: 15,
      info: info({ si_signo: 15, si_code: 0, si_pid: own, si_uid: number('si_uid', log[3]) }),
    });
    writer.exited(a, 15);
    expect(text()).toEqual(log);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Events of a real `strace -f -o` log, replayed through our line assembly, must give the log again. */
check('interleaved lines are those of strace', () => {
  const dir = mkdtempSync(join(tmpdir(), 'levitate-strace-'));
  try {
    const script = 'for i in 1 2 3; do (sleep 0.01; exit $i) & done; wait; (kill -9 $$) & sleep 1';
    const events = 'trace=getpid,getppid,clone,wait4,exit_group,close,nanosleep,clock_nanosleep,kill';
    let log: string[];
    do {
      spawnSync('strace', ['-f', '-e', events, '-o', join(dir, 'log'), 'sh', '-c', script]);
      log = readFileSync(join(dir, 'log'), 'utf8').split('\n').slice(0, -1);
      // A task killed before strace could read its registers has made a call without a name.
    } while (log.some((line) => line.includes('???(')));
    expect(log.filter((line) => line.includes('<unfinished ...>')).length).toBeGreaterThan(2);
    let out = '';
    const writer = new StraceWriter({
      arch: 'x86_64',
      prefix: 'always',
      write: (s) => (out += s),
      memory: () => ({ read: () => null }),
    });
    // What arguments look like does not matter here: they are taken from the log.
    const texts = { enter: '', leave: '', complete: true };
    Object.assign(writer, {
      texts: {
        enter: (call: { complete: boolean }) => ((call.complete = texts.complete), texts.enter),
        leave: () => texts.leave,
      },
    });
    const pending = new Map<number, string>();
    for (const [at, line] of log.entries()) {
      const [, pid, rest] = /^(\d+) +(.*)$/.exec(line)!;
      const task = { tid: Number(pid) };
      const full = /^(\w+)\((.*)\) += (.*)$/.exec(rest);
      const open = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
      const resumed = /^<\.\.\. (\w+) resumed>(.*)\) += (.*)$/.exec(rest);
      const finish = (name: string, result: string): void => {
        if (result === '?') return writer.dying(task);
        const error = /^-1 (\w+)/.exec(result)?.[1];
        const restart = /^\? (\w+)/.exec(result)?.[1];
        const errno = restart
          ? { ERESTARTSYS: 512, ERESTART_RESTARTBLOCK: 516 }[restart]!
          : error
            ? { ECHILD: 10, EBADF: 9, ESRCH: 3 }[error]!
            : 0;
        writer.leave(task, row(name), [], Number(/^-?\d+/.exec(result)?.[0] ?? -1), errno);
      };
      if (full && !rest.startsWith('<')) {
        const unfinished = full[2].endsWith(' <unfinished ...>');
        Object.assign(texts, { enter: full[2].replace(/ <unfinished \.\.\.>$/, ''), leave: '', complete: !unfinished });
        writer.enter(task, row(full[1]), []);
        finish(full[1], full[3]);
      } else if (open) {
        // How it was left is told by the line that resumes it, or ends it without.
        const next = log.slice(at + 1).find((other) => other.startsWith(`${pid} `));
        Object.assign(texts, { enter: open[2], leave: '', complete: !/<unfinished \.\.\.>\) += \?/.test(next ?? '') });
        writer.enter(task, row(open[1]), []);
        pending.set(task.tid, open[1]);
      } else if (resumed) {
        Object.assign(texts, { leave: resumed[2].replace(/ <unfinished \.\.\.>$/, '') });
        finish(resumed[1], resumed[3]);
      } else if (rest.startsWith('+++')) {
        const killed = /killed by SIG(\w+)/.exec(rest);
        const status = killed ? { KILL: 9, TERM: 15 }[killed[1]]! : Number(/with (\d+)/.exec(rest)![1]) << 8;
        writer.exited(task, status);
      } else {
        const field = (name: string): number => Number(new RegExp(`${name}=(-?\\d+)`).exec(rest)?.[1] ?? 0);
        const names = { si_pid: field('si_pid'), si_uid: field('si_uid'), si_status: field('si_status') };
        const ticks = { si_utime: field('si_utime'), si_stime: field('si_stime') };
        const killed = rest.includes('CLD_KILLED');
        writer.signal(task, { signal: 17, info: info({ si_signo: 17, si_code: killed ? 2 : 1, ...names, ...ticks }) });
      }
    }
    expect(out.split('\n').slice(0, -1)).toEqual(log);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

describe('summary', () => {
  test('counts time, calls and errors', () => {
    let now = 1000;
    const summary = new Summary<{ tid: number }>({ nowNs: () => now });
    const step = (task: { tid: number }, name: string, ns: number, errno = 0): void => {
      summary.enter(task, row(name), []);
      now += ns;
      summary.leave(task, row(name), [], 0, errno);
    };
    step(a, 'read', 3_000_000);
    step(a, 'read', 1_000_000, 4);
    step(b, 'write', 6_000_000);
    summary.enter(a, row('exit'), []);
    summary.exited(a);
    expect(summary.toString()).toBe(
      [
        '% time     seconds  usecs/call     calls    errors syscall',
        '------ ----------- ----------- --------- --------- ----------------',
        ' 60.00    0.006000        6000         1           write',
        ' 40.00    0.004000        2000         2         1 read',
        '------ ----------- ----------- --------- --------- ----------------',
        '100.00    0.010000        3333         3         1 total',
        '',
      ].join('\n'),
    );
  });

  test('microseconds are cut as strace cuts them', () => {
    const ofNs = (ns: number): string =>
      summaryText([{ name: 'ioctl', ns, minNs: 0, maxNs: ns, calls: 1, errors: 0 }]).split('\n')[2];
    expect([ofNs(249_000), ofNs(248_000), ofNs(1_000_249_000)]).toEqual([
      '100.00    0.000249         248         1           ioctl',
      '100.00    0.000248         248         1           ioctl',
      '100.00    1.000249     1000249         1           ioctl',
    ]);
  });

  check('the table is that of strace -c', () => {
    const table = spawnSync('strace', ['-c', 'ls', '/', '/nonexistent'], { encoding: 'utf8' }).stderr;
    const lines = table.slice(table.indexOf('% time')).split('\n');
    const rows = lines.slice(2, lines.lastIndexOf(lines[1])).map((line) => {
      const cells = line.trim().split(/ +/);
      const errors = cells.length === 6 ? Number(cells[4]) : 0;
      const ns = Math.round(Number(cells[1]) * 1e9);
      return { name: cells.at(-1)!, ns, minNs: 0, maxNs: ns, calls: Number(cells[3]), errors };
    });
    expect(rows.length).toBeGreaterThan(5);
    expect(summaryText(rows)).toBe(`${lines.slice(0, lines.lastIndexOf(lines[1]) + 2).join('\n')}\n`);
  });
});
