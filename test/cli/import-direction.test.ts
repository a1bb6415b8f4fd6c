import { expect, test } from '@jest/globals';
import { violation } from '../../.ci/lint/import-direction.mjs';

test.each<[string, string, boolean]>([
  ['src/mm/map.ts', 'src/abi/errno.ts', false],
  ['src/mm/map.ts', 'src/mm/frames.ts', false],
  ['src/mm/map.ts', 'sched/task.ts', true],
  ['sched/task.ts', 'fs/file.ts', true],
  ['fs/file.ts', 'sched/task.ts', false],
  ['src/tty/line.ts', 'src/ipc/pipe.ts', true],
  ['src/net/unix.ts', 'fs/file.ts', false],
  ['syscalls/file.ts', 'src/kernel.ts', true],
  ['src/kernel.ts', 'syscalls/index.ts', false],
  ['src/trace/strace.ts', 'syscalls/row.ts', false],
  ['syscalls/row.ts', 'src/trace/strace.ts', true],
  ['src/api/run.ts', 'src/cli/options.ts', false],
  ['src/kernel.ts', 'src/api/run.ts', true],
  ['src/abi/errno.ts', 'src/platform/platform.ts', true],
  ['fs/tmpfs.ts', 'test/support/index.ts', true],
  ['test/x.test.ts', 'src/kernel.ts', false],
])('%s imports %s: %s', (from, to, wrong) => {
  expect(violation(from, to) !== undefined).toBe(wrong);
});
