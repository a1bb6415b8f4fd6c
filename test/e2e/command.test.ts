// The command as its users start it: streams of every kind, exit statuses, options; and nothing of it is left afterwards.
import { describe, expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { available } from '../trace/golden.js';
import { SLOWNESS } from '../support/pace.js';
import { checked, compile, levitate, LEVITATE, Run, scratch, sh, withoutWarning } from './leaks.js';

checked();

const MB = 1 << 20;

describe('acceptance', () => {
  test('a pipeline, arithmetic, the applets, /proc/self/status', async () => {
    const script =
      'echo hello | tr a-z A-Z; for i in 1 2 3; do echo $((i*i)); done; ls -l /bin | wc -l; head -3 /proc/self/status';
    const { status, stdout, stderr } = await levitate(['busybox', 'sh', '-c', script]);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 4)).toEqual(['HELLO', '1', '4', '9']);
    expect(Number(lines[4])).toBeGreaterThan(50);
    expect(lines.slice(5)).toEqual(['Name:\thead', expect.stringMatching(/^Umask:\t0022$/), 'State:\tR (running)', '']);
  });

  test('a script on standard input', async () => {
    const input = 'x=$(seq 1 100 | sort -rn | head -1); echo $x; exit 7\n';
    expect(await levitate(['busybox', 'sh'], { input })).toEqual({
      status: 7,
      signal: null,
      stdout: '100\n',
      stderr: '',
    });
  });

  test('a signal to a job of the shell', async () => {
    const script = 'sleep 100 & kill -TERM $!; wait $!; echo $?';
    expect(await levitate(['busybox', 'sh', '-c', script])).toMatchObject({ status: 0, stdout: '143\n' });
  });

  (available('strace') ? test : test.skip)(
    '--strace shows ignored signals and the sleeps they end, as strace does',
    async () => {
      const program = compile(IGNORES, 'traced/ignores');
      const pick = (file: string, prefix: RegExp): string[] =>
        readFileSync(file, 'latin1')
          .split('\n')
          .filter((line) => prefix.test(line))
          .map((line) => line.replace(prefix, '').replace(/^(<\.\.\. read resumed>|read\(3, )/, ''))
          .filter((line) => /^---|ERESTARTSYS/.test(line))
          .map((line) =>
            line
              .replace(/0x[0-9a-f]+/, 'ADDRESS')
              .replace(/(pid|uid|time)=\d+/g, '$1')
              .replace(/ +=/, ' ='),
          );
      const [host, guest] = [scratch('host.txt'), scratch('guest.txt')];
      expect((await sh(`strace -o ${host} ${program}`)).status).toBe(0);
      expect((await levitate([`--strace=${guest}`, '--root', scratch('traced'), '/ignores'])).status).toBe(0);
      const lines = pick(guest, /^1 +/);
      expect(lines).toEqual(pick(host, /^/));
      expect(lines.map((line) => line.split(' ')[1])).toEqual([
        'SIGWINCH',
        'SIGUSR1',
        'SIGCHLD',
        '1)',
        'SIGUSR1',
        'SIGCHLD',
      ]);
    },
  );

  test('a sleeper that is killed has no result, and SIGKILL is no signal', async () => {
    const { stderr } = await levitate(['--strace', 'busybox', 'sh', '-c', 'sleep 9 & sleep 0.3; kill -9 $!; wait']);
    expect(stderr).toMatch(/<unfinished \.\.\.>\) = \?\n.*\+\+\+ killed by SIGKILL \+\+\+/);
    expect(stderr).not.toContain('--- SIGKILL');
  });

  test('--strace=FILE', async () => {
    const file = scratch('trace.txt');
    const { status, stdout, stderr } = await levitate([`--strace=${file}`, 'busybox', 'ls', '/']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^bin\n/);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/\+\+\+ exited with 0 \+\+\+$/);
    expect(lines.some((line) => /open(at)?\(.*"\/".*O_DIRECTORY.*\) = \d/.test(line))).toBe(true);
  });
});

describe('streams', () => {
  test('50 MB from a pipe are counted', async () => {
    const { stdout } = await sh(`head -c ${50 * MB} /dev/zero | $L busybox wc -c`);
    expect(stdout).toBe(`${50 * MB}\n`);
  });

  test('50 MB go through cat unchanged', async () => {
    const script = `head -c ${50 * MB} /dev/urandom | tee >(sha256sum >&2) | $L busybox cat | sha256sum; wait`;
    const { stdout, stderr } = await sh(script);
    expect(stdout).toMatch(/^[0-9a-f]{64} {2}-\n$/);
    expect(stdout).toBe(stderr);
  });

  test('a slow reader holds the guest back, and the supervisor does not grow', async () => {
    // What the guest reports on stderr is what its writes took; the reader sleeps before its first read.
    const script = `$L busybox sh -c 'yes | head -c ${30 * MB} | tee /dev/null; echo done >&2' 2>log$$ |
      { sleep 2; cat log$$; echo; cat | wc -c; }; cat log$$; rm log$$`;
    const { stdout } = await sh(`cd $TMPDIR; ${script}`);
    expect(withoutWarning(stdout)).toBe(`\n${30 * MB}\ndone\n`);
  });

  test('resident memory stays low while nobody reads', async () => {
    const script = `$L busybox yes > >(sleep 3) & sleep 2.5; grep VmRSS /proc/$!/status; kill -9 $!; wait`;
    const { stdout } = await sh(script);
    expect(Number(/VmRSS:\s+(\d+) kB/.exec(stdout)![1])).toBeLessThan(200 * 1024);
  });

  test('yes | head inside ends', async () => {
    expect(await levitate(['busybox', 'sh', '-c', 'yes | head -3'])).toMatchObject({ status: 0, stdout: 'y\ny\ny\n' });
  });

  test('a reader that goes away kills the writer: 141', async () => {
    const { stdout, stderr } = await sh('$L busybox yes | head -2; echo ${PIPESTATUS[@]}');
    expect([stdout, stderr]).toEqual(['y\ny\n141 0\n', '']);
  });

  test('with SIGPIPE ignored it is EPIPE; the shell inside sees 141 of a child', async () => {
    const ignored = '$L busybox sh -c \'trap "" PIPE; yes; echo $? >&2\' | head -1';
    expect(await sh(ignored)).toMatchObject({
      stdout: 'y\n',
      stderr: expect.stringMatching(/^yes: .*Broken pipe\n1\n$/),
    });
    expect(await sh("$L busybox sh -c 'yes; echo $? >&2' | head -1")).toMatchObject({ stdout: 'y\n', stderr: '141\n' });
  });

  test('closed streams are /dev/null: Node opens it before anything of ours runs', async () => {
    expect(await sh("$L busybox sh -c 'cat; echo $?' <&-")).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(await sh("$L busybox sh -c 'echo x; echo $? >&2' >&-")).toMatchObject({ stdout: '', stderr: '0\n' });
    expect(await sh('$L busybox true <&- >&- 2>&-; echo $?')).toMatchObject({ stdout: '0\n' });
  });

  test('closed streams inside the guest', async () => {
    const script = 'cat <&-; echo $?; echo x >&-; echo $?';
    const { stdout, stderr } = await levitate(['busybox', 'sh', '-c', script]);
    expect(stdout).toBe('1\n1\n');
    expect(stderr).toMatch(/^cat: .*Bad file descriptor\nsh: write error: Bad file descriptor\n$/);
  });

  test('/dev/null, files, append, a directory', async () => {
    const script = `cd $TMPDIR; printf 'one\\ntwo\\n' > in
      $L busybox cat < /dev/null; echo $?
      $L busybox sh -c 'head -1; echo; wc -c' < in
      $L busybox echo kept > out; $L busybox echo more >> out; cat out
      { read x; $L busybox cat; } < in
      (exec 3< in; $L busybox head -c 4 <&3; cat <&3)
      $L busybox cat < /; echo $?; rm in out`;
    const { stdout, stderr } = await sh(script);
    // head reads a block and at its end seeks back: so the position is the host's too.
    expect(stdout).toBe('0\none\n\n4\nkept\nmore\ntwo\none\n1\n');
    expect(stderr).toMatch(/Is a directory/);
  });

  test('stdout and stderr of one pipe keep their order', async () => {
    const script = "$L busybox sh -c 'i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done' 2>&1";
    const expected = Array.from({ length: 200 }, (_, i) => `o${i}\ne${i}\n`).join('');
    expect(withoutWarning((await sh(script)).stdout)).toBe(expected);
  });

  test('stdout holds only what the guest wrote, at any log level', async () => {
    const { status, stdout } = await levitate([
      '--log-level',
      'trace',
      '--strace',
      '--summary',
      '--report',
      'busybox',
      'echo',
      'x',
    ]);
    expect([status, stdout]).toEqual([0, 'x\n']);
    expect(await levitate(['--log-level', 'debug', 'busybox', 'true'])).toMatchObject({ status: 0, stdout: '' });
  });

  test('binary data both ways', async () => {
    const input = Buffer.from(Array.from({ length: 256 * 300 }, (_, i) => i & 255));
    expect((await levitate(['busybox', 'cat'], { input })).stdout).toBe(input.toString('latin1'));
  });

  test('input that comes bit by bit arrives at once', async () => {
    const run = new Run([
      'bash',
      '-c',
      `mkfifo $TMPDIR/f; ${LEVITATE.join(' ')} busybox cat < $TMPDIR/f & exec 9> $TMPDIR/f; rm $TMPDIR/f
      for i in 1 2 3; do echo $i >&9; sleep ${0.5 * SLOWNESS}; done; echo end; exec 9>&-; wait $!`,
    ]);
    const { stdout, status } = await run.ended;
    expect([stdout, status]).toEqual(['1\n2\n3\nend\n', 0]);
  });
});

describe('exit statuses', () => {
  test.each<[number, string[]]>([
    [0, ['busybox', 'true']],
    [1, ['busybox', 'false']],
    [255, ['busybox', 'sh', '-c', 'exit 255']],
    [44, ['busybox', 'sh', '-c', 'exit 300']],
    [124, ['--timeout', '500ms', 'busybox', 'sleep', '100']],
    [124, ['--timeout', '500ms', 'busybox', 'sh', '-c', 'trap "" TERM INT HUP; while :; do :; done']],
    [125, ['--timeout', 'x', 'busybox', 'true']],
    [125, ['--root', '/nonexistent', 'busybox', 'true']],
    [126, ['/etc/passwd']],
    [126, ['/etc']],
    [126, ['--cwd', '/nowhere', 'busybox', 'true']],
    [127, ['no-such-program']],
    [127, ['/no/such/program']],
    [127, ['']],
    [129, ['busybox', 'sh', '-c', 'kill -HUP $$']],
    [134, ['busybox', 'sh', '-c', 'kill -ABRT $$']],
    [137, ['busybox', 'sh', '-c', 'kill -KILL $$']],
    [139, ['busybox', 'sh', '-c', 'kill -SEGV $$']],
    [143, ['busybox', 'sh', '-c', 'kill -TERM $$']],
  ])('%i: %j', async (status, words) => {
    const ended = await levitate(words);
    expect([ended.status, ended.signal, ended.stdout]).toEqual([status, null, '']);
    if (status >= 125 && status <= 127) expect(ended.stderr).toMatch(/^levitate-run: [^\n]+\n(Try .*\n)?$/);
    else expect(ended.stderr).toBe('');
  });

  test('a script without #! cannot be executed, one with a missing interpreter is not found', async () => {
    const root = scratch('scripts');
    mkdirSync(`${root}/bin`, { recursive: true });
    const image = (await levitate(['--print-root'])).stdout.trim();
    writeFileSync(`${root}/bin/sh`, readFileSync(`${image}/busybox`));
    writeFileSync(`${root}/plain`, 'echo "plain $1"; exit 3\n');
    writeFileSync(`${root}/lost`, '#!/no/such/interpreter\n');
    writeFileSync(`${root}/closed`, '#!/bin/sh\n');
    for (const name of ['bin/sh', 'plain', 'lost']) chmodSync(`${root}/${name}`, 0o755);
    chmodSync(`${root}/closed`, 0o644);
    expect(await levitate(['--root', root, '/plain', 'a'])).toMatchObject({ status: 126, stdout: '' });
    expect(await levitate(['--root', root, '/lost'])).toMatchObject({ status: 127, stdout: '' });
    expect(await levitate(['--root', root, '/closed'])).toMatchObject({ status: 126, stdout: '' });
  });
});

describe('options', () => {
  test('--env, --clear-env', async () => {
    const words = ['-e', 'A=b c', '--env', 'E=', '-e', 'PASSED', '-e', 'UNSET_ON_HOST', 'busybox', 'env'];
    const { stdout } = await levitate(words, { env: { PASSED: 'on', NOT_PASSED: 'x' } });
    expect(stdout.trim().split('\n').sort()).toEqual([
      'A=b c',
      'E=',
      'HOME=/root',
      'LOGNAME=root',
      'PASSED=on',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'TERM=vt100',
      'USER=root',
    ]);
    expect((await levitate(['--clear-env', '-e', 'X=1', 'busybox', 'env'])).stdout).toBe('X=1\n');
  });

  test('--cwd, --hostname', async () => {
    const words = [
      '--cwd',
      '/usr/bin',
      '--hostname',
      'box',
      'busybox',
      'sh',
      '-c',
      'pwd; hostname; uname -n; cat /proc/sys/kernel/hostname',
    ];
    expect((await levitate(words)).stdout).toBe('/usr/bin\nbox\nbox\nbox\n');
  });

  test('--user by name and by number', async () => {
    const id = 'id -u; id -g; echo $HOME; touch /etc/x 2>/dev/null; echo $?';
    expect((await levitate(['--user', '1000:100', 'busybox', 'sh', '-c', id])).stdout).toMatch(/^1000\n100\n.*\n1\n$/);
    expect((await levitate(['--user', 'nobody', 'busybox', 'sh', '-c', 'whoami; kill -0 1; echo $?'])).stdout).toMatch(
      /^nobody\n/,
    );
    expect(await levitate(['--user', 'no-such-user', 'busybox', 'true'])).toMatchObject({ status: 125, stdout: '' });
  });

  test('--timeout ends everything, also a guest that spins or has children', async () => {
    const start = Date.now();
    const script = 'sleep 100 & (while :; do :; done) & echo started; wait';
    expect(await levitate(['--timeout', '1s', 'busybox', 'sh', '-c', script])).toMatchObject({
      status: 124,
      stdout: 'started\n',
    });
    expect(Date.now() - start).toBeGreaterThan(900);
    expect(Date.now() - start).toBeLessThan(8000 * SLOWNESS);
  });

  test('--memory: allocation fails, the rest goes on', async () => {
    const script =
      'head -c 200000000 /dev/zero | tail -c 190000000 >/dev/null; echo ${PIPESTATUS:-$?}; echo alive; free | grep Mem';
    const { status, stdout } = await levitate(['--memory', '64M', 'busybox', 'sh', '-c', script]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1\nalive\nMem:\s+6\d{4} /);
  });

  test('--memory bounds a tmpfs as well: ENOSPC', async () => {
    const script =
      'dd if=/dev/zero of=/tmp/big bs=1M count=200; echo $?; rm /tmp/big; echo back > /tmp/small && cat /tmp/small';
    const { stdout, stderr } = await levitate(['--memory', '64M', 'busybox', 'sh', '-c', script]);
    expect(stdout).toBe('1\nback\n');
    expect(stderr).toMatch(/No space left on device/);
  });

  test('--pids: fork fails with EAGAIN at the limit', async () => {
    const script = 'i=0; while [ $i -lt 20 ]; do sleep 100 & i=$((i+1)); done; echo all';
    const { status, stdout, stderr } = await levitate(['--pids', '10', 'busybox', 'sh', '-c', script]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/can't fork: Resource temporarily unavailable/);
    const few = await levitate([
      '--pids',
      '10',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1 & done; wait; echo all',
    ]);
    expect(few).toMatchObject({ status: 0, stdout: 'all\n' });
  });

  test('the guest changes its own copy of the root only', async () => {
    const root = scratch('own');
    mkdirSync(`${root}/bin`, { recursive: true });
    const image = (await levitate(['--print-root'])).stdout.trim();
    writeFileSync(`${root}/bin/busybox`, readFileSync(`${image}/busybox`), { mode: 0o755 });
    writeFileSync(`${root}/file`, 'old\n');
    const before = statSync(`${root}/file`);
    const script = 'echo new > /file; /bin/busybox rm /bin/busybox; echo $?; echo x > /added';
    expect(await levitate(['--root', root, '/bin/busybox', 'sh', '-c', script])).toMatchObject({
      status: 0,
      stdout: '0\n',
    });
    expect(readFileSync(`${root}/file`, 'utf8')).toBe('old\n');
    expect(statSync(`${root}/file`).mtimeMs).toBe(before.mtimeMs);
    expect([existsSync(`${root}/bin/busybox`), existsSync(`${root}/added`)]).toEqual([true, false]);
  });
});

describe('signals to the command', () => {
  test.each([
    ['SIGTERM', 15],
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGQUIT', 3],
  ])('%s reaches process 1', async (name, signal) => {
    const run = new Run([
      ...LEVITATE,
      'busybox',
      'sh',
      '-c',
      `trap 'echo got; exit 5' ${name.slice(3)}; echo up; while :; do sleep 0.1; done`,
    ]);
    await run.expect('up\n');
    run.kill(signal);
    expect(await run.ended).toMatchObject({ status: 5, stdout: 'up\ngot\n' });
  });

  test('without a handler, process 1 ends as it would on a host: 143', async () => {
    const run = new Run([...LEVITATE, 'busybox', 'sh', '-c', 'echo up; exec sleep 100']);
    await run.expect('up\n');
    run.kill(15);
    expect((await run.ended).status).toBe(143);
  });
});

/** Signals that are ignored by default or by choice, pending in user mode and in a sleep. */
const IGNORES = `
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  int p[2], me = getpid();
  char c;
  kill(me, SIGWINCH);
  signal(SIGUSR1, SIG_IGN);
  kill(me, SIGUSR1);
  if (fork() == 0) _exit(3);
  wait(0);
  pipe(p);
  if (fork() == 0) {
    usleep(200000);
    kill(me, SIGUSR1);
    usleep(200000);
    write(p[1], "x", 1);
    _exit(0);
  }
  read(p[0], &c, 1);
  wait(0);
}
`;
