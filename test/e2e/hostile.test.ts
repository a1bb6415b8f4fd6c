// Guests that mean harm: each ends with the Linux result or a clear error, no process of the host survives them, and
// nothing on the host is touched. Where a program is harmless on the host, the host is the oracle.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { SLOWNESS } from '../support/pace.js';
import { checked, compile, levitate, LEVITATE, Run, scratch, type Ending } from './leaks.js';

checked();

const x86 = process.arch === 'x64';
const APPLETS = 'sh cat ls sleep true false echo mkdir rm find wc ps head tail tr kill seq grep setsid'.split(' ');

beforeAll(() => {
  mkdirSync(scratch('root/bin'), { recursive: true });
  mkdirSync(scratch('root/tmp'));
  const image = spawnSync(process.execPath, [LEVITATE[1], '--print-root'], { encoding: 'utf8' }).stdout.trim();
  copyFileSync(`${image}/busybox`, scratch('root/bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', scratch(`root/bin/${applet}`));
});

/** Runs words in a system whose root holds BusyBox and the programs made by `program`. */
const guest = (options: string[], ...words: string[]): Promise<Ending> =>
  levitate(['--root', scratch('root'), ...options, ...words]);
const script = (text: string, ...options: string[]): Promise<Ending> => guest(options, 'sh', '-c', text);
/** Compiles into the guest's root; its path there. */
function program(name: string, source: string, ...flags: string[]): string {
  compile(source, `root/${name}`, ['-w', ...flags]);
  return `/${name}`;
}
/** Exit status as a shell tells it. */
function natively(path: string, ...args: string[]): { status: number; stdout: string } {
  // A shell runs what the kernel does not know as a script: whatever that writes stays in the scratch folder.
  const how = { encoding: 'latin1', timeout: 10_000, env: {}, cwd: scratch('.') } as const;
  const { status, signal, stdout } = spawnSync(path, args, how);
  const numbers: Record<string, number> = {
    SIGILL: 4,
    SIGTRAP: 5,
    SIGABRT: 6,
    SIGBUS: 7,
    SIGFPE: 8,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGSYS: 31,
  };
  return { status: status ?? 128 + (signal === null ? NaN : numbers[signal]), stdout };
}

const HEADERS = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
`;

describe('processes', () => {
  test('a fork bomb against --pids', async () => {
    const bomb = program('bomb', `${HEADERS} int main() { for (;;) fork(); }`);
    const start = Date.now();
    expect(await guest(['--pids', '60', '--timeout', '2s'], bomb)).toMatchObject({
      status: 124,
      stdout: '',
      stderr: '',
    });
    expect(Date.now() - start).toBeLessThan(12_000 * SLOWNESS);
  });

  test('a fork bomb in the shell; the shell that started it goes on', async () => {
    const text = 'b() { b | b & }; (b) 2>/dev/null; kill -9 -1; echo on';
    expect(await script(text, '--pids', '40', '--timeout', '10s')).toMatchObject({ status: 0, stdout: 'on\n' });
  });

  test('a guest that signals, traces and reads every process it can name touches none of the host', async () => {
    const killer = program(
      'killer',
      `${HEADERS}
      static int hit;
      static void attack(int pid) {
        char c; struct iovec here = {&c, 1}, there = {&c, 1};
        for (int sig = 1; sig < 65; sig += 8) if (!kill(pid, sig)) hit++;
        if (!kill(pid, SIGKILL) || !kill(-pid, SIGKILL)) hit++;
        if (!syscall(SYS_tkill, pid, SIGKILL) || !syscall(SYS_tgkill, pid, pid, SIGKILL)) hit++;
        if (!syscall(SYS_rt_sigqueueinfo, pid, SIGKILL, 0)) hit++;
        if (!ptrace(PTRACE_ATTACH, pid, 0, 0) || !ptrace(PTRACE_SEIZE, pid, 0, 0)) hit++;
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1) hit++;
        int fd = syscall(434 /* pidfd_open */, pid, 0);
        if (fd >= 0) { hit++; syscall(424 /* pidfd_send_signal */, fd, SIGKILL, 0, 0); close(fd); }
      }
      int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) attack(atoi(argv[i]));
        printf("hit %d\\n", hit);
        fflush(stdout);
        for (int pid = 2; pid < 33000; pid++) if (pid != getpid()) kill(pid, SIGKILL);
        kill(-1, SIGKILL);
        puts("alive");
      }`,
    );
    const sleeper: ChildProcess = spawn('sleep', ['1000']);
    try {
      // Numbers that the guest's own processes do not have.
      const targets = [sleeper.pid!, process.pid, process.ppid].filter((pid) => pid > 10);
      const { status, stdout, stderr } = await script(`${killer} ${targets.join(' ')}; echo $?`);
      expect([status, stdout, stderr]).toEqual([0, 'hit 0\nalive\n0\n', '']);
      expect([sleeper.exitCode, sleeper.signalCode]).toEqual([null, null]);
      expect(process.kill(sleeper.pid!, 0)).toBe(true);
      expect(readFileSync(`/proc/${sleeper.pid}/status`, 'utf8')).toMatch(/State:\tS/);
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  test('SIGKILL to the supervisor: all guests are gone within a second', async () => {
    const text =
      '(while :; do :; done) & (trap "" TERM HUP INT; sleep 1000) & for i in 1 2 3 4 5 6 7 8; do setsid sleep 1000 & done; echo up; wait';
    const run = new Run([...LEVITATE, 'busybox', 'sh', '-c', text]);
    await run.expect('up\n');
    const tree = await run.tree();
    expect(tree['levitate-stub']).toBeGreaterThan(9);
    run.kill(9);
    expect(await run.ended).toMatchObject({ status: null, signal: 9 });
    expect(run.leftMs).toBeLessThan(1000);
  });

  test('guest processes killed from the host: the kernel notices', async () => {
    const run = new Run([...LEVITATE, 'busybox', 'sh', '-c', 'echo up; while :; do :; done']);
    await run.expect('up\n');
    run.tell('killtree 9');
    const { status, signal } = await run.ended;
    expect(signal).toBe(null);
    expect([125, 137]).toContain(status);
  });

  test('kill -9 -1', async () => {
    const text =
      'sleep 100 & sleep 100 & (kill -9 -1; echo itself); wait; echo survived; ps -o comm | grep -c sleep; true';
    expect(await script(text)).toMatchObject({ status: 0, stdout: 'itself\nsurvived\n0\n' });
  });

  test('200 processes at once', async () => {
    const text =
      'i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; ps -o comm | grep -c sleep; kill $(jobs -p); wait; echo done';
    expect(await script(text)).toMatchObject({ status: 0, stdout: '200\ndone\n', stderr: '' });
  });

  test('orphans when process 1 ends first', async () => {
    const start = Date.now();
    const text = '(sleep 1000 & sleep 1000 &); setsid sleep 1000 & (trap "" TERM; while :; do :; done) & exit 3';
    expect(await script(text)).toEqual({ status: 3, signal: null, stdout: '', stderr: '' });
    expect(Date.now() - start).toBeLessThan(5000 * SLOWNESS);
  });

  test('a zombie for every pid: the limit counts them, waiting frees them', async () => {
    const zombies = program(
      'zombies',
      `${HEADERS} int main() {
        int n = 0; for (pid_t p; (p = fork()) >= 0; n++) if (!p) _exit(0);
        printf("%d %s\\n", n, strerror(errno));
        int m = 0; while (wait(0) > 0) m++;
        printf("%d\\n", m);
        return fork() < 0; }`,
    );
    const { stdout } = await guest(['--pids', '30'], zombies);
    expect(stdout.split('\n')[0]).toBe('29 Resource temporarily unavailable');
    expect(stdout.split('\n')[1]).toBe('29');
  });
});

describe('threads and time', () => {
  test('a guest spinning in user mode is ended by --timeout', async () => {
    const spin = program('spin', 'int main() { for (;;) ; }');
    const start = Date.now();
    expect((await guest(['--timeout', '700ms'], spin)).status).toBe(124);
    expect(Date.now() - start).toBeLessThan(6000 * SLOWNESS);
  });

  test('64 spinning threads: ended by the main thread, and by --timeout', async () => {
    const threads = program(
      'threads',
      `${HEADERS}
      static void *spin(void *x) { for (;;) ; }
      int main(int argc, char **argv) {
        pthread_t t;
        puts("up"); fflush(stdout);
        for (int i = 0; i < 64; i++) if (pthread_create(&t, 0, spin, 0)) return 1;
        usleep(100000);
        if (argc > 1) pause();
        return 6;
      }`,
    );
    expect(await guest([], threads)).toMatchObject({ status: 6, stdout: 'up\n' });
    expect(await guest(['--timeout', '3s'], threads, 'stay')).toMatchObject({ status: 124, stdout: 'up\n' });
  });

  test('a thread that execs while others spin', async () => {
    const execer = program(
      'execer',
      `${HEADERS}
      static void *spin(void *x) { for (;;) ; }
      static void *go(void *x) { execl("/bin/echo", "echo", "new", (char *)0); return 0; }
      int main() {
        pthread_t t;
        for (int i = 0; i < 8; i++) pthread_create(&t, 0, spin, 0);
        pthread_create(&t, 0, go, 0);
        for (;;) ;
      }`,
    );
    expect(await guest([], execer)).toMatchObject({ status: 0, stdout: 'new\n', stderr: '' });
  });
});

describe('memory', () => {
  test('mappings and the heap get ENOMEM at --memory', async () => {
    const eater = program(
      'eater',
      `${HEADERS}
      static char *more(void) {
        char *at = (char *)syscall(SYS_brk, 0);
        if ((char *)syscall(SYS_brk, at + (1 << 20)) == at + (1 << 20)) return at;
        errno = ENOMEM;
        return (char *)-1;
      }
      int main(int argc, char **argv) {
        int n = 0;
        for (;; n++) {
          char *p = argv[1][0] == 'm' ? mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : more();
          if (p == (void *)-1) break;
          memset(p, n + 1, 1 << 20);
          if (n > 200) return 9;
        }
        printf("%s %s\\n", strerror(errno), n > 10 && n < 33 ? "in range" : "out of range");
        return 0; }`,
    );
    for (const how of ['mmap', 'brk'])
      expect(await guest(['--memory', '32M'], eater, how)).toEqual({
        status: 0,
        signal: null,
        stdout: 'Out of memory in range\n',
        stderr: '',
      });
  });

  test('MAP_NORESERVE does not get round --memory: the mapping is refused', async () => {
    const sparse = program(
      'sparse',
      `${HEADERS} int main() {
        char *p = mmap(0, 256 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) return 1;
        for (long i = 0; i < 256 << 20; i += 4096) p[i] = 1;
        return 5; }`,
    );
    const { status, stderr } = await guest(['--memory', '32M', '--timeout', '10s'], sparse);
    expect(stderr).not.toMatch(/panic/);
    expect(status).toBe(1);
  });

  test('copies that fork promises beyond --memory are refused', async () => {
    const cow = program(
      'cow',
      `${HEADERS} int main() {
        char *p = mmap(0, 12 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(p, 1, 12 << 20);
        for (int i = 0; i < 6; i++) {
          pid_t c = fork();
          if (c < 0) { printf("%s\\n", strerror(errno)); break; }
          if (!c) { memset(p, 2, 12 << 20); pause(); }
        }
        usleep(300000); printf("parent %d\\n", p[0]); return 0; }`,
    );
    const { status, stdout } = await guest(['--memory', '32M', '--timeout', '10s'], cow);
    expect([status, stdout]).toEqual([0, 'Out of memory\nparent 1\n']);
  });

  test('deep recursion: SIGSEGV at the stack limit; a handler on another stack sees it', async () => {
    const recurse = program(
      'recurse',
      `${HEADERS}
      static volatile int depth;
      static int down(int n) { volatile char frame[1000]; frame[0] = n; depth++; return down(n + 1) + frame[0]; }
      static void caught(int s, siginfo_t *i, void *c) { printf("caught %d %d\\n", i->si_code, depth > 7000 && depth < 8300); fflush(stdout); _exit(0); }
      int main(int argc, char **argv) {
        if (argc > 1) {
          stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536};
          struct sigaction sa = {.sa_sigaction = caught, .sa_flags = SA_ONSTACK | SA_SIGINFO};
          sigaltstack(&alt, 0);
          sigaction(SIGSEGV, &sa, 0);
        }
        struct rlimit limit = {8 << 20, RLIM_INFINITY};
        return down(0); }`,
    );
    expect(await guest([], recurse)).toMatchObject({ status: 139, stdout: '' });
    expect(await guest([], recurse, 'x')).toMatchObject({
      status: 0,
      stdout: natively(scratch('root/recurse'), 'x').stdout,
    });
  });

  test('the text is read-only, self-modifying code works where it is allowed', async () => {
    const text = program(
      'text',
      `${HEADERS}
      static void caught(int s, siginfo_t *i, void *c) { printf("%d %d\\n", i->si_signo, i->si_code); fflush(stdout); _exit(7); }
      int main() { struct sigaction sa = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO}; sigaction(SIGSEGV, &sa, 0);
        *(volatile char *)main = 0; return 1; }`,
    );
    expect(await guest([], text)).toMatchObject({ status: 7, stdout: '11 2\n' });
    if (!x86) return;
    const modify = program(
      'modify',
      `${HEADERS} int main() {
        unsigned char *p = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        long sum = 0;
        memcpy(p, "\\xb8\\0\\0\\0\\0\\xc3", 6);
        for (int i = 0; i < 100000; i++) { *(int *)(p + 1) = i; sum += ((int (*)(void))p)(); }
        for (int i = 0; i < 50; i++) {
          mprotect(p, 4096, PROT_READ | PROT_WRITE); *(int *)(p + 1) = i;
          mprotect(p, 4096, PROT_READ | PROT_EXEC); sum += ((int (*)(void))p)();
        }
        /* A system call made of data, and turned into another. */
        mprotect(p, 4096, 7);
        memcpy(p, "\\xb8\\x27\\0\\0\\0\\x0f\\x05\\xc3", 8);
        sum += ((int (*)(void))p)() == getpid();
        *(int *)(p + 1) = SYS_getppid;
        sum += ((int (*)(void))p)() == getppid();
        printf("%ld\\n", sum); return 0; }`,
    );
    expect((await guest([], modify)).stdout).toBe(natively(scratch('root/modify')).stdout);
  });
});

const X86 = x86 ? describe : describe.skip;
X86('instructions', () => {
  const TRAPS: Record<string, string> = {
    int3: 'asm("int3")',
    'int 3 in two bytes': 'asm(".byte 0xcd, 3")',
    'int 0x2e': 'asm("int $0x2e")',
    ud2: 'asm("ud2")',
    hlt: 'asm("hlt")',
    cli: 'asm("cli")',
    'in al, dx': 'asm("in %%dx, %%al"::"d"(0x80))',
    rdmsr: 'asm("rdmsr")',
    'mov cr3': 'asm("mov %cr3, %rax")',
    'division by zero': 'asm("xor %ecx, %ecx; xor %eax, %eax; xor %edx, %edx; div %ecx")',
    'division overflow': 'asm("mov $-1, %edx; mov $2, %ecx; div %ecx")',
    'no address': '*(volatile int *)0 = 1',
    'not canonical': '*(volatile int *)0x8000000000000000 = 1',
    'kernel address': '*(volatile int *)0xffffffff81000000 = 1',
    'jump to zero': '((void (*)(void))0)()',
    'jump to the kernel': '((void (*)(void))0xffffffff81000000)()',
    'jump to a non-canonical address': '((void (*)(void))0x8000000000000000)()',
    'no stack': 'asm("xor %esp, %esp; push %rax")',
    'a handler without a stack': 'signal(SIGSEGV, exit); asm("mov $8, %esp; push %rax")',
    'trap flag': 'asm("pushf; orl $0x100, (%rsp); popf; nop; nop")',
    'alignment check': 'asm("pushf; orl $0x40000, (%rsp); popf; mov 1(%rsp), %eax")',
    'bad segment': 'asm("mov $0x1234, %eax; mov %eax, %ds")',
    'iret to nowhere': 'asm("push $0; push $0; push $0; push $0; push $0; iretq")',
    'sigreturn without a frame': 'asm("mov $15, %eax; syscall")',
    'sigreturn with the frame below zero': 'asm("mov $15, %eax; xor %esp, %esp; syscall")',
    'a system call without a stack': 'asm("mov $231, %eax; mov $9, %edi; xor %esp, %esp; syscall")',
    'a huge call number':
      'asm("mov $0x7fffffffffffffff, %rax; syscall; neg %eax; mov %eax, %edi; mov $231, %eax; syscall")',
    'a negative call number': 'asm("mov $-1, %rax; syscall; neg %eax; mov %eax, %edi; mov $231, %eax; syscall")',
    'high half of the number':
      'asm("mov $0x1000000e7, %rax; mov $5, %edi; syscall; neg %eax; mov %eax, %edi; mov $231, %eax; syscall")',
    'an x32 call number': 'asm("mov $0x40000027, %eax; syscall; neg %eax; mov %eax, %edi; mov $231, %eax; syscall")',
    'direction flag in a call': 'asm("std; mov $231, %eax; mov $9, %edi; syscall")',
    'syscall as the last bytes of a page': `{
      unsigned char *p = mmap(0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); munmap(p + 4096, 4096);
      memcpy(p + 4096 - 2, "\\x0f\\x05", 2); asm("jmp *%0" :: "r"(p + 4094), "a"(39)); }`,
  };
  const names = Object.keys(TRAPS);

  test('faults and odd system calls end as on the host', async () => {
    const cases = names.map((name, i) => `case ${i}: ${TRAPS[name]}; break;`).join('\n');
    program('traps', `${HEADERS} int main(int argc, char **argv) { switch (atoi(argv[1])) { ${cases} } return 77; }`);
    const numbers = names.map((_, i) => i);
    const { stdout } = await script(
      `for i in ${numbers.join(' ')}; do /traps $i 2>/dev/null; echo $?; done 2>/dev/null`,
    );
    const ours = stdout.trim().split('\n');
    const table = (statuses: (string | number)[]): string[] => names.map((name, i) => `${name}: ${statuses[i]}`);
    expect(table(ours)).toEqual(table(numbers.map((i) => natively(scratch('root/traps'), String(i)).status)));
  });

  /** Runs `body` in a child process of the guest, so that its end is seen there. */
  const child = (body: string): string => `${HEADERS}
    int main(int argc, char **argv) {
      pid_t c = fork();
      if (!c) { alarm(2); ${body}; _exit(77); }
      int s; wait(&s);
      if (WIFSIGNALED(s)) printf("signal %d\\n", WTERMSIG(s)); else printf("exit %d\\n", WEXITSTATUS(s));
      puts("alive"); return 0; }`;

  test('int 0x80 is the 32-bit call, or refused as by a kernel without it; never a call of the host', async () => {
    const victim = scratch('host-file');
    writeFileSync(victim, 'precious');
    // i386 numbers: 20 getpid, 10 unlink, 1 exit
    const path = program(
      'int80',
      child(`static char path[] = "${victim}"; long r;
        asm volatile("int $0x80" : "=a"(r) : "a"(10), "b"(path) : "memory");
        asm volatile("int $0x80" : "=a"(r) : "a"(20) : "memory");
        _exit((int)r == getpid() ? 1 : (int)r == -ENOSYS ? 2 : 3)`),
      '-no-pie',
    );
    const { status, stdout, stderr } = await guest([], path);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^(exit 1|exit 2|signal 11)\nalive\n$/);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('sysenter', async () => {
    const victim = scratch('host-file');
    writeFileSync(victim, 'precious');
    const body = `static char path[] = "${victim}"; asm volatile("mov %%rsp, %%rbp; sysenter" :: "a"(10), "b"(path) : "memory")`;
    const { status, stdout, stderr } = await guest([], program('sysenter', child(body), '-no-pie'));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^signal (4|11)\nalive\n$/);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('the vsyscall page works or is not there', async () => {
    const path = program(
      'vsyscall',
      child('long t = ((long (*)(long *))0xffffffffff600400)(0); _exit(t > 1600000000 ? 1 : 2)'),
    );
    expect((await guest([], path)).stdout).toMatch(/^(exit 1|signal 11)\nalive\n$/);
    const read = program('vsyscall-read', child('_exit(*(volatile char *)0xffffffffff600000 != 0)'));
    expect((await guest([], read)).stdout).toBe(natively(scratch('root/vsyscall-read')).stdout);
  });

  test('the top of the address space: nothing there can be changed or does anything for a guest that jumps there', async () => {
    const victim = scratch('host-file');
    writeFileSync(victim, 'precious');
    const path = program(
      'top',
      `${HEADERS}
      static char path[] = "${victim}";
      static sigjmp_buf back;
      static void caught(int s) { siglongjmp(back, s); }
      int main() {
        int changed = 0, own_channel = 0, readable = 0, tried = 0, sig[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
        unsigned long found[512];
        for (int i = 0; i < 5; i++) { struct sigaction sa = {.sa_handler = caught, .sa_flags = SA_NODEFER}; sigaction(sig[i], &sa, 0); }
        for (unsigned long at = 0x7fffffffe000; at >= 0x7ffff0000000; at -= 4096) {
          if (!sigsetjmp(back, 1)) { *(volatile char *)at; if (readable < 512) found[readable++] = at; }
        }
        int stack; unsigned long own = (unsigned long)&stack;
        for (int i = 0; i < readable; i++) {
          unsigned long at = found[i];
          if (own > at - (1 << 20) && own < at + (8 << 20)) continue; /* the stack itself */
          tried++;
          if (!munmap((void *)at, 4096)) changed++;
          if (!mprotect((void *)at, 4096, 7)) changed++;
          if (mmap((void *)at, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) changed++;
          if (mremap((void *)at, 4096, 8192, MREMAP_MAYMOVE) != MAP_FAILED) changed++;
          if (!madvise((void *)at, 4096, MADV_DONTNEED)) changed++;
          if (!sigsetjmp(back, 1)) { *(volatile char *)at = 0; own_channel++; } /* its channel at most, two pages: harms itself only */
          for (int off = 0; off < 24; off++) {
            pid_t c = fork();
            if (!c) {
              setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, 10000}}, 0); /* it may be a loop */
              /* unlink(path), whatever instruction is there */
              asm volatile("jmp *%0" :: "r"(at + off), "a"(SYS_unlink), "D"(path), "S"(0L), "d"(0L));
              _exit(0);
            }
            int s; waitpid(c, &s, 0);
          }
        }
        printf("%s, changed %d\\n", tried ? "there" : "nothing there", changed + (own_channel > 2)); return 0; }`,
      '-no-pie',
    );
    const { status, stdout, stderr } = await guest(['--timeout', '20s'], path);
    expect([status, stdout, stderr]).toEqual([0, 'there, changed 0\n', '']);
    expect(existsSync(victim)).toBe(true);
  });
});

describe('files', () => {
  test('a guest that closes all descriptors', async () => {
    const closer = program(
      'closer',
      `${HEADERS} int main() {
        for (int i = 0; i < 4096; i++) close(i);
        syscall(436 /* close_range */, 0, ~0u, 0);
        char *p = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) return 1;
        memset(p, 1, 1 << 20);
        pid_t c = fork();
        if (!c) { p[0] = 2; _exit(open("/bin/busybox", O_RDONLY) == 0 ? 4 : 5); }
        int s; wait(&s);
        return WEXITSTATUS(s) * 10 + p[0]; }`,
    );
    expect(await guest([], closer)).toEqual({ status: 41, signal: null, stdout: '', stderr: '' });
  });

  test('descriptors run out with EMFILE', async () => {
    const hoarder = program(
      'hoarder',
      `${HEADERS} int main() { int n = 0; while (dup(1) >= 0) n++; printf("%d %s\\n", n, strerror(errno)); return 0; }`,
    );
    expect((await guest([], hoarder)).stdout).toMatch(
      /^10(21|20) (No file descriptors available|Too many open files)\n$/,
    );
  });

  test('a megabyte of argv works; an argument of 128 KiB, or more than the stack allows, is E2BIG', async () => {
    const words = Array.from({ length: 10 }, (_, i) => String(i).repeat(100_000));
    expect((await guest([], 'echo', ...words)).stdout).toBe(`${words.join(' ')}\n`);
    const text = `x=$(head -c 131071 /dev/zero | tr '\\0' x); /bin/true $x; echo $?
      y=$(head -c 131072 /dev/zero | tr '\\0' x); /bin/true $y; echo $?
      /bin/true $x $x $x $x $x $x $x $x $x $x $x $x $x $x; echo $?
      /bin/true $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x; echo $?`;
    const { stdout, stderr } = await script(text);
    expect(stdout).toBe('0\n126\n0\n126\n');
    expect(stderr).toMatch(/Argument list too long/);
  });

  test('1000 folders deep, and paths beyond PATH_MAX, as on the host', async () => {
    const deep = program(
      'deep',
      `${HEADERS}
      #include <sys/stat.h>
      static char cwd[40000], path[40000];
      static void says(const char *what, long result) { printf("%s %ld %d\\n", what, result, result < 0 ? errno : 0); }
      int main(int argc, char **argv) {
        if (chdir(argv[1])) return 1;
        for (int i = 0; i < 1000; i++) {
          if (mkdir("ddddddddd", 0700) || chdir("ddddddddd")) return 2;
          if (i == 300) says("getcwd at 300", syscall(SYS_getcwd, cwd, sizeof cwd) > 3000);
        }
        says("getcwd", syscall(SYS_getcwd, cwd, sizeof cwd));
        says("create", open("file", O_CREAT | O_WRONLY, 0600) > 0);
        for (int i = 0; i < 3900; i++) memcpy(path + 10 * i, "ddddddddd/", 10);
        if (chdir(argv[1])) return 3;
        says("long", open(path, O_RDONLY));
        path[4095] = 0; says("4095", open(path, O_RDONLY) > 0);
        path[4096 - 1] = 'd'; path[4096] = 0; says("4096", open(path, O_RDONLY));
        memset(path, 'n', 300); path[256] = 0; says("name of 256", open(path, O_CREAT, 0600));
        path[255] = 0; says("name of 255", open(path, O_CREAT | O_EXCL, 0600) > 0); unlink(path);
        for (int i = 0; i < 1000; i++) if (chdir("ddddddddd")) return 4;
        says("unlink", unlink("file"));
        for (int i = 0; i < 1000; i++) if (chdir("..") || rmdir("ddddddddd")) return 5;
        return 0; }`,
    );
    mkdirSync(scratch('tmp/deep'));
    const host = natively(scratch('root/deep'), scratch('tmp/deep'));
    spawnSync('rm', ['-rf', scratch('tmp/deep')]);
    expect(host.status).toBe(0);
    const { status, stdout } = await guest([], deep, '/tmp');
    expect(stdout.split('\n')).toEqual(host.stdout.split('\n'));
    expect(status).toBe(0);
  });

  test('find walks 500 folders', async () => {
    const text =
      'p=; i=0; while [ $i -lt 500 ]; do p=$p/d; i=$((i+1)); done; mkdir -p /tmp$p; find /tmp | wc -l; rm -r /tmp/d; ls /tmp';
    expect(await script(text)).toMatchObject({ status: 0, stdout: '501\n' });
  });

  test('rubbish ELF files through the command end as on the host', async () => {
    const good = readFileSync(scratch('root/bin/busybox'));
    const phoff = Number(good.readBigUInt64LE(32));
    const change = (edit: (bytes: Buffer) => void): Buffer => {
      const bytes = Buffer.from(good);
      edit(bytes);
      return bytes;
    };
    const files: Record<string, Buffer> = {
      'cut-64': good.subarray(0, 64),
      'cut-100': good.subarray(0, 100),
      'cut-4096': good.subarray(0, 4096),
      'cut-half': good.subarray(0, good.length >> 1),
      'phoff-huge': change((b) => b.writeBigUInt64LE(0xffff_ffff_ffff_ff00n, 32)),
      'phnum-0': change((b) => b.writeUInt16LE(0, 56)),
      'phnum-65535': change((b) => b.writeUInt16LE(65535, 56)),
      'phentsize-odd': change((b) => b.writeUInt16LE(55, 54)),
      'machine-other': change((b) => b.writeUInt16LE(8, 18)),
      'type-core': change((b) => b.writeUInt16LE(4, 16)),
      'entry-0': change((b) => b.writeBigUInt64LE(0n, 24)),
      'entry-kernel': change((b) => b.writeBigUInt64LE(0xffff_8000_0000_0000n, 24)),
      'vaddr-kernel': change((b) => b.writeBigUInt64LE(0xffff_8000_0000_0000n, phoff + 16)),
      'vaddr-top': change((b) => b.writeBigUInt64LE(0x7fff_ffff_f000n, phoff + 16)),
      'filesz-huge': change((b) => b.writeBigUInt64LE(0x7fff_ffff_ffff_f000n, phoff + 32)),
      'memsz-huge': change((b) => b.writeBigUInt64LE(0x7fff_ffff_f000n, phoff + 40)),
      interp: change((b) => b.writeUInt32LE(3, phoff)),
    };
    for (const [name, bytes] of Object.entries(files))
      writeFileSync(scratch(`root/elf-${name}`), bytes, { mode: 0o755 });
    const names = Object.keys(files);
    const { stdout } = await script(
      `for f in ${names.join(' ')}; do /elf-$f true >/dev/null 2>&1; echo $f $?; done 2>/dev/null`,
    );
    const loop = `for f in ${names.join(' ')}; do "$1/elf-$f" true >/dev/null 2>&1; echo $f $?; done 2>/dev/null`;
    const host = natively(scratch('root/bin/busybox'), 'sh', '-c', loop, 'sh', scratch('root')).stdout;
    expect(stdout.split('\n')).toEqual(host.split('\n'));
    // As process 1: no panic, a clear status.
    for (const name of ['cut-4096', 'entry-0', 'phnum-0', 'vaddr-kernel']) {
      const { status, stderr } = await guest([], `/elf-${name}`, 'true');
      expect([126, 127, 135, 137, 139]).toContain(status);
      expect(stderr).not.toMatch(/panic|\n\s+at /);
    }
  });
});
