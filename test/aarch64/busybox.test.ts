/** BusyBox in levitate on AArch64: a shell's own doings and some fifty applets say what they say natively in the same machine. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutWarning } from '../e2e/leaks.js';

const BUSYBOX = join(import.meta.dirname, '../../guests/busybox');
const LEVITATE = join(import.meta.dirname, '../../dist/bin/levitate-run.cjs');
const LIMIT_MS = 300_000;

interface Ending {
  status: number | null;
  stdout: string;
  stderr: string;
}

let applets = '';
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'levitate-busybox-'));
  applets = join(folder, 'bin');
  mkdirSync(applets);
  expect(spawnSync(BUSYBOX, ['--install', '-s', applets]).status).toBe(0);
});

function run(command: string, words: readonly string[], PATH: string): Ending {
  const env = { PATH, HOME: '/root', XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'], NODE_OPTIONS: '--jitless' };
  const { status, stdout, stderr } = spawnSync(command, words, { env, encoding: 'utf8', timeout: LIMIT_MS, input: '' });
  return { status, stdout, stderr: withoutWarning(stderr) };
}
// In a session of its own, as in levitate: without a terminal.
const natively = (script: string): Ending => run(BUSYBOX, ['setsid', BUSYBOX, 'sh', '-c', script], applets);
const inLevitate = (script: string): Ending =>
  run(process.execPath, [LEVITATE, 'busybox', 'sh', '-c', script], process.env['PATH'] ?? '/usr/bin');

/** Both run in an empty folder. */
function same(script: string): void {
  const there = `mkdir -p /tmp/same.$$ && cd /tmp/same.$$ || exit 99\n${script}`;
  const host = natively(there);
  const guest = inLevitate(there);
  expect(guest).toEqual(host);
  expect(host.stdout).not.toBe('');
}

test('the machine is called by its name', () => {
  expect(inLevitate('uname -m; exit 7')).toEqual({ status: 7, stdout: 'aarch64\n', stderr: '' });
});

describe('the shell', () => {
  test('pipes, substitutions, functions, here-documents, arithmetic', () =>
    same(`
      f() { local x=$1; echo $((x * 7 % 5)) "\${x#a}"; }
      for i in 1 2 3; do f $i; done | sort -r | while read a b; do echo "$b-$a"; done
      cat <<END | tr a-z A-Z
      here $(echo sub $(echo nested)) \${HOME}
END
      case abc in a*) echo matched;; esac
      set -- x y z; shift; echo $# "$@"; (exit 5); echo $?; false || true && echo end`));
  test('signals, traps, background jobs, exit statuses', () =>
    same(`
      trap 'echo usr1' USR1; trap 'echo bye' EXIT
      kill -USR1 $$; echo after
      # The shell tells of a job that ends while it is waited for, and not of one that had ended before.
      sleep 100 & p=$!; (sleep 2; kill $p) & wait $p; echo killed $?
      sleep 100 & kill $!; sleep 2; wait $!; echo killed $?
      sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -KILL $$'; echo $?
      (sleep 0; exit 3) & wait $!; echo $?; ulimit -c 0; sh -c 'kill -ABRT $$'; echo $?`));
  test('job control', () =>
    same(`
      set -m; sleep 100 & sleep 0; kill -STOP $!; sleep 1; jobs | sed 's/  */ /g'
      kill -CONT $!; kill $!; wait $! 2>/dev/null; echo $?`));
  test('files, redirections, links, permissions', () =>
    same(`
      echo one >a; echo two >>a; exec 3<a; read x <&3; echo $x; exec 3<&-
      ln a b; ln -s a c; ls -1; stat -c '%n %h %s %F' a b c; chmod 640 a; ls -l a | cut -c1-10
      mkdir -p d/e/f; find d | sort; rm -r d; test -e d; echo $?; mv a z; cat c 2>&1; readlink c`));
});

const APPLETS = `
  echo text | awk '{ print length($1), toupper($1) }'
  echo hello | base64; echo hello | base64 | base64 -d; basename /a/b.c .c; dirname /a/b
  printf 'a\\nb\\nc\\n' >f; printf 'a\\nx\\nc\\n' >g; cat f; cmp f g; comm f g; cp f h; diff f g; cksum f; md5sum f; sha1sum f
  sha256sum f; sha512sum f; crc32 f; head -n1 f; tail -n1 f; tac f; rev f; nl f; wc f; od -c f; hexdump -C f; xxd f; fold -w1 f; paste f g
  seq 5 -1 1; seq 3 | shuf | sort -n; seq 20 | uniq | tail -3; expr 6 '*' 7; factor 360; bc <<END
2^10
END
  echo '1 2 + p' | dc; cut -d: -f1 /etc/passwd | head -1; date -u -d @0; env -i A=b env; expand f; false; echo $?; true; grep -n b f
  gzip -c f | gunzip; bzip2 -c f | bunzip2; tar cf t.tar f g; tar tf t.tar; ls | cpio -o 2>/dev/null | cpio -t 2>/dev/null | sort
  sed 's/b/[&]/;$d' f; split -l1 f part; ls part*; strings /bin/busybox | head -c0; sum f; tee copy <f; touch -d @86400 f; stat -c %Y f
  tr abc xyz <f; truncate -s 10 f; stat -c %s f; tsort <<END
a b
b c
END
  uudecode -o /dev/stdout <<END
begin 644 x
#86)C
\`
end
END
  which sh | sed 's#.*/##'; xargs -n1 echo <g; yes | head -n2; dd if=g bs=1 count=3 2>/dev/null; mktemp -u XXXXXX | wc -c; printf '%05d|%x\\n' 42 255
  unexpand -a g; realpath . | sed 's/[0-9]*$//'; sync; id -u; logname 2>/dev/null; nproc >/dev/null; sleep 0; test 1 -lt 2 && echo yes; usleep 1`;
test('applets', () => same(APPLETS));
