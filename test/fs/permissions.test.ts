import fc from 'fast-check';
import { AT_FDCWD, O_CREAT, O_RDWR, O_WRONLY } from '../../src/abi/flags/open.js';
import { S_IFDIR, S_IFREG } from '../../src/abi/flags/stat.js';
import { loginCredentials } from '../../sched/credentials.js';
import { CAP_DAC_READ_SEARCH } from '../../src/abi/flags/capability.js';
import type { Task } from '../../sched/task.js';
import { changeMode, changeOwner, changeTimes, setSize } from '../../fs/attributes.js';
import type { Inode } from '../../fs/inode.js';
import { mkdir, rmdir, unlink } from '../../fs/namespace-ops.js';
import { permits } from '../../fs/permissions.js';
import { rename } from '../../fs/rename.js';
import { resolve } from '../../fs/walk.js';
import { close, open, outcome, testKernel, writeBytes, writeFile } from './fake.js';

const inodeAt = (task: Task, path: string): Inode => resolve(task, AT_FDCWD, path, 0).dentry.inode!;
const as = (task: Task, uid: number, gid = uid, groups: number[] = []): void => {
  task.creds = loginCredentials(uid, gid, groups);
};

describe('permission bits', () => {
  test('owner, group and other are exclusive; capabilities on top', () => {
    const id = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(
        fc.record({ mode: fc.integer({ min: 0, max: 0o777 }), dir: fc.boolean(), uid: id, gid: id }),
        fc.record({ uid: id, gid: id, groups: fc.array(id, { maxLength: 2 }), search: fc.boolean() }),
        fc.integer({ min: 1, max: 7 }),
        ({ mode, dir, uid, gid }, who, mask) => {
          const inode = { mode: mode | (dir ? S_IFDIR : S_IFREG), uid, gid, acls: null } as Inode;
          const base = loginCredentials(who.uid, who.gid, who.groups);
          const creds =
            who.search && who.uid !== 0 ? { ...base, capEffective: 1n << BigInt(CAP_DAC_READ_SEARCH) } : base;
          const member = who.gid === gid || who.groups.includes(gid);
          const bits = who.uid === uid ? mode >> 6 : member ? mode >> 3 : mode;
          let expected = (bits & mask) === mask;
          if (who.uid === 0) expected ||= dir || (mask & 1) === 0 || (mode & 0o111) !== 0;
          else if (who.search) expected ||= dir ? (mask & 2) === 0 : mask === 4;
          expect(permits(inode, mask, creds)).toBe(expected);
        },
      ),
    );
  });

  test('sticky directories', () => {
    const { task } = testKernel();
    task.fs.umask = 0;
    mkdir(task, AT_FDCWD, '/tmp', 0o1777);
    as(task, 1);
    writeFile(task, '/tmp/one', '');
    mkdir(task, AT_FDCWD, '/tmp/dir', 0o777);
    as(task, 2);
    writeFile(task, '/tmp/two', '');
    expect(outcome(() => unlink(task, AT_FDCWD, '/tmp/one'))).toBe('EPERM');
    expect(outcome(() => rmdir(task, AT_FDCWD, '/tmp/dir'))).toBe('EPERM');
    expect(outcome(() => rename(task, AT_FDCWD, '/tmp/two', AT_FDCWD, '/tmp/one', 0))).toBe('EPERM');
    expect(outcome(() => rename(task, AT_FDCWD, '/tmp/one', AT_FDCWD, '/tmp/x', 0))).toBe('EPERM');
    expect(outcome(() => unlink(task, AT_FDCWD, '/tmp/two'))).toBeUndefined();
    as(task, 1);
    expect(outcome(() => unlink(task, AT_FDCWD, '/tmp/one'))).toBeUndefined();
  });

  test('set-gid directories pass their group on', () => {
    const { task } = testKernel();
    task.fs.umask = 0;
    mkdir(task, AT_FDCWD, '/s', 0o777);
    changeOwner(task, { inode: inodeAt(task, '/s'), place: null }, 0, 50);
    changeMode(task, { inode: inodeAt(task, '/s'), place: null }, 0o2777);
    as(task, 1);
    writeFile(task, '/s/f', '', 0o2755);
    mkdir(task, AT_FDCWD, '/s/d', 0o755);
    expect(inodeAt(task, '/s/f')).toMatchObject({ mode: 0o100755, gid: 50, uid: 1 });
    expect(inodeAt(task, '/s/d')).toMatchObject({ mode: 0o042755, gid: 50 });
  });
});

describe('changing attributes', () => {
  function fixture() {
    const kernel = testKernel();
    const { task } = kernel;
    writeFile(task, '/f', 'x');
    changeOwner(task, { inode: inodeAt(task, '/f'), place: null }, 1, 1);
    return { ...kernel, inode: inodeAt(task, '/f') };
  }

  test('chmod: owner or capability; set-gid only within the group', () => {
    const { task, inode } = fixture();
    as(task, 2);
    expect(outcome(() => changeMode(task, { inode: inode, place: null }, 0o777))).toBe('EPERM');
    as(task, 1, 9);
    changeMode(task, { inode: inode, place: null }, 0o6755);
    expect(inode.mode & 0o7777).toBe(0o4755);
    as(task, 1, 9, [1]);
    changeMode(task, { inode: inode, place: null }, 0o6755);
    expect(inode.mode & 0o7777).toBe(0o6755);
  });

  test('chown: groups one is in; set-id bits go, even for root and nothing', () => {
    const { task, inode } = fixture();
    changeMode(task, { inode: inode, place: null }, 0o6755);
    as(task, 1, 1, [7]);
    expect(outcome(() => changeOwner(task, { inode: inode, place: null }, 2, -1))).toBe('EPERM');
    expect(outcome(() => changeOwner(task, { inode: inode, place: null }, -1, 8))).toBe('EPERM');
    changeOwner(task, { inode: inode, place: null }, 1, 7);
    expect(inode).toMatchObject({ uid: 1, gid: 7, mode: 0o100755 });
    as(task, 0);
    changeMode(task, { inode: inode, place: null }, 0o4755);
    changeOwner(task, { inode: inode, place: null }, -1, -1);
    expect(inode.mode).toBe(0o100755);
    changeMode(task, { inode: inode, place: null }, 0o2644); // no group execute: mandatory locking's bit stays for root
    changeOwner(task, { inode: inode, place: null }, -1, -1);
    expect(inode.mode).toBe(0o102644);
  });

  test('writing and truncating take set-id bits from the unprivileged', () => {
    const { task, inode } = fixture();
    changeMode(task, { inode: inode, place: null }, 0o6777);
    const file = open(task, '/f', O_RDWR);
    writeBytes(task, file, 'y');
    expect(inode.mode & 0o7777).toBe(0o6777);
    as(task, 5);
    writeBytes(task, file, 'y');
    expect(inode.mode & 0o7777).toBe(0o777);
    as(task, 0);
    changeMode(task, { inode: inode, place: null }, 0o6777);
    as(task, 5);
    setSize(task, inode, 0);
    expect(inode.mode & 0o7777).toBe(0o777);
    close(file);
  });

  test('times: now needs write permission, explicit ones ownership', () => {
    const { task, inode, clock } = fixture();
    const when = { sec: 5, nsec: 6 };
    changeMode(task, { inode: inode, place: null }, 0o646);
    as(task, 2);
    expect(outcome(() => changeTimes(task, { inode: inode, place: null }, when, when, false))).toBe('EPERM');
    expect(outcome(() => changeTimes(task, { inode: inode, place: null }, 'now', null, false))).toBe('EPERM');
    clock.seconds += 100;
    changeTimes(task, { inode: inode, place: null }, 'now', 'now', true);
    expect(inode).toMatchObject({ atimeSec: clock.seconds, mtimeSec: clock.seconds });
    as(task, 1);
    changeMode(task, { inode: inode, place: null }, 0o444);
    changeTimes(task, { inode: inode, place: null }, when, null, false);
    expect(inode).toMatchObject({ atimeSec: 5, atimeNsec: 6, mtimeSec: clock.seconds, ctimeSec: clock.seconds });
    as(task, 2);
    expect(outcome(() => changeTimes(task, { inode: inode, place: null }, 'now', 'now', true))).toBe('EACCES');
  });

  test('creating needs write and search permission', () => {
    const { task } = fixture();
    mkdir(task, AT_FDCWD, '/d', 0o755);
    as(task, 1);
    expect(outcome(() => open(task, '/d/x', O_CREAT | O_WRONLY))).toBe('EACCES');
    expect(outcome(() => mkdir(task, AT_FDCWD, '/d/x', 0o755))).toBe('EACCES');
  });
});
