/**
 * devtmpfs: the one /dev of a kernel, made with its nodes at first mount; every further mount shows the same (drivers/base/
 * devtmpfs.c). It is a tmpfs with mode 0755: programs may add nodes, links and directories.
 *
 * The nodes are names for numbers only; what they do is registered with `vfs.registerDevice` (memory devices here,
 * terminals in src/tty). The links fd, stdin, stdout, stderr are udev's work on a Linux system; here they come with it.
 */
import { S_IFCHR } from '../../src/abi/flags/stat.js';
import { loginCredentials } from '../../sched/credentials.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { TmpfsDirectory } from '../tmpfs/directory.js';
import { TmpfsSuperBlock } from '../tmpfs/superblock.js';
import type { FilesystemType } from '../vfs.js';

export { registerMemDevices } from './mem-devices.js';

/** name, major, minor, mode. */
const NODES: readonly (readonly [string, number, number, number])[] = [
  ['console', 5, 1, 0o600],
  ['full', 1, 7, 0o666],
  ['kmsg', 1, 11, 0o644],
  ['null', 1, 3, 0o666],
  ['ptmx', 5, 2, 0o666],
  ['random', 1, 8, 0o666],
  ['tty', 5, 0, 0o666],
  ['urandom', 1, 9, 0o666],
  ['zero', 1, 5, 0o666],
];
const LINKS: readonly (readonly [string, string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];
const DIRECTORIES: readonly (readonly [string, number])[] = [
  ['mqueue', 0o1777],
  ['pts', 0o755],
  ['shm', 0o1777],
];

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    devtmpfs?: DevtmpfsSuperBlock;
  }
}

export class DevtmpfsSuperBlock extends TmpfsSuperBlock {
  override readonly fsType = 'devtmpfs';

  constructor(kernel: KernelState) {
    super(kernel, 'mode=755', 0o755);
    const root = this.root as TmpfsDirectory;
    const creds = loginCredentials(0, 0);
    for (const [name, mode] of DIRECTORIES) root.mkdir(name, mode, creds);
    for (const [name, major, minor, mode] of NODES) root.mknod(name, S_IFCHR | mode, major, minor, creds);
    for (const [name, target] of LINKS) root.symlink(name, target, creds);
  }
  /** It lives as long as the kernel. */
  override shutdown(): void {}
}

/** The kernel's /dev, made if need be. */
export function devtmpfs(kernel: KernelState): DevtmpfsSuperBlock {
  return (kernel.devtmpfs ??= new DevtmpfsSuperBlock(kernel));
}

/** A driver adds its node (a terminal). `name` is directly below /dev. */
export function addDeviceNode(
  kernel: KernelState,
  name: string,
  major: number,
  minor: number,
  mode: number,
  gid = 0,
): void {
  const root = devtmpfs(kernel).root as TmpfsDirectory;
  if (root.lookup(name) !== null) return;
  const inode = root.mknod(name, S_IFCHR | mode, major, minor, loginCredentials(0, 0));
  inode.gid = gid;
  kernel.vfs.forget(root, name);
}

export const devtmpfsType: FilesystemType = { name: 'devtmpfs', get: (kernel) => devtmpfs(kernel) };
