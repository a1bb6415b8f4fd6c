/** The tracer of host programs against Debian's strace: the same programs, the same lines per task. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachedRootfs } from '../../rootfs/provide.js';
import type { HostLaunch } from '../../src/platform/native.js';
import { HostRun, type HostEnd, type HostTask } from '../../src/trace/host-run.js';
import { StraceWriter } from '../../src/trace/strace.js';
import { available } from '../trace/golden.js';

const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-host-run-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain = (argv: string[]): HostLaunch => ({
  root: '',
  namespaces: 0,
  uidMap: '',
  gidMap: '',
  mounts: [],
  hostname: '',
  cwd: '/',
  candidates: [argv[0]],
  argv,
  envp: ['PATH=/usr/bin:/bin', 'PWD=/'],
  limits: [],
  input: new Uint8Array(0),
});

/** Without what differs between any two runs of a program: addresses, thread ids, times. */
function normal(text: string, tids: readonly number[]): string {
  return text
    .replace(new RegExp(`(?<![*\\d])(${tids.join('|')})\\b`, 'g'), (tid) => `TID${tids.indexOf(Number(tid))}`)
    .replace(/0x[0-9a-f]{5,}/g, 'ADDRESS')
    .replace(/AT_RANDOM|"(\\x[0-9a-f]{2})+"|"[^"]*", (\d+), GRND_NONBLOCK/g, 'RANDOM')
    .replace(/(si_[us]time|tv_n?u?sec)=\d+/g, '$1=TIME')
    .replace(/getppid\(\) += \d+/g, 'getppid() = TID')
    .replace(/ +(= )/g, ' $1');
}

async function ours(argv: string[], timeoutMs?: number): Promise<{ texts: string[]; end: HostEnd; tids: number[] }> {
  const run = new HostRun(arch);
  const tasks: { tid: number; text: string; writer: StraceWriter<HostTask> }[] = [];
  const of = (task: HostTask) => tasks.find(({ tid }) => tid === task.tid)!.writer;
  const end = await run.run(
    plain(argv),
    {
      attach(task) {
        const state = { tid: task.tid, text: '' } as (typeof tasks)[number];
        state.writer = new StraceWriter<HostTask>({
          arch,
          memory: (subject) => run.memory(subject),
          write: (text) => void (state.text += text),
          prefix: 'never',
        });
        tasks.push(state);
      },
      enter: (task, ...rest) => of(task).enter(task, ...rest),
      leave: (task, ...rest) => of(task).leave(task, ...rest),
      signal: (task, signal) => of(task).signal(task, signal),
      stopped: (task, signal) => of(task).stopped(task, signal),
      exited: (task, status) => of(task).exited(task, status),
    },
    { timeoutMs },
  );
  const tids = tasks.map(({ tid }) => tid);
  return { texts: tasks.map(({ text }) => normal(text, tids)), end, tids };
}

function strace(argv: string[]): string[] {
  const out = mkdtempSync(join(folder, 'strace-'));
  const script = ': | strace -ff -o "$0" "$@" 2>&1 | cat';
  execFileSync('env', ['-i', 'PATH=/usr/bin:/bin', 'sh', '-c', script, join(out, 't'), ...argv], { cwd: '/' });
  const tids = readdirSync(out)
    .map((name) => Number(name.slice(2)))
    .sort((a, b) => a - b);
  return tids.map((tid) => normal(readFileSync(join(out, `t.${tid}`), 'latin1'), tids));
}

/** A shell's own handling of SIGCHLD may come before or after the wait4 that it interrupts. */
const unordered = (texts: string[]): string[][] =>
  texts.map((text) => text.split('\n').filter((line) => !/SIGCHLD|rt_sigreturn|ERESTARTSYS/.test(line)));

const check = available('strace') && available('gcc') ? test : test.skip;
const busybox = (): string => join(cachedRootfs() ?? '', 'busybox');
/** No traced process is left. An orphan's remains are for the host's init to collect. */
const gone = (tids: readonly number[]): void => {
  for (const tid of tids)
    if (existsSync(`/proc/${tid}`)) expect(readFileSync(`/proc/${tid}/status`, 'latin1')).toContain('State:\tZ');
};

function compile(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(`${file}.c`, source);
  execFileSync('gcc', ['-O1', '-static', '-pthread', '-o', file, `${file}.c`]);
  return file;
}

describe('lines as strace prints them', () => {
  check('a dynamic program', async () => {
    const { texts, tids } = await ours(['/bin/true']);
    expect(texts).toEqual(strace(['/bin/true']));
    gone(tids);
  });
  check('a shell with a pipe', async () => {
    const argv = [busybox(), 'sh', '-c', 'sleep 0.1 | sleep 0.2; echo done; exit 7'];
    const { texts, end, tids } = await ours(argv);
    expect(end.status).toBe(7 << 8);
    expect(end.stdout.toString()).toBe('done\n');
    expect(tids.length).toBe(3);
    expect(unordered(texts)).toEqual(unordered(strace(argv)));
  });
  check('threads', async () => {
    const program = compile(
      'threads',
      `#include <pthread.h>
#include <unistd.h>
static void *run(void *arg) { usleep(50000 * (1 + (long)arg)); return 0; }
int main() {
  pthread_t t[3];
  for (long i = 0; i < 3; i++) pthread_create(&t[i], 0, run, (void *)i);
  for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
}`,
    );
    const { texts, tids } = await ours([program]);
    expect(tids.length).toBe(4);
    expect(texts).toEqual(strace([program]));
    gone(tids);
  });
  check('signals, stops and a death', async () => {
    const program = compile(
      'signals',
      `#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
static void on(int s) { (void)s; }
int main() {
  struct sigaction a = {.sa_handler = on};
  sigaction(SIGALRM, &a, 0);
  alarm(1);
  pause();
  pid_t p = fork();
  if (p == 0) { raise(SIGSTOP); *(volatile int *)8 = 1; }
  int status;
  waitpid(p, &status, WUNTRACED);
  kill(p, SIGCONT);
  waitpid(p, &status, 0);
}`,
    );
    const { texts } = await ours([program]);
    expect(texts.join('')).toContain('--- stopped by SIGSTOP ---');
    expect(texts.join('')).toContain('+++ killed by SIGSEGV +++');
    expect(texts.join('')).toContain('= ? ERESTARTNOHAND (To be restarted if no handler)');
    expect(unordered(texts)).toEqual(unordered(strace([program])));
  });
});

describe('the end', () => {
  check('a time limit kills all', async () => {
    const started = performance.now();
    const { end, tids } = await ours([busybox(), 'sh', '-c', 'sleep 100 & sleep 100'], 300);
    expect(end.timedOut).toBe(true);
    expect(performance.now() - started).toBeLessThan(10_000);
    gone(tids);
  });
  check('a program that cannot be started', async () => {
    await expect(ours(['/nonexistent'])).rejects.toMatchObject({ errno: 2, step: 'exec' });
  });
});
