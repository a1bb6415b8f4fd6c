/**
 * Process and user ids, groups, capabilities, file-system ids.
 */
import { CAP_LAST, type Credentials, capable } from '../sched/credentials.js';
import { CAP_SETGID, CAP_SETPCAP } from '../src/abi/flags/capability.js';
import { EINVAL, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { type Row, dynamic, gid, int, row, uid, word } from './row.js';
import { Task } from '../sched/task.js';
import {
  setfsgid,
  setfsuid,
  setgid,
  setgroups,
  setregid,
  setresgid,
  setresuid,
  setreuid,
  setuid,
} from '../sched/identity.js';

export const rows: readonly Row[] = [
  row(
    'getpid',
    { x86_64: 39, aarch64: 172 },
    [],
    { answered: 'pid', ret: 'pid', classes: ['pure'] },
    (task) => task.tgid,
  ),
  row(
    'gettid',
    { x86_64: 186, aarch64: 178 },
    [],
    { answered: 'tid', ret: 'pid', classes: ['pure'] },
    (task) => task.tid,
  ),
  row(
    'getppid',
    { x86_64: 110, aarch64: 173 },
    [],
    { ret: 'pid', classes: ['pure'] },
    (task) => task.group.parent?.tgid ?? 0,
  ),
  row(
    'getuid',
    { x86_64: 102, aarch64: 174 },
    [],
    { answered: 'uid', ret: 'uid', classes: ['creds', 'pure'] },
    (task) => task.creds.uid,
  ),
  row(
    'geteuid',
    { x86_64: 107, aarch64: 175 },
    [],
    { answered: 'euid', ret: 'uid', classes: ['creds', 'pure'] },
    (task) => task.creds.euid,
  ),
  row(
    'getgid',
    { x86_64: 104, aarch64: 176 },
    [],
    { answered: 'gid', ret: 'uid', classes: ['creds', 'pure'] },
    (task) => task.creds.gid,
  ),
  row(
    'getegid',
    { x86_64: 108, aarch64: 177 },
    [],
    { answered: 'egid', ret: 'uid', classes: ['creds', 'pure'] },
    (task) => task.creds.egid,
  ),
  row('setuid', { x86_64: 105, aarch64: 146 }, [uid('uid')], { ret: 'zero', classes: ['creds'] }, (task, id) =>
    become(task, setuid(task.creds, id)),
  ),
  row('setgid', { x86_64: 106, aarch64: 144 }, [gid('gid')], { ret: 'zero', classes: ['creds'] }, (task, id) =>
    become(task, setgid(task.creds, id)),
  ),
  row(
    'setreuid',
    { x86_64: 113, aarch64: 145 },
    [uid('ruid'), uid('euid')],
    { ret: 'zero', classes: ['creds'] },
    (task, ruid, euid) => become(task, setreuid(task.creds, ruid, euid)),
  ),
  row(
    'setregid',
    { x86_64: 114, aarch64: 143 },
    [gid('rgid'), gid('egid')],
    { ret: 'zero', classes: ['creds'] },
    (task, rgid, egid) => become(task, setregid(task.creds, rgid, egid)),
  ),
  row(
    'setresuid',
    { x86_64: 117, aarch64: 147 },
    [uid('ruid'), uid('euid'), uid('suid')],
    {
      ret: 'zero',
      classes: ['creds'],
    },
    (task, ruid, euid, suid) => become(task, setresuid(task.creds, ruid, euid, suid)),
  ),
  row(
    'setresgid',
    { x86_64: 119, aarch64: 149 },
    [gid('rgid'), gid('egid'), gid('sgid')],
    {
      ret: 'zero',
      classes: ['creds'],
    },
    (task, rgid, egid, sgid) => become(task, setresgid(task.creds, rgid, egid, sgid)),
  ),
  row(
    'getresuid',
    { x86_64: 118, aarch64: 148 },
    [word('ruid', 'out', 'uint'), word('euid', 'out', 'uint'), word('suid', 'out', 'uint')],
    { ret: 'zero', classes: ['creds'] },
    (task, ...at) => write3(task, at, [task.creds.uid, task.creds.euid, task.creds.suid]),
  ),
  row(
    'getresgid',
    { x86_64: 120, aarch64: 150 },
    [word('rgid', 'out', 'uint'), word('egid', 'out', 'uint'), word('sgid', 'out', 'uint')],
    { ret: 'zero', classes: ['creds'] },
    (task, ...at) => write3(task, at, [task.creds.gid, task.creds.egid, task.creds.sgid]),
  ),
  row('setfsuid', { x86_64: 122, aarch64: 151 }, [uid('fsuid')], { ret: 'uid', classes: ['creds'] }, sysSetfsuid),
  row('setfsgid', { x86_64: 123, aarch64: 152 }, [gid('fsgid')], { ret: 'uid', classes: ['creds'] }, sysSetfsgid),
  row(
    'getgroups',
    { x86_64: 115, aarch64: 158 },
    [int('size'), dynamic('list', 'groups')],
    { classes: ['creds'] },
    getgroups,
  ),
  row(
    'setgroups',
    { x86_64: 116, aarch64: 159 },
    [int('size'), dynamic('list', 'groups')],
    {
      ret: 'zero',
      classes: ['creds'],
    },
    sysSetgroups,
  ),
  row(
    'capget',
    { x86_64: 125, aarch64: 90 },
    [dynamic('hdrp', 'cap_header'), dynamic('datap', 'cap_data')],
    {
      ret: 'zero',
      classes: ['creds'],
    },
    capget,
  ),
  row(
    'capset',
    { x86_64: 126, aarch64: 91 },
    [dynamic('hdrp', 'cap_header'), dynamic('datap', 'cap_data')],
    {
      ret: 'zero',
      classes: ['creds'],
    },
    capset,
  ),
];

/** Applies new credentials to the calling task. */
function become(task: Task, next: Credentials): number {
  const old = task.creds;
  task.creds = next;
  // A process that changed ids is not dumpable any more (commit_creds).
  if (old.euid !== next.euid || old.egid !== next.egid || old.fsuid !== next.fsuid || old.fsgid !== next.fsgid) {
    task.group.dumpable = false;
    task.pdeathSignal = 0;
  }
  return 0;
}
function write3(
  task: Task,
  addresses: readonly [number, number, number],
  values: readonly [number, number, number],
): number {
  for (let i = 0; i < 3; i++) task.mm.writeU32(addresses[i], values[i]);
  return 0;
}
function getgroups(task: Task, size: number, list: number): number {
  const { groups } = task.creds;
  if (size < 0) throw errno(EINVAL);
  if (size === 0) return groups.length;
  if (size < groups.length) throw errno(EINVAL);
  for (let i = 0; i < groups.length; i++) task.mm.writeU32(list + 4 * i, groups[i]);
  return groups.length;
}
function sysSetgroups(task: Task, size: number, list: number): number {
  if (!capable(task.creds, CAP_SETGID)) throw errno(EPERM);
  if (size < 0 || size > NGROUPS_MAX) throw errno(EINVAL);
  const groups: number[] = [];
  for (let i = 0; i < size; i++) groups.push(task.mm.readU32(list + 4 * i));
  return become(task, setgroups(task.creds, groups));
}

const CAP_VERSION_1 = 0x19980330;
const CAP_VERSION_2 = 0x20071026;
const CAP_VERSION_3 = 0x20080522;
/** How many 32-bit words per set the header's version has; an unknown version is corrected in place. */
function capWords(task: Task, header: number): number | null {
  const version = task.mm.readU32(header);
  if (version === CAP_VERSION_1) return 1;
  if (version === CAP_VERSION_2 || version === CAP_VERSION_3) return 2;
  task.mm.writeU32(header, CAP_VERSION_3);
  return null;
}
function capget(task: Task, header: number, data: number): number {
  const words = capWords(task, header);
  if (words === null) {
    if (data === 0) return 0;
    throw errno(EINVAL);
  }
  const pid = task.mm.readI32(header + 4);
  if (pid < 0) throw errno(EINVAL);
  const target = pid === 0 ? task : task.kernel.pids.tasks.get(pid);
  if (target === undefined) throw errno(ESRCH);
  if (data === 0) return 0;
  const { creds } = target;
  for (let i = 0; i < words; i++) {
    const shift = BigInt(32 * i);
    const part = (set: bigint): number => Number((set >> shift) & 0xffff_ffffn);
    task.mm.writeU32(data + 12 * i, part(creds.capEffective));
    task.mm.writeU32(data + 12 * i + 4, part(creds.capPermitted));
    task.mm.writeU32(data + 12 * i + 8, part(creds.capInheritable));
  }
  return 0;
}
function capset(task: Task, header: number, data: number): number {
  const words = capWords(task, header);
  if (words === null) throw errno(EINVAL);
  const pid = task.mm.readI32(header + 4);
  if (pid !== 0 && pid !== task.tid) throw errno(EPERM);
  const sets = [0n, 0n, 0n];
  for (let i = 0; i < words; i++)
    for (let set = 0; set < 3; set++) sets[set] |= BigInt(task.mm.readU32(data + 12 * i + 4 * set)) << BigInt(32 * i);
  const known = (1n << BigInt(CAP_LAST + 1)) - 1n;
  const [effective, permitted, inheritable] = sets.map((set) => set & known);
  const { creds } = task;
  const setpcap = capable(creds, CAP_SETPCAP);
  if (!setpcap && (inheritable & ~(creds.capInheritable | creds.capPermitted)) !== 0n) throw errno(EPERM);
  if ((inheritable & ~(creds.capInheritable | creds.capBounding)) !== 0n) throw errno(EPERM);
  if ((permitted & ~creds.capPermitted) !== 0n || (effective & ~permitted) !== 0n) throw errno(EPERM);
  task.creds = {
    ...creds,
    capEffective: effective,
    capPermitted: permitted,
    capInheritable: inheritable,
    capAmbient: creds.capAmbient & permitted & inheritable,
  };
  return 0;
}

function sysSetfsuid(task: Task, id: number): number {
  const old = task.creds.fsuid;
  become(task, setfsuid(task.creds, id));
  return old;
}
function sysSetfsgid(task: Task, id: number): number {
  const old = task.creds.fsgid;
  become(task, setfsgid(task.creds, id));
  return old;
}
const NGROUPS_MAX = 65536;
