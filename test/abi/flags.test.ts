/**
 * Constants and numbers against the headers of the host and of the cross compiler: every exported number that a uapi header
 * also defines must have its value. What a header does not know (newer than Debian's, or strace's own) is not checked.
 */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { flagSet } from '../../src/abi/flags/flag-set.js';
import { SYSCALL_NUMBERS } from '../../src/abi/numbers.js';
import { SIGNAL_NAMES, signalName } from '../../src/abi/signals.js';
import type { ArchName } from '../../src/abi/types.js';

const COMPILERS: Record<ArchName, string> = { x86_64: 'gcc', aarch64: 'aarch64-linux-gnu-gcc' };
const FLAGS_DIR = new URL('../../src/abi/flags/', import.meta.url);
const HEADERS = [
  'asm/unistd.h',
  'asm/fcntl.h',
  'asm/stat.h',
  'asm/signal.h',
  'asm/siginfo.h',
  'asm/termbits.h',
  'asm/termios.h',
  'asm/ioctls.h',
  'asm/mman.h',
  'asm/poll.h',
  'asm/ptrace.h',
  'asm/socket.h',
  'linux/fcntl.h',
  'linux/openat2.h',
  'linux/fs.h',
  'linux/mount.h',
  'linux/stat.h',
  'linux/memfd.h',
  'linux/mempolicy.h',
  'linux/membarrier.h',
  'linux/userfaultfd.h',
  'linux/sched.h',
  'linux/wait.h',
  'linux/kcmp.h',
  'linux/pidfd.h',
  'linux/close_range.h',
  'linux/personality.h',
  'linux/ptrace.h',
  'linux/prctl.h',
  'linux/securebits.h',
  'linux/seccomp.h',
  'linux/capability.h',
  'linux/eventpoll.h',
  'linux/timerfd.h',
  'linux/inotify.h',
  'linux/futex.h',
  'linux/magic.h',
  'linux/quota.h',
  'linux/resource.h',
  'linux/time.h',
  'linux/timex.h',
  'linux/in.h',
  'linux/in6.h',
  'linux/tcp.h',
  'linux/udp.h',
  'linux/netlink.h',
  'linux/rtnetlink.h',
  'linux/ipc.h',
  'linux/msg.h',
  'linux/sem.h',
  'linux/shm.h',
  'linux/reboot.h',
  'linux/random.h',
  'linux/kexec.h',
  'linux/module.h',
  'linux/keyctl.h',
  'linux/fanotify.h',
  'linux/aio_abi.h',
  'linux/io_uring.h',
  'linux/bpf.h',
  'linux/perf_event.h',
  'linux/landlock.h',
  'linux/xattr.h',
  'linux/falloc.h',
  'linux/fiemap.h',
  'linux/kd.h',
  'linux/vt.h',
  'linux/loop.h',
  'linux/sockios.h',
  'linux/rtc.h',
];
/** Names whose macro means something else: strace's own reading, or a header constant of the same spelling. */
const OTHER_MEANING = new Set(['SIG_DFL', 'SIG_IGN', 'SIG_ERR', 'AF_FILE']);

/** Object-like macros of the headers whose value is an integer constant. */
function macros(compiler: string): Map<string, bigint> {
  const prelude = '#define _GNU_SOURCE\n#define _SYS_SOCKET_H 1\nstruct sockaddr { unsigned short f; char d[14]; };\n';
  const includes = HEADERS.map((h) => `#include <${h}>`).join('\n');
  const dump = spawnSync(compiler, ['-E', '-dM', '-x', 'c', '-'], {
    input: prelude + includes,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (dump.status !== 0) throw new Error(dump.stderr);
  const raw = new Map([...dump.stdout.matchAll(/^#define (\w+) (.+)$/gm)].map((m) => [m[1], m[2]]));
  const values = new Map<string, bigint>();
  for (const name of raw.keys()) {
    const text = expand(name, raw, 0);
    const value = text === null ? null : literal(text);
    if (value !== null) values.set(name, value);
  }
  return values;
}
function expand(name: string, raw: Map<string, string>, depth: number): string | null {
  const text = raw.get(name);
  if (text === undefined || depth > 8) return null;
  let failed = false;
  const out = text.replace(/\b[A-Za-z_]\w*\b/g, (word) => {
    if (/^(0x[\da-f]+)?[ul]+$/i.test(word)) return word;
    const inner = expand(word, raw, depth + 1);
    if (inner === null) failed = true;
    return `(${inner ?? ''})`;
  });
  return failed ? null : out;
}
/** Value of an expression of integer literals and ( ) | & ~ + - << >>. */
function literal(text: string): bigint | null {
  const clean = text.replace(
    /\b(0x[\da-fA-F]+|\d+)[uUlL]*\b/g,
    (_, n: string) => `${/^0[0-7]+$/.test(n) ? `0o${n.slice(1)}` : n}n`,
  );
  if (!/^[\s()|&~+\-<>\da-fA-Fxon]*$/.test(clean) || clean.trim() === '') return null;
  try {
    // Digits and operators only, checked above.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
    const value: unknown = new Function(`return (${clean});`)();
    return typeof value === 'bigint' ? value : null;
  } catch {
    return null;
  }
}

async function constants(arch: ArchName): Promise<Map<string, number>> {
  const all = new Map<string, number>();
  for (const file of readdirSync(FLAGS_DIR).filter(
    (f) => f.endsWith('.ts') && f !== 'index.ts' && f !== 'flag-set.ts',
  )) {
    const module = (await import(`../../src/abi/flags/${file.replace(/\.ts$/, '.js')}`)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (typeof value === 'number') all.set(name, value);
      else if (typeof value === 'object' && value !== null && arch in value) {
        const mine = (value as Record<string, unknown>)[arch];
        if (typeof mine === 'number') all.set(name, mine);
      }
    }
  }
  return all;
}

const installed = (compiler: string) => spawnSync(compiler, ['--version']).status === 0;
describe.each(Object.entries(COMPILERS) as [ArchName, string][])('%s', (arch, compiler) => {
  const check = installed(compiler) ? test : test.skip;
  check('constants are those of the headers', async () => {
    const header = macros(compiler);
    let compared = 0;
    const wrong: string[] = [];
    for (const [name, value] of await constants(arch)) {
      const theirs = header.get(name);
      if (theirs === undefined || OTHER_MEANING.has(name)) continue;
      compared++;
      if (BigInt.asUintN(32, theirs) !== BigInt.asUintN(32, BigInt(value)))
        wrong.push(`${name}: ours ${value}, header ${theirs}`);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(1500);
  });

  check('system call numbers are those of the headers', () => {
    const header = macros(compiler);
    const ours = SYSCALL_NUMBERS[arch];
    const wrong: string[] = [];
    for (const [name, value] of header) {
      const call = /^__NR_(\w+)$/.exec(name)?.[1];
      if (call === undefined || call === 'syscalls' || call === 'arch_specific_syscall') continue;
      if (ours[call] !== Number(value)) wrong.push(`${call}: ours ${ours[call]}, header ${value}`);
    }
    expect(wrong).toEqual([]);
  });
});

test('signal names', () => {
  expect(SIGNAL_NAMES).toHaveLength(32);
  expect([
    signalName(9),
    signalName(31),
    signalName(32),
    signalName(37),
    signalName(64),
    signalName(65),
    signalName(-1),
  ]).toEqual(['SIGKILL', 'SIGSYS', 'SIGRTMIN', 'SIGRT_5', 'SIGRT_32', '65', '-1']);
});

test('the table of a set is made when it is first looked at, once', () => {
  let reads = 0;
  const members = {
    get O_ONE() {
      reads++;
      return 1;
    },
    O_TWO: { x86_64: 2 },
  };
  const set = flagSet('O_???', members);
  expect(reads).toBe(0);
  expect(set.entries.x86_64).toEqual([
    ['O_ONE', 1],
    ['O_TWO', 2],
  ]);
  expect(set.entries.aarch64).toEqual([['O_ONE', 1]]);
  expect(reads).toBe(2);
});
