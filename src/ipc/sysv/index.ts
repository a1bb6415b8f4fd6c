/** System V IPC as a part of a kernel: its tables in /proc/sysvipc. */
import type { KernelState } from '../../../sched/kernel-state.js';
import { addProcFile } from '../../../fs/procfs/index.js';
import type { IpcObject, IpcSet } from './ipc.js';
import { queues } from './msg.js';
import { sets } from './sem.js';
import { segments } from './shm.js';

export { semHooks } from './sem.js';

const MSG =
  '       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n';
const SEM = '       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n';
const SHM =
  '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime' +
  '      ctime                   rss                  swap\n';

export function registerSysv(kernel: KernelState): void {
  const table = (header: string, all: () => IpcSet<IpcObject>) => (): string => {
    let text = header;
    for (const object of all().all()) text += object.procLine();
    return text;
  };
  addProcFile(
    kernel,
    'sysvipc/msg',
    table(MSG, () => queues(kernel)),
  );
  addProcFile(
    kernel,
    'sysvipc/sem',
    table(SEM, () => sets(kernel)),
  );
  addProcFile(
    kernel,
    'sysvipc/shm',
    table(SHM, () => segments(kernel)),
  );
}
