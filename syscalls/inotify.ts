/**
 * inotify(7), fanotify(7).
 */
import { EINVAL, errno } from '../src/abi/errno.js';
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK } from '../src/abi/flags/open.js';
import {
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_ONLYDIR,
} from '../src/abi/flags/poll.js';
import type { Task } from '../sched/task.js';
import { readPath } from '../fs/guest-path.js';
import { MAY_READ, checkPermission } from '../fs/permissions.js';
import { sysctlNumber } from '../fs/procfs/sysctl.js';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, resolve } from '../fs/walk.js';
import { InotifyFile } from '../src/ipc/inotify.js';
import { installFile, ioFile } from './file-io.js';
import { absent, dirfd, dynamic, fd, flags, int, path, row, type Row } from './row.js';

const EVENTS = 0xfff;
/** IN_ISDIR and IN_UNMOUNT may be given and mean nothing. */
const VALID =
  EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT | 0x4000e000;

function inotifyInit1(task: Task, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) throw errno(EINVAL);
  const limit = sysctlNumber(task.kernel, 'fs/inotify/max_queued_events', 16384);
  return installFile(task, new InotifyFile(task.kernel, flags & O_NONBLOCK, limit), (flags & O_CLOEXEC) !== 0);
}

function inotifyFile(task: Task, fd: number): InotifyFile {
  const file = ioFile(task, fd);
  if (!(file instanceof InotifyFile)) throw errno(EINVAL);
  return file;
}

function inotifyAddWatch(task: Task, fd: number, pathname: number, mask: number): number {
  if ((mask & VALID) === 0) throw errno(EINVAL);
  const file = ioFile(task, fd);
  if ((mask & IN_MASK_ADD) !== 0 && (mask & IN_MASK_CREATE) !== 0) throw errno(EINVAL);
  if (!(file instanceof InotifyFile)) throw errno(EINVAL);
  const follow = (mask & IN_DONT_FOLLOW) === 0 ? LOOKUP_FOLLOW : 0;
  const directory = (mask & IN_ONLYDIR) !== 0 ? LOOKUP_DIRECTORY : 0;
  const { dentry } = resolve(task, AT_FDCWD, readPath(task, pathname), follow | directory);
  checkPermission(dentry.inode!, MAY_READ, task.creds);
  return file.add(dentry.inode!, mask);
}

function inotifyRmWatch(task: Task, fd: number, wd: number): number {
  inotifyFile(task, fd).remove(wd);
  return 0;
}

export const rows: readonly Row[] = [
  row('inotify_init', { x86_64: 253 }, [], { ret: 'fd', classes: ['desc'] }, (task) => inotifyInit1(task, 0)),
  row(
    'inotify_init1',
    { x86_64: 294, aarch64: 26 },
    [flags('flags', 'inotify_init_flags')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    inotifyInit1,
  ),
  row(
    'inotify_add_watch',
    { x86_64: 254, aarch64: 27 },
    [fd('fd'), path('pathname'), flags('mask', 'inotify_flags')],
    { classes: ['desc', 'file'] },
    inotifyAddWatch,
  ),
  row(
    'inotify_rm_watch',
    { x86_64: 255, aarch64: 28 },
    [fd('fd'), int('wd')],
    { ret: 'zero', classes: ['desc'] },
    inotifyRmWatch,
  ),
  absent(
    'fanotify_init',
    { x86_64: 300, aarch64: 262 },
    [dynamic('flags', 'fanotify_init_flags', 'uint'), dynamic('event_f_flags', 'open_flags', 'uint')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent(
    'fanotify_mark',
    { x86_64: 301, aarch64: 263 },
    [
      fd('fanotify_fd'),
      flags('flags', 'fan_mark_flags'),
      dynamic('mask', 'fanotify_mask'),
      dirfd('dirfd'),
      path('pathname'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
