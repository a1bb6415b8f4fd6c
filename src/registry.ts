/** Which filesystems, devices and life-cycle hooks a kernel has: the one list of each. */
import type { KernelState } from '../sched/kernel-state.js';
import { devtmpfsType, registerMemDevices } from '../fs/devtmpfs/index.js';
import { procfsType } from '../fs/procfs/index.js';
import { tmpfsType } from '../fs/tmpfs/superblock.js';
import { pidfdHooks } from './ipc/pidfd.js';
import { openFifo } from './ipc/pipe-file.js';

export function registerFilesystems({ vfs }: KernelState): void {
  vfs.registerType(tmpfsType);
  vfs.registerType(procfsType);
  vfs.registerType(devtmpfsType);
}

export function registerDevices(kernel: KernelState): void {
  registerMemDevices(kernel);
  kernel.vfs.fifoOpen = openFifo;
}

export function registerHooks(kernel: KernelState): void {
  kernel.hooks.register(pidfdHooks);
}
