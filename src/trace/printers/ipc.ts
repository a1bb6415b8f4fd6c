/** System V and POSIX IPC: keys, creation flags, control structs, semaphore operations, messages. */
import * as i from '../../abi/flags/ipc.js';
import { FLAG_SETS, type FlagSetName } from '../../abi/flags/index.js';
import { viewOf, type Call, type StructView } from '../call.js';
import { address, enumeration, flags, hex, id, octal, signed, toInt, toUint } from '../text.js';
import { early, late, type ArgPrinter, type CallPrinter } from './types.js';

const key = (c: Call, v: bigint): string => enumeration(FLAG_SETS.ipc_private, c, BigInt(toUint(v)), '');
function creation(c: Call, v: bigint, set: FlagSetName, alwaysBits: boolean): string {
  const bits = BigInt(toUint(v) & ~0o777) & 0xffff_ffffn;
  const mode = octal(toUint(v) & 0o777);
  if (bits === 0n && !alwaysBits) return mode;
  const text = flags(FLAG_SETS[set], c, bits, null);
  return text === '' ? mode : `${text}|${mode}`;
}

function perm(p: StructView, setting: boolean): string {
  const head = `uid=${id(p.num('uid'))}, gid=${id(p.num('gid'))}, mode=${octal(p.num('mode'))}`;
  if (setting) return `{${head}}`;
  return `{${head}, key=${BigInt.asUintN(32, p.big('key'))}, cuid=${id(p.num('cuid'))}, cgid=${id(p.num('cgid'))}}`;
}
const all = (s: StructView, names: readonly string[]): string => names.map((n) => s.field(n)).join(', ');
const MSG_INFO_FIELDS = ['msgpool', 'msgmap', 'msgmax', 'msgmnb', 'msgmni', 'msgssz', 'msgtql', 'msgseg'];
const SEM_INFO_FIELDS = [
  'semmap',
  'semmni',
  'semmns',
  'semmnu',
  'semmsl',
  'semopm',
  'semume',
  'semusz',
  'semvmx',
  'semaem',
];

const shmDs = (s: StructView, setting: boolean): string => {
  const head = `{shm_perm=${perm(s.sub('shm_perm'), setting)}`;
  if (setting) return `${head}}`;
  return `${head}, ${all(s, ['shm_segsz', 'shm_cpid', 'shm_lpid', 'shm_nattch', 'shm_atime', 'shm_dtime', 'shm_ctime'])}}`;
};
const msgDs = (s: StructView, setting: boolean): string => {
  const head = `{msg_perm=${perm(s.sub('msg_perm'), setting)}`;
  if (setting) return `${head}, ${s.field('msg_qbytes')}}`;
  return `${head}, ${all(s, ['msg_stime', 'msg_rtime', 'msg_ctime', 'msg_qnum', 'msg_qbytes', 'msg_lspid', 'msg_lrpid'])}}`;
};
const semDs = (s: StructView, setting: boolean): string => {
  const head = `{sem_perm=${perm(s.sub('sem_perm'), setting)}`;
  return setting ? `${head}}` : `${head}, ${all(s, ['sem_otime', 'sem_ctime', 'sem_nsems'])}}`;
};

/** A control call: IPC_SET prints its struct on entry, the STATs and INFOs on return, anything else only the pointer. */
function controlCall(
  set: FlagSetName,
  stats: readonly number[],
  print: (c: Call, command: number, addr: bigint) => string,
  fixed: (c: Call) => { head: string; command: number; addr: bigint },
): CallPrinter {
  return {
    enter(c) {
      const { head, command, addr } = fixed(c);
      const text = `${head}, ${enumeration(FLAG_SETS[set], c, BigInt(command >>> 0))}, `;
      if (stats.includes(command)) return text;
      c.complete = true;
      return text + (command === i.IPC_SET ? print(c, command, addr) : address(addr));
    },
    leave(c) {
      const { command, addr } = fixed(c);
      return print(c, command, addr);
    },
  };
}
const third = (c: Call) => ({ head: String(toInt(c.args[0])), command: toInt(c.args[1]), addr: c.args[2] });
const shmctl = controlCall(
  'shmctl_flags',
  [i.IPC_STAT, i.SHM_STAT, i.SHM_STAT_ANY, i.IPC_INFO, i.SHM_INFO],
  (c, command, addr) => {
    if (command === i.IPC_INFO)
      return c.object(addr, 'shminfo64', (s) => `{${all(s, ['shmmax', 'shmmin', 'shmmni', 'shmseg', 'shmall'])}}`);
    if (command === i.SHM_INFO) {
      return c.object(
        addr,
        'shm_info',
        (s) => `{${all(s, ['used_ids', 'shm_tot', 'shm_rss', 'shm_swp', 'swap_attempts', 'swap_successes'])}}`,
      );
    }
    return c.object(addr, 'shmid64_ds', (s) => shmDs(s, command === i.IPC_SET));
  },
  third,
);
const msgctl = controlCall(
  'msgctl_flags',
  [i.IPC_STAT, i.MSG_STAT, i.MSG_STAT_ANY, i.IPC_INFO, i.MSG_INFO],
  (c, command, addr) => {
    if (command === i.IPC_INFO || command === i.MSG_INFO)
      return c.object(addr, 'msginfo', (s) => `{${all(s, MSG_INFO_FIELDS)}}`);
    return c.object(addr, 'msqid64_ds', (s) => msgDs(s, command === i.IPC_SET));
  },
  third,
);
const semctl = controlCall(
  'semctl_flags',
  [i.IPC_STAT, i.SEM_STAT, i.SEM_STAT_ANY, i.IPC_INFO, i.SEM_INFO],
  (c, command, addr) => {
    if (command === i.IPC_INFO || command === i.SEM_INFO)
      return c.object(addr, 'seminfo', (s) => `{${all(s, SEM_INFO_FIELDS)}}`);
    return c.object(addr, 'semid64_ds', (s) => semDs(s, command === i.IPC_SET));
  },
  (c) => ({ head: `${toInt(c.args[0])}, ${toInt(c.args[1])}`, command: toInt(c.args[2]), addr: c.args[3] }),
);

function sembufs(c: Call, addr: bigint): string {
  return c.array(addr, toUint(c.args[2]), 6, (bytes) => {
    const v = viewOf(bytes);
    const bits = flags(FLAG_SETS.semop_flags, c, BigInt(v.getUint16(4, true)), 'SEM_???');
    return `{sem_num=${v.getUint16(0, true)}, sem_op=${v.getInt16(2, true)}, sem_flg=${bits}}`;
  });
}
/** A message: its type and text. */
function message(c: Call, addr: bigint, length: bigint): string {
  const head = c.fetch(addr, 16);
  if (head === null) return address(addr);
  return `{mtype=${viewOf(head).getBigInt64(0, true)}, mtext=${c.buffer(addr + 8n, length)}}`;
}
const mqAttr = (c: Call, addr: bigint, decode: boolean): string =>
  c.object(addr, 'mq_attr', (s) => {
    const bits = s.big('mq_flags');
    const text = decode ? flags(FLAG_SETS.mq_attr_flags, c, BigInt.asUintN(64, bits), 'O_???') : hex(bits);
    return `{mq_flags=${text}, ${all(s, ['mq_maxmsg', 'mq_msgsize', 'mq_curmsgs'])}}`;
  });

export const IPC_ARGS: Record<string, ArgPrinter> = {
  ipc_key: early(key),
  shm_flags: early((c, v) => creation(c, v, 'shm_resource_flags', true)),
  ipc_flags: early((c, v) => creation(c, v, 'resource_flags', false)),
  sembufs: early(sembufs),
  msgbuf: early((c, v) => message(c, v, c.args[2])),
  mq_attr: early((c, v) => mqAttr(c, v, false)),
};
export const IPC_OVERRIDES: Record<string, ArgPrinter> = {
  'msgrcv.msgp': late((c, v) => message(c, v, c.args[2])),
  'msgrcv.msgtyp': early((_c, v) => signed(v)),
  'mq_getsetattr.newattr': early((c, v) => mqAttr(c, v, true)),
  'mq_getsetattr.oldattr': late((c, v) => mqAttr(c, v, true)),
  'mq_open.name': early((c, v) => c.path(v)),
  'mq_unlink.name': early((c, v) => c.path(v)),
};
export const IPC_CALLS: Record<string, CallPrinter> = { shmctl, msgctl, semctl };
