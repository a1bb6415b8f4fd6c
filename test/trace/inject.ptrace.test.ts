/** --inject and --fault on real programs: what they see, and what the trace says, is what the host's strace makes of the same. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { available } from './golden.js';
import { checked, compile, levitate, LEVITATE, scratch, sh } from '../e2e/leaks.js';

checked();
const compared = available('strace') && available('musl-gcc') ? test : test.skip;

/** Calls in one task, in a child, in a thread; each process writes what it saw in one go. */
const PROGRAM = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static char out[4096];
static int used;
static volatile int got[65];
static void handler(int s) { got[s]++; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static void call(const char *name, long nr, long a, long b) {
  errno = 0;
  double from = now();
  long r = syscall(nr, a, b);
  int slow = now() - from > 0.05;
  used += sprintf(out + used, "%s %ld %d %s %d %d\\n", name, r, errno, slow ? "slow" : "fast", got[SIGUSR1], got[SIGALRM]);
}
static void round_(int n) {
  for (int i = 0; i < n; i++) call("getuid", SYS_getuid, 0, 0);
  call("geteuid", SYS_geteuid, 0, 0);
  call("geteuid", SYS_geteuid, 0, 0);
}
static void *thread(void *p) { round_(3); return p; }
int main(void) {
  signal(SIGUSR1, handler);
  signal(SIGALRM, handler);
  round_(6);
  struct timespec t = { 0, 1000000 };
  call("nanosleep", SYS_nanosleep, (long)&t, 0);
  call("open", SYS_openat, AT_FDCWD, (long)"/dev/null");
  call("open", SYS_openat, AT_FDCWD, (long)"/dev/zero");
  write(1, out, used);
  used = 0;
  int pid = fork();
  if (pid == 0) {
    round_(3);
    write(1, out, used);
    _exit(3);
  }
  int status = -1;
  int r = pid < 0 ? errno : wait(&status) == pid;
  if (r == 0) wait(&status);
  used += sprintf(out + used, "child %d %d\\n", r, status);
  pthread_t other;
  if (pthread_create(&other, 0, thread, 0) == 0) pthread_join(other, 0);
  write(1, out, used);
  _exit(4);
}
`;

let program = '';
beforeAll(() => {
  if (available('musl-gcc')) program = compile(PROGRAM, 'inject/program', ['-pthread']);
});

/**
 * Lines that tell of tampering and of signals, by task in order of appearance. Arguments are golden.test.ts's business, and
 * where a line is cut in two is a matter of timing.
 */
function tampered(file: string): string[] {
  const tasks = new Map<string, string[]>();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, tid, text] = /^(\d+) +(.*)$/.exec(line) ?? ['', '', ''];
    const lines = tasks.get(tid) ?? [];
    tasks.set(tid, lines);
    if (!/INJECTED|DELAYED|--- SIG(USR1|ALRM)|killed by/.test(text)) continue;
    const call = /^(?:<\.\.\. )?(\w+)(?:\(| resumed>).*\) += (.*)$/.exec(text);
    lines.push(call === null ? text : `${call[1]} = ${call[2].replace(/^0x[0-9a-f]+/, 'ADDRESS')}`);
  }
  return [...tasks.values()].flatMap((lines, i) => lines.map((line) => `${i + 1} ${line}`));
}

describe('as the host', () => {
  test.each([
    '--inject=getuid:error=EPERM',
    '--inject=getuid:error=512',
    '--inject=getuid:retval=42:when=2',
    '--inject=getuid:retval=-5:when=2+2',
    '--inject=getuid,geteuid:error=EIO:when=2..3',
    '--inject=getuid:error=EIO:when=1..5+2',
    '--inject=getuid:error=EIO:when=2+',
    '--fault=getuid',
    '--fault=getuid:error=EBADF:when=3+2',
    '--inject=%creds:error=13:when=2',
    '--inject=/^gete?uid$:retval=0xffffffff',
    '--inject=?nosuch,getuid:error=1',
    '--inject=!%memory,%process,%signal,%clock,%desc,execve,/^(set|get_|arch|exit|gettid|futex|write|nano|rseq):error=ERANGE',
    '--inject=getuid:signal=USR1:when=2',
    '--inject=getuid:signal=SIGALRM:error=EIO:when=2+3',
    '--inject=getuid:signal=SIGKILL:when=3',
    '--inject=getuid:signal=TERM:when=3',
    '--inject=nanosleep:signal=ALRM',
    '--inject=getuid:delay_enter=60ms:when=2',
    '--inject=getuid:delay_exit=60000:when=4',
    '--inject=getuid:error=EIO:delay_exit=0.06s:delay_enter=1:when=6',
    '--inject=fork,vfork,clone:error=EAGAIN:when=1',
    '--inject=%file:error=ENOENT:when=2',
    '--inject=exit_group:retval=0:when=1',
    '--inject=rt_sigprocmask:error=EINVAL',
    '--inject=wait4:error=EINTR:when=1',
    '--inject=getuid:syscall=getpid:retval=9',
  ])('%s', async (option) => {
    if (compared === test.skip) return;
    const [host, guest] = [scratch('host.txt'), scratch('guest.txt')];
    const expected = await sh(`strace -f -o ${host} '${option}' ${program}; echo "status $?"`);
    const found = await sh(`$L --strace=${guest} --root ${scratch('inject')} '${option}' /program; echo "status $?"`);
    expect(found.stdout).toBe(expected.stdout);
    const lines = tampered(host);
    expect(tampered(guest)).toEqual(lines);
    expect(lines).not.toEqual([]);
    // Without the trace and without the gate it is the same.
    for (const extra of ['', '--no-gate']) {
      const again = await sh(`$L ${extra} --root ${scratch('inject')} '${option}' /program; echo "status $?"`);
      expect(again.stdout).toBe(expected.stdout);
    }
  });

  compared('the example of the help: a shell that cannot open a second file', async () => {
    const root = spawnSync(LEVITATE[0], [LEVITATE[1], '--print-root'], { encoding: 'utf8' }).stdout.trim();
    mkdirSync(scratch('bin'));
    for (const name of ['busybox', 'ls', 'sh']) symlinkSync(join(root, 'busybox'), scratch(join('bin', name)));
    mkdirSync(scratch('work'));
    for (const set of ['open,openat', '/^open']) {
      const option = `--inject=${set}:error=ENOSPC:when=2+`;
      const script = 'echo a > a; echo b > b; echo *';
      const host = await sh(
        `cd ${scratch('work')}; PATH=${scratch('bin')} /usr/bin/strace -f -o /dev/null '${option}' busybox sh -c '${script}'`,
      );
      const guest = await sh(`$L --cwd /tmp '${option}' busybox sh -c '${script}'`);
      expect([guest.stdout, guest.stderr]).toEqual([host.stdout, host.stderr]);
      expect(guest.stderr).toBe("sh: can't create b: No space left on device\n");
    }
  });
});

describe('beyond strace', () => {
  const count = 'i=0; while [ $i -lt 40 ]; do i=$((i+1)); cd /tmp 2>/dev/null && echo -n . || echo -n x; done';
  const chance = (seed: number): Promise<string> =>
    levitate([`--inject=chdir:error=EIO:probability=0.5:seed=${seed}`, 'busybox', 'sh', '-c', count]).then(
      ({ stdout }) => stdout,
    );

  test('the same seed gives the same run', async () => {
    const first = await chance(7);
    expect(first).toMatch(/^[.x]{40}$/);
    expect(first).toMatch(/x/);
    expect(first).toMatch(/\./);
    expect(await chance(7)).toBe(first);
    expect(await chance(8)).not.toBe(first);
  });

  test('a path, however it is written, and descriptors on it', async () => {
    const script = 'cd /etc; cat /etc/passwd; cat passwd; cat ./group; cat < /etc/passwd; cat ../etc/hos*';
    const option = '--inject=open,openat,read:path=/etc/[p]ass*:error=EACCES';
    const { stderr, stdout } = await levitate([option, 'busybox', 'sh', '-c', script]);
    expect(stderr.split('\n').map((line) => /([\w./]*(passwd|group))'?: Permission denied$/.exec(line)?.[1])).toEqual([
      '/etc/passwd',
      'passwd',
      '/etc/passwd',
      undefined,
    ]);
    expect(stdout).toContain('root');
  });

  test('a descriptor, a process', async () => {
    const script = '(echo two); cat /nosuch; echo one';
    const run = (option: string) => levitate([option, 'busybox', 'sh', '-c', script]);
    expect(await run('--inject=write,writev:fd=2:error=EIO')).toMatchObject({ stdout: 'two\none\n', stderr: '' });
    expect(await run('--inject=write,writev:pid=1:retval=4')).toMatchObject({ stdout: 'two\n' });
  });

  test('a delayed task can be killed, and others go on meanwhile', async () => {
    const script = '(cd /tmp; echo never) & sleep 0.1; echo on; kill -9 $!; wait $!; echo $?';
    for (const delay of ['delay_enter', 'delay_exit']) {
      const { stdout } = await levitate([`--inject=chdir:${delay}=100s`, 'busybox', 'sh', '-c', script]);
      expect(stdout).toBe('on\n137\n');
    }
  });

  test('a delayed task does not outlive the run', async () => {
    const words = ['--timeout', '300ms', '--inject=chdir:delay_enter=100s', 'busybox', 'sh', '-c', 'cd /'];
    expect(await levitate(words)).toMatchObject({ status: 124 });
  });

  test('a wrong expression is said so before anything runs', async () => {
    expect(await levitate(['--inject=opnat:error=EIO', 'busybox', 'echo', 'x'])).toMatchObject({
      status: 125,
      stdout: '',
      stderr: "levitate-run: --inject: 'opnat' is no system call (at character 1)\nTry 'levitate-run --help'.\n",
    });
  });
});
