/** System V and POSIX IPC (asm-generic 64-bit forms, which x86_64 spells a little differently but with the same layout). */
import { struct } from '../layout.js';

export const IPC64_PERM = struct(
  'ipc64_perm',
  { key: 'i32', uid: 'u32', gid: 'u32', cuid: 'u32', cgid: 'u32', mode: 'u32', seq: { type: 'u16', at: 24 } },
  { size: 48, align: 8 },
);
export const MSQID64_DS = struct('msqid64_ds', {
  msg_perm: IPC64_PERM,
  msg_stime: 'i64',
  msg_rtime: 'i64',
  msg_ctime: 'i64',
  msg_cbytes: 'u64',
  msg_qnum: 'u64',
  msg_qbytes: 'u64',
  msg_lspid: 'i32',
  msg_lrpid: 'i32',
  __unused4: 'u64',
  __unused5: 'u64',
});
/** x86_64 alone has a reserved word after each time. */
export const SEMID64_DS = {
  x86_64: struct('semid64_ds', {
    sem_perm: IPC64_PERM,
    sem_otime: 'i64',
    __unused1: 'u64',
    sem_ctime: 'i64',
    __unused2: 'u64',
    sem_nsems: 'u64',
    __unused3: 'u64',
    __unused4: 'u64',
  }),
  aarch64: struct('semid64_ds', {
    sem_perm: IPC64_PERM,
    sem_otime: 'i64',
    sem_ctime: 'i64',
    sem_nsems: 'u64',
    __unused3: 'u64',
    __unused4: 'u64',
  }),
} as const;
export const SHMID64_DS = struct('shmid64_ds', {
  shm_perm: IPC64_PERM,
  shm_segsz: 'u64',
  shm_atime: 'i64',
  shm_dtime: 'i64',
  shm_ctime: 'i64',
  shm_cpid: 'i32',
  shm_lpid: 'i32',
  shm_nattch: 'u64',
  __unused4: 'u64',
  __unused5: 'u64',
});
export const SHMINFO64 = struct('shminfo64', {
  shmmax: 'u64',
  shmmin: 'u64',
  shmmni: 'u64',
  shmseg: 'u64',
  shmall: 'u64',
  __unused1: 'u64',
  __unused2: 'u64',
  __unused3: 'u64',
  __unused4: 'u64',
});
export const SHM_INFO = struct('shm_info', {
  used_ids: 'i32',
  shm_tot: 'u64',
  shm_rss: 'u64',
  shm_swp: 'u64',
  swap_attempts: 'u64',
  swap_successes: 'u64',
});
export const SEMINFO = struct('seminfo', {
  semmap: 'i32',
  semmni: 'i32',
  semmns: 'i32',
  semmnu: 'i32',
  semmsl: 'i32',
  semopm: 'i32',
  semume: 'i32',
  semusz: 'i32',
  semvmx: 'i32',
  semaem: 'i32',
});
export const MSGINFO = struct('msginfo', {
  msgpool: 'i32',
  msgmap: 'i32',
  msgmax: 'i32',
  msgmnb: 'i32',
  msgmni: 'i32',
  msgssz: 'i32',
  msgtql: 'i32',
  msgseg: 'u16',
});
export const SEMBUF = struct('sembuf', { sem_num: 'u16', sem_op: 'i16', sem_flg: 'i16' });
/** Header of a message; the text follows. */
export const MSGBUF = struct('msgbuf', { mtype: 'i64', mtext: ['u8', 1] });
export const MQ_ATTR = struct('mq_attr', {
  mq_flags: 'i64',
  mq_maxmsg: 'i64',
  mq_msgsize: 'i64',
  mq_curmsgs: 'i64',
  __reserved: ['i64', 4],
});
