/** Which test files run on AArch64 unless others are named. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const SUITES = ['test/syscalls/', 'test/platform/'];

/** Test files that a pattern matches, relative to the clone. */
export function chosenTests(patterns) {
  const root = join(import.meta.dirname, '../..');
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'test'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = listed.split('\n').filter((name) => name.endsWith('.test.ts'));
  const wanted = (patterns.length > 0 ? patterns : SUITES).map((text) => new RegExp(text));
  const chosen = files.filter((name) => wanted.some((pattern) => pattern.test(name)));
  if (chosen.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`);
  return chosen;
}
