/** Which filesystems, devices and life-cycle hooks a kernel has: the one list of each. */
import type { KernelState } from '../sched/kernel-state.js';
import { devtmpfsType, registerMemDevices } from '../fs/devtmpfs/index.js';
import { lockHooks } from '../fs/locks.js';
import { procfsType } from '../fs/procfs/index.js';
import { sysfsType } from '../fs/sysfs/index.js';
import { tmpfsType } from '../fs/tmpfs/superblock.js';
import { sleepHooks } from '../syscalls/file-io.js';
import { pidfdHooks } from './ipc/pidfd.js';
import { openFifo } from './ipc/pipe-file.js';
import { registerSysv, semHooks } from './ipc/sysv/index.js';
import { registerNetworking } from './net/index.js';
import { devptsType, jobControlHooks, registerTtyDevices } from './tty/index.js';

export function registerFilesystems({ vfs }: KernelState): void {
  for (const type of [tmpfsType, procfsType, sysfsType, devtmpfsType, devptsType]) vfs.registerType(type);
}

export function registerDevices(kernel: KernelState): void {
  registerMemDevices(kernel);
  registerTtyDevices(kernel);
  registerSysv(kernel);
  registerNetworking(kernel);
  kernel.vfs.fifoOpen = openFifo;
}

/** In order of registration at clone and exec, in reverse at exit; after those of fs. */
export function registerHooks(kernel: KernelState): void {
  for (const hooks of [lockHooks, sleepHooks, semHooks, pidfdHooks, jobControlHooks]) kernel.hooks.register(hooks);
}
