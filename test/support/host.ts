/**
 * Runs a script natively: the oracle. It gets mount, pid, ipc, uts and network namespaces of its own and, as its root, a
 * small tmpfs that holds the executor, /dev, /proc and /tmp, so that nothing of the host can be touched.
 *
 * Without root, a user namespace maps this user to root and subordinate ids (newuidmap) to the others.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export interface RunResult {
  status: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: Buffer;
  /** What the kernel held more of after a test than before, by number of the test. Only levitate knows. */
  leaks?: ReadonlyMap<number, readonly string[]>;
}

/** Whether the host is Linux `major`.`minor` or later. */
export function hostIsSince(major: number, minor: number): boolean {
  const [first, second] = release().split('.').map(Number);
  return first > major || (first === major && second >= minor);
}

const root = process.getuid?.() === 0;

const setUp = `
set -e
cd "$1"
mount -t tmpfs -o mode=755,size=512m none root
cp executor script root
cd root
mkdir dev proc tmp etc
mount -t tmpfs -o mode=755 none dev
chmod 1777 tmp
chmod 755 executor
chmod 644 script
for node in null:3 zero:5 full:7 random:8 urandom:9; do
  name=\${node%:*}
  if [ "$2" = mknod ]; then mknod -m 666 "dev/$name" c 1 "\${node#*:}"; else touch "dev/$name"; mount --bind "/dev/$name" "dev/$name"; fi
done
mount -t proc none proc
exec ./executor --pivot /script "$3"
`;

function unshareArguments(): string[] {
  const namespaces = ['-m', '-p', '-i', '-u', '-n', '-f'];
  if (root) return namespaces;
  const name = userInfo().username;
  const subordinate = existsSync('/usr/bin/newuidmap') && readFileSync('/etc/subuid', 'utf8').includes(`${name}:`);
  return [...(subordinate ? ['--map-auto', '--map-root-user'] : ['-U', '-r']), ...namespaces];
}

/** Runs the tests of `script` from number `first` on. */
export async function runOnHost(
  executor: string,
  script: Buffer,
  first: number,
  timeoutMs: number,
): Promise<RunResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'levitate-host-'));
  try {
    mkdirSync(join(scratch, 'root'));
    writeFileSync(join(scratch, 'executor'), readFileSync(executor));
    writeFileSync(join(scratch, 'script'), script);
    return await new Promise<RunResult>((resolve, reject) => {
      const child = spawn(
        'unshare',
        [...unshareArguments(), 'sh', '-c', setUp, 'sh', scratch, root ? 'mknod' : 'bind', String(first)],
        { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
      );
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('error', reject);
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        resolve({ status, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err) });
      });
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
