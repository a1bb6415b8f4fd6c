/**
 * memfd_create(2): files of a tmpfs that is mounted nowhere (mm/memfd.c, shm_mnt). Seals are kept by the inode
 * (fs/tmpfs/inode.ts); fcntl changes them.
 */
import { O_LARGEFILE, O_RDWR } from '../src/abi/flags/open.js';
import { F_SEAL_SEAL } from '../src/abi/flags/fcntl.js';
import { S_IFREG } from '../src/abi/flags/stat.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { Task } from '../sched/task.js';
import { Dentry } from './dentry.js';
import type { OpenFile } from './file.js';
import type { Mount } from './mount.js';
import { track } from './references.js';
import { F_SEAL_EXEC, TmpfsFile } from './tmpfs/inode.js';
import { TmpfsSuperBlock } from './tmpfs/superblock.js';

declare module '../sched/kernel-state.js' {
  interface KernelState {
    /** The unmounted tmpfs of memfds; made by the first one. */
    shmMount?: Mount;
  }
}

function shmMount(kernel: KernelState): Mount {
  if (kernel.shmMount === undefined) {
    const sb = new TmpfsSuperBlock(kernel, 'size=0,nr_inodes=0');
    kernel.shmMount = kernel.vfs.newMount(sb, sb.rootDentry, 'tmpfs', 0);
  }
  return kernel.shmMount;
}

/** A new file, readable and writable, shown as /memfd:NAME (deleted). */
export function createMemfd(task: Task, name: string, sealable: boolean, noExec: boolean): OpenFile {
  const { kernel, creds } = task;
  const mount = shmMount(kernel);
  const mode = S_IFREG | (noExec ? 0o666 : 0o777);
  const inode = new TmpfsFile(mount.sb as TmpfsSuperBlock, { mode, uid: creds.fsuid, gid: creds.fsgid });
  inode.nlink = 0;
  inode.seals = (sealable || noExec ? 0 : F_SEAL_SEAL) | (noExec ? F_SEAL_EXEC : 0);
  const dentry = new Dentry(`memfd:${name}`, mount.root, inode);
  dentry.unlinked = true;
  const file = inode.open(task, O_RDWR | O_LARGEFILE[kernel.platform.arch]);
  file.place = { mount, dentry };
  file.opener = creds;
  track(file);
  return file;
}
