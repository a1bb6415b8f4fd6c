// `import { boot } from 'levitate'` as a program outside the sources does it: from dist/, with plain Node.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

test('boot runs a program and gives its output and status', () => {
  const script = `
    import { boot } from 'levitate';
    const { status, stdout, stderr } = await boot({ argv: ['busybox', 'sh', '-c', 'cat; echo oops >&2; exit 3'], stdin: 'hello' });
    console.log(JSON.stringify([status, stdout.toString(), stderr.toString()]));`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    timeout: 25_000,
  });
  expect([result.stdout, result.stderr, result.status]).toEqual(['[3,"hello","oops\\n"]\n', '', 0]);
});

test('the command: streams, statuses', () => {
  const run = (words: string[], input = ''): [number | null, string, string] => {
    const command = join(root, 'dist/bin/levitate-run.cjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
      encoding: 'utf8',
      input,
      timeout: 25_000,
    });
    return [status, stdout, stderr];
  };
  expect(run(['busybox', 'tr', 'a-z', 'A-Z'], 'hello\n')).toEqual([0, 'HELLO\n', '']);
  expect(run(['busybox', 'sh'], 'x=$(seq 1 100 | sort -rn | head -1); echo $x; exit 7\n')).toEqual([7, '100\n', '']);
  expect(run(['busybox', 'sh', '-c', 'kill -KILL $$'])[0]).toBe(137);
  expect(run(['no-such-program'])).toEqual([127, '', expect.stringMatching(/^levitate-run: .*no-such-program/)]);
  expect(run(['/etc/passwd'])[0]).toBe(126);
  expect(run(['--timeout', '300ms', 'busybox', 'sleep', '60'])[0]).toBe(124);
  expect(
    run(['--hostname', 'box', '--env', 'A=b c', '--cwd', '/tmp', 'busybox', 'sh', '-c', 'hostname; echo "$A"; pwd']),
  ).toEqual([0, 'box\nb c\n/tmp\n', '']);
});

test('--root with a directory and with an archive', () => {
  const script = `
    set -e; d=$(mktemp -d); trap 'rm -r $d' EXIT; image=$(node dist/bin/levitate-run.cjs --print-root)
    mkdir -p $d/r/bin; cp $image/busybox $d/r/bin/sh; ln -s sh $d/r/bin/cat; echo own > $d/r/file
    tar -C $d/r -czf $d/r.tar.gz .; (cd $d/r; find . | cpio -o -H newc --quiet) > $d/r.cpio
    for root in r r.tar.gz r.cpio; do node dist/bin/levitate-run.cjs --root $d/$root /bin/sh -c '/bin/cat /file; echo changed > /file'; cat $d/r/file; done`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8', timeout: 25_000 });
  expect([stdout, stderr]).toEqual(['own\n'.repeat(6), '']);
});
