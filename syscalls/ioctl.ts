/** ioctl(2): the requests any file understands (fs/ioctl.c, do_vfs_ioctl), then the file's own. */
import { EAGAIN, ENOTTY, errno } from '../src/abi/errno.js';
import { FASYNC, O_NONBLOCK } from '../src/abi/flags/open.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../src/abi/flags/stat.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import { getFileFlags, setFileFlags } from '../fs/file-flags.js';
import { setAsync } from '../fs/async-io.js';
import {
  FIGETBSZ,
  FIOASYNC,
  FIOCLEX,
  FIONBIO,
  FIONCLEX,
  FIOQSIZE,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
} from '../src/abi/flags/ioctl.js';
import { blockOn, ioFile } from './file-io.js';

export function ioctl(task: Task, fd: number, request: number, arg: number): number {
  const file = ioFile(task, fd);
  const { mm, files } = task;
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      files.setCloexec(fd, request === FIOCLEX);
      return 0;
    case FIONBIO:
      if (mm.readU32(arg) !== 0) file.flags |= O_NONBLOCK;
      else file.flags &= ~O_NONBLOCK;
      file.flagsChanged();
      return 0;
    case FIOASYNC: {
      const on = mm.readU32(arg) !== 0;
      if (on !== ((file.flags & FASYNC) !== 0) && !setAsync(task, file, fd, on)) throw errno(ENOTTY);
      return 0;
    }
    case FIOQSIZE: {
      const { type, size } = file.inode;
      if (type !== S_IFREG && type !== S_IFDIR && type !== S_IFLNK) throw errno(ENOTTY);
      mm.writeU64(arg, size);
      return 0;
    }
    case FS_IOC_GETFLAGS:
      mm.writeU32(arg, getFileFlags(file));
      return 0;
    case FS_IOC_SETFLAGS:
      setFileFlags(task, file, mm.readU32(arg));
      return 0;
    case FIGETBSZ:
      mm.writeU32(arg, file.inode.sb.statfs().bsize);
      return 0;
  }
  const result = file.ioctl(task, request, arg);
  if (result !== WOULD_BLOCK) return result;
  if ((file.flags & O_NONBLOCK) !== 0) throw errno(EAGAIN);
  return blockOn(task, file, () => file.ioctl(task, request, arg));
}
