/** Which filesystems, devices and life-cycle hooks a kernel has: the one list of each. */
import type { KernelState } from '../sched/kernel-state.js';
import { devtmpfsType, registerMemDevices } from '../fs/devtmpfs/index.js';
import { procfsType } from '../fs/procfs/index.js';
import { tmpfsType } from '../fs/tmpfs/superblock.js';
import { pidfdHooks } from './ipc/pidfd.js';
import { openFifo } from './ipc/pipe-file.js';
import { devptsType, jobControlHooks, registerTtyDevices } from './tty/index.js';

export function registerFilesystems({ vfs }: KernelState): void {
  for (const type of [tmpfsType, procfsType, devtmpfsType, devptsType]) vfs.registerType(type);
}

export function registerDevices(kernel: KernelState): void {
  registerMemDevices(kernel);
  registerTtyDevices(kernel);
  kernel.vfs.fifoOpen = openFifo;
}

export function registerHooks(kernel: KernelState): void {
  kernel.hooks.register(pidfdHooks);
  kernel.hooks.register(jobControlHooks);
}
