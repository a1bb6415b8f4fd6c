/**
 * BusyBox under the host's strace in a chroot, and inside with --strace and the same options: every line must be the same, but
 * for what NORMALISATIONS and the reasons beside them say. One file per task (-ff), so that the order in which tasks run does
 * not matter.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { checked, levitate, LEVITATE, scratch, sh } from '../e2e/leaks.js';
import { available } from './golden.js';

checked();

const APPLETS = ['sh', 'cat', 'sort', 'head', 'sleep', 'grep', 'tr', 'wc', 'true', 'xargs', 'echo'];
const root = (): string => scratch('root');

beforeAll(() => {
  const image = execFileSync(LEVITATE[0], [...LEVITATE.slice(1), '--print-root'], { encoding: 'utf8' }).trim();
  for (const dir of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'data/sub/deep'])
    mkdirSync(`${root()}/${dir}`, { recursive: true });
  copyFileSync(`${image}/busybox`, `${root()}/bin/busybox`);
  chmodSync(`${root()}/bin/busybox`, 0o755);
  for (const name of APPLETS) symlinkSync('busybox', `${root()}/bin/${name}`);
  spawnSync('mknod', ['-m', '666', `${root()}/dev/null`, 'c', '1', '3']);
  writeFileSync(`${root()}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(`${root()}/etc/group`, 'root:x:0:\n');
  // One entry per directory: the order of several is the filesystem's.
  writeFileSync(`${root()}/data/sub/deep/words`, 'pear\napple\nfig\n\x01caf\xe9 "quoted" <text>\n', 'latin1');
});

/** What may differ between any two runs, and what differs because another kernel runs on other filesystems. */
const NORMALISATIONS: readonly (readonly [why: string, pattern: RegExp, text: string])[] = [
  ['addresses', /0x[0-9a-f]{5,}/g, 'ADDRESS'],
  [
    'times',
    /\b(st_[acm]time(?:_nsec)?|tv_sec|tv_nsec|tv_usec|actime|modtime)=\d+(?: \/\* [-\d:T.+]+ \*\/)?/g,
    '$1=TIME',
  ],
  ['dates behind times', /\} \/\* [-\d:T.+]+ \*\//g, '}'],
  ['time spent (-T)', / <\d+\.\d+>$/, ' <TIME>'],
  [
    'time of day and since the line before (-t, -r)',
    /^(?:\d+(?::\d\d:\d\d)?\.\d+ |\d\d:\d\d:\d\d )?(?:\(\+)? *\d+\.\d{6}\)? /,
    'TIME ',
  ],
  ['CPU time of children', /\b(si_utime|si_stime)=\d+(?: \/\* [\d.]+ s \*\/)?/g, '$1=TIME'],
  ['devices', /st_dev=makedev\([^)]*\)/g, 'st_dev=DEVICE'],
  ['inodes', /\b(st_ino|d_ino|d_off)=\d+/g, '$1=N'],
  ['inodes of pipes and sockets', /<(pipe|UNIX):\[\d+\]>/g, '<$1>'],
  ['alignment, which follows the length of all these', /\) += /, ') = '],
  ["sizes of directories are the filesystem's", /(S_IFDIR\|[0-7]+.*?st_size=)\d+/g, '$1N'],
  ["blocks are the filesystem's", /st_blocks=\d+/g, 'st_blocks=N'],
  ['links of directories, on some filesystems', /(S_IFDIR\|[0-7]+, st_nlink=)\d+/g, '$1N'],
  [
    'standard streams belong to the host',
    /\b(\d+)<(?:(?:socket|host|UNIX-STREAM):\[[^\]]*\]|\/dev\/null(?:<char 1:3>)?)>/g,
    '$1<STREAM>',
  ],
  ['the name of the machine and its kernel', /\b(nodename|release|version)="[^"]*"/g, '$1="NAME"'],
];

/** The order of directory entries is the filesystem's. */
const sorted = (line: string): string =>
  line.replace(/(?<=getdents64\([^[]*\[).*(?=\], \d+\) )/, (entries) =>
    entries
      .split(/(?<=\}), /)
      .sort((a, b) => (a.replace(/.*d_name/, '') < b.replace(/.*d_name/, '') ? -1 : 1))
      .join(', '),
  );

/**
 * When children end is the scheduler's matter, and two ends may be one signal: signals about them and waits for them stand at
 * the end, in order of the alphabet, equal ones once.
 */
function childrenLast(lines: readonly string[]): string[] {
  const late = lines
    .filter((line) => CHILD.test(line))
    .map((line) => line.replace(/(rt_sigreturn.*= ).*/, '$1...').replace(/(SIGCHLD.*si_pid=)TASK\d+/, '$1...'));
  return [...lines.filter((line) => !CHILD.test(line)), ...new Set(late.sort())];
}
const CHILD = /^(?:.*\] |TIME )?(?:--- SIGCHLD|rt_sigreturn\(|wait4\()/;

const PIDS = [
  /^((?:.*\] |TIME )?(?:fork|vfork|clone|clone3|get[pt]id|getppid|set_tid_address|wait4)\(.*\) = )(0x[0-9a-f]+|\d+)/,
  /(\bkill\(-?|\bwait4\(|\btgkill\()(\d+)/,
  /(\bsi_pid=)(\d+)/,
];
/** Pids become places in the family; the parent of the first process is nobody's. */
function withoutPids(line: string, family: readonly number[]): string {
  return PIDS.reduce(
    (text, pattern) =>
      text.replace(pattern, (_all, head: string, pid: string) => {
        const index = family.indexOf(Number(pid));
        return head + (index >= 0 ? `TASK${index}` : head.includes('getppid') ? 'PARENT' : pid);
      }),
    line,
  );
}

/**
 * The tasks of logs: a parent, then each child with its own children, in the order of its forks. Of two cousins the scheduler
 * decides which is born first, so the order of pids will not do; it serves for tasks whose fork is not traced.
 */
function familyOf(logs: ReadonlyMap<number, readonly string[]>): number[] {
  const family = new Set<number>();
  const add = (pid: number): void => {
    if (family.has(pid)) return;
    family.add(pid);
    for (const line of logs.get(pid) ?? []) {
      const child = Number(FORK.exec(line)?.[1]);
      if (logs.has(child)) add(child);
    }
  };
  for (const pid of [...logs.keys()].sort((a, b) => a - b)) add(pid);
  return [...family];
}
const FORK = /\b(?:v?fork|clone3?)\(.*\) += (0x[0-9a-f]+|\d+)/;

/** The lines of every task, in the order of the family. */
function logs(prefix: string, host: boolean): string[][] {
  const dir = scratch('logs');
  const texts = new Map(
    readdirSync(dir)
      .filter((name) => name.startsWith(`${prefix}.`))
      .map((name) => [
        Number(name.slice(prefix.length + 1)),
        readFileSync(`${dir}/${name}`, 'latin1').split('\n').slice(0, -1),
      ]),
  );
  const family = familyOf(texts);
  return family.map((pid, i) => {
    let lines = texts.get(pid)!;
    if (host && i === 0) {
      // The first execve is chroot(1)'s.
      const execs = lines.flatMap((line, at) => (/(^|\s)execve\(/.test(line) ? [at] : []));
      lines = lines.slice(execs[1]);
    }
    const plain = lines.map((line) => {
      const local = line.replaceAll(`${root()}/`, '/').replaceAll(`<${root()}>`, '</>');
      const text = NORMALISATIONS.reduce((all, [, pattern, by]) => all.replace(pattern, by), sorted(local));
      return withoutPids(text, family);
    });
    return childrenLast(plain);
  });
}

/** strace's options, and the command. The filter must let execve through: it is where BusyBox begins. */
const RUNS: readonly (readonly [options: string, ...command: string[]])[] = [
  ['', 'busybox', 'cat', '/data/sub/deep/words'],
  ['-y', 'busybox', 'cat', '/data/sub/deep/words'],
  ['-xx -s 10', 'busybox', 'cat', '/data/sub/deep/words'],
  ['-e raw=all', 'busybox', 'cat', '/data/sub/deep/words'],
  ['-v', 'busybox', 'ls', '-l', '/data/sub/deep'],
  ['-yy -v', 'busybox', 'ls', '-a', '/data/sub', '/dev/null'],
  ['-T', 'busybox', 'find', '/data'],
  ['-v -y', 'busybox', 'find', '/data', '-type', 'f', '-name', 'w*'],
  ['-s 600', 'busybox', 'tar', 'cf', '/tmp/x.tar', '/data'],
  ['-y -n', 'sh', '-c', 'cd /tmp && busybox tar cf x.tar -C / data && busybox tar tvf x.tar'],
  ['', 'sh', '-c', 'cat /data/sub/deep/words | sort > /tmp/sorted; head -n 2 /tmp/sorted'],
  ['-yy', 'sh', '-c', 'cat /data/sub/deep/words | tr a-z A-Z > /tmp/upper; wc -l < /tmp/upper'],
  ['-v', 'sh', '-c', 'sleep 0.2 & wait; echo done'],
  ['', 'sh', '-c', 'trap "echo caught" USR1; kill -USR1 $$; echo end'],
  ['', 'sh', '-c', 'sh -c "kill -TERM \\$\\$"; echo $?'],
  ['', 'sh', '-c', 'trap "echo rang" ALRM; { sleep 0.3; kill -ALRM $$; sleep 0.2; } & sleep 0.8; wait; echo end'],
  ['-x', 'busybox', 'sort', '-r', '/data/sub/deep/words'],
  ['-tt -r', 'busybox', 'grep', '-c', 'p', '/data/sub/deep/words'],
  ['-y', 'busybox', 'cp', '-a', '/data/sub', '/tmp/copy'],
  [
    '-e trace=%file,execve',
    'sh',
    '-c',
    'busybox mkdir -p /tmp/a/b && busybox mv /tmp/a/b /tmp/c && busybox ln -s c /tmp/l && busybox rm -r /tmp/a /tmp/c',
  ],
  ['-v', 'busybox', 'stat', '-c', '%s %a', '/data/sub/deep/words'],
  ['-z', 'busybox', 'wc', '-c', '/data/sub/deep/words'],
  ['-s 100', 'sh', '-c', 'echo x > /tmp/f; busybox sed s/x/y/ /tmp/f; cat /tmp/f'],
  ['-v', 'sh', '-c', 'xargs -n 1 echo < /etc/group'],
  ['-v', 'busybox', 'dd', 'if=/data/sub/deep/words', 'of=/tmp/dd', 'bs=7', 'count=2', 'status=none'],
  ['-v -e trace=execve,uname,sysinfo,getrusage', 'busybox', 'uname', '-s'],
  ['-P /data/sub/deep/words -P /bin/busybox', 'busybox', 'md5sum', '/data/sub/deep/words'],
  ['-yy -e trace=execve,socket,connect,close', 'busybox', 'logger', 'hello'],
  ['-e signal=!SIGCHLD -qq', 'sh', '-c', 'sleep 0.1; echo $?'],
  ['-a 20 -e status=successful', 'busybox', 'touch', '-d', '@1000000000', '/tmp/t'],
  ['-e abbrev=!execve -e verbose=!fstat,stat', 'busybox', 'awk', '-F:', '{ print $1 }', '/etc/passwd'],
];

const check = available('strace') && process.getuid?.() === 0 ? test : test.skip;

test('a wrong option is told with its place, and nothing is run', async () => {
  const wrong = await levitate(['--strace-options=-f -e trace=%fil', 'busybox', 'echo', 'hello']);
  expect(wrong).toMatchObject({ status: 125, stdout: '' });
  expect(wrong.stderr).toMatch(
    /^levitate-run: --strace-options: character 4: -e trace=%fil: invalid system call '%fil'$/m,
  );
  expect((await levitate(['--strace-options=-ff', 'busybox', 'true'])).stderr).toContain('-ff needs --strace=FILE');
});

describe('the trace of BusyBox is that of strace', () => {
  check.each(RUNS.map((run) => [run[0], run.slice(1).join(' '), run] as const))(
    'strace %s %s',
    async (options, _name, run) => {
      const command = [`/bin/${run[1]}`, ...run.slice(2)];
      rmSync(scratch('logs'), { recursive: true, force: true });
      rmSync(`${root()}/tmp`, { recursive: true, force: true });
      mkdirSync(scratch('logs'));
      mkdirSync(`${root()}/tmp`);
      const inside = ['--root', root(), '--clear-env', '--env', 'PATH=/bin', `--strace=${scratch('logs/guest')}`];
      const guest = await levitate([...inside, `--strace-options=-ff ${options}`, ...command]);
      const quoted = [...command].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
      // Inside a chroot descriptors have the names they have outside.
      const outside = options.replaceAll(/-P (\S+)/g, `-P $1 -P ${root()}$1`);
      const host = await sh(
        `exec env -i TZ=UTC strace -ff ${outside} -o ${scratch('logs/host')} -E TZ -E PATH=/bin /usr/sbin/chroot ${root()} ${quoted}`,
      );
      // strace ends itself with the signal that ended the program.
      expect([guest.status, guest.stdout]).toEqual([host.status ?? 128 + host.signal!, host.stdout]);
      expect(logs('guest', false)).toEqual(logs('host', true));
    },
  );
});
