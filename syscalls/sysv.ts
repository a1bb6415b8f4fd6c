/**
 * System V IPC: shared memory, semaphores, message queues.
 */
import { absent, addr, dynamic, flags, int, long, size, struct, uint, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'shmget',
    { x86_64: 29, aarch64: 194 },
    [dynamic('key', 'ipc_key', 'int'), size('size'), dynamic('shmflg', 'shm_flags', 'uint')],
    { classes: ['ipc'] },
  ),
  absent('shmat', { x86_64: 30, aarch64: 196 }, [int('shmid'), addr('shmaddr'), flags('shmflg', 'shm_flags')], {
    ret: 'addr',
    classes: ['ipc', 'memory'],
  }),
  absent('shmdt', { x86_64: 67, aarch64: 197 }, [addr('shmaddr')], { ret: 'zero', classes: ['ipc', 'memory'] }),
  absent(
    'shmctl',
    { x86_64: 31, aarch64: 195 },
    [int('shmid'), dynamic('cmd', 'shmctl_cmd', 'int'), dynamic('buf', 'shmctl_buf')],
    { classes: ['ipc'] },
  ),
  absent(
    'semget',
    { x86_64: 64, aarch64: 190 },
    [dynamic('key', 'ipc_key', 'int'), int('nsems'), dynamic('semflg', 'ipc_flags', 'uint')],
    { classes: ['ipc'] },
  ),
  absent('semop', { x86_64: 65, aarch64: 193 }, [int('semid'), dynamic('sops', 'sembufs'), uint('nsops')], {
    ret: 'zero',
    classes: ['ipc'],
  }),
  absent(
    'semtimedop',
    { x86_64: 220, aarch64: 192 },
    [int('semid'), dynamic('sops', 'sembufs'), uint('nsops'), struct('timeout', 'in', 'timespec')],
    { ret: 'zero', classes: ['ipc'] },
  ),
  absent(
    'semctl',
    { x86_64: 66, aarch64: 191 },
    [int('semid'), int('semnum'), dynamic('cmd', 'semctl_cmd', 'int'), dynamic('arg', 'semctl_arg')],
    { classes: ['ipc'] },
  ),
  absent(
    'msgget',
    { x86_64: 68, aarch64: 186 },
    [dynamic('key', 'ipc_key', 'int'), dynamic('msgflg', 'ipc_flags', 'uint')],
    { classes: ['ipc'] },
  ),
  absent(
    'msgsnd',
    { x86_64: 69, aarch64: 189 },
    [int('msqid'), dynamic('msgp', 'msgbuf'), size('msgsz'), flags('msgflg', 'ipc_msg_flags')],
    { ret: 'zero', classes: ['ipc'] },
  ),
  absent(
    'msgrcv',
    { x86_64: 70, aarch64: 188 },
    [int('msqid'), dynamic('msgp', 'msgbuf'), size('msgsz'), long('msgtyp'), flags('msgflg', 'ipc_msg_flags')],
    { ret: 'size', classes: ['ipc'] },
  ),
  absent(
    'msgctl',
    { x86_64: 71, aarch64: 187 },
    [int('msqid'), dynamic('cmd', 'msgctl_cmd', 'int'), dynamic('buf', 'msgctl_buf')],
    { classes: ['ipc'] },
  ),
];
