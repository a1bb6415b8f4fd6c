/** What the leak check counts: open files without a name, superblocks that are in no tree, timers. */
import { expect, test } from '@jest/globals';
import { AT_FDCWD, O_CREAT, O_RDWR } from '../../src/abi/flags/open.js';
import { MNT_DETACH } from '../../src/abi/flags/mount.js';
import { dropFile } from '../../fs/fd-table.js';
import { AnonFile } from '../../fs/anon-inode.js';
import { mount, umount } from '../../fs/mount-ops.js';
import { mkdir } from '../../fs/namespace-ops.js';
import { discardFile, openAt } from '../../fs/open.js';
import { Timers } from '../../sched/timers.js';
import { countsOf, growth } from '../support/leaks.js';
import { testKernel } from './fake.js';

function setup() {
  const made = testKernel({ memory: 1 << 20 });
  Object.assign(made.kernel, { memory: { committedBytes: 0 } });
  return made;
}

test('an open file without a name', () => {
  const { kernel } = setup();
  discardFile(new AnonFile(kernel, '[test]', 0));
  const before = countsOf(kernel);
  const file = new AnonFile(kernel, '[test]', 0);
  expect(growth(before, countsOf(kernel))).toEqual(['1 more open file descriptions (1)']);
  file.references++;
  dropFile(file);
  expect(growth(before, countsOf(kernel))).toEqual([]);
});

test('a file of a filesystem that is mounted no more', () => {
  const { kernel, task } = setup();
  mkdir(task, AT_FDCWD, '/m', 0o755);
  const before = countsOf(kernel);
  mount(task, 'none', '/m', 'tmpfs', 0, '');
  const file = openAt(task, AT_FDCWD, '/m/f', O_CREAT | O_RDWR, 0o600);
  umount(task, '/m', MNT_DETACH);
  expect(growth(before, countsOf(kernel)).map((line) => line.replace(/ \(.*/, ''))).toEqual([
    '1 more superblocks',
    '1 more open file descriptions',
  ]);
  discardFile(file);
  expect(growth(before, countsOf(kernel))).toEqual([]);
});

test('timers: those that will run', () => {
  const timers = new Timers();
  const first = timers.add(1, () => first.cancel());
  const second = timers.add(2, () => {});
  expect(timers.size).toBe(2);
  timers.run(1);
  first.cancel();
  expect(timers.size).toBe(1);
  second.cancel();
  second.cancel();
  expect(timers.size).toBe(0);
});
