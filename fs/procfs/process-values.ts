/** Single values and short tables of /proc/PID, and what writing to them does (fs/proc/base.c). */
import { EACCES, EINVAL, errno } from '../../src/abi/errno.js';
import { CAP_SYS_RESOURCE } from '../../src/abi/flags/capability.js';
import { capable } from '../../sched/credentials.js';
import type { Task } from '../../sched/task.js';
import { pathWithin } from '../paths.js';

export function parseInteger(value: string, low: number, high: number): number {
  const trimmed = value.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw errno(EINVAL);
  const number = Number(trimmed);
  if (number < low || number > high) throw errno(EINVAL);
  return number;
}
export function setOomScoreAdj(task: Task, writer: Task, value: number): void {
  if (value < task.group.oomScoreAdj && !capable(writer.creds, CAP_SYS_RESOURCE)) throw errno(EACCES);
  task.group.oomScoreAdj = value;
}
export const oomAdj = (adj: number): number => (adj === 1000 ? 15 : Math.trunc((adj * 17) / 1000));

export function setComm(task: Task, writer: Task, value: string): void {
  if (writer.group !== task.group) throw errno(EINVAL);
  task.comm = value.split('\0', 1)[0].slice(0, 15);
}

export function syscallText(task: Task): string {
  const hex = (n: number): string => `0x${n.toString(16)}`;
  if (task.exited || task.thread.running) return 'running\n';
  const { regs } = task;
  const where = `${hex(regs.sp)} ${hex(regs.ip)}\n`;
  if (!task.sleep.active) return `-1 ${where}`;
  const args = regs.layout.args.map((word) => hex(regs.get(word))).join(' ');
  return `${regs.nr} ${args} ${where}`;
}

export function mountstatsText(task: Task): string {
  let text = '';
  const { root } = task.fs;
  for (const mount of root.mount.namespace?.mounts ?? []) {
    const path = pathWithin({ mount, dentry: mount.root }, root);
    if (path !== null) text += `device ${mount.source} mounted on ${path} with fstype ${mount.sb.fsType}\n`;
  }
  return text;
}

export const ioText = (): string =>
  'rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n';

const NOTIFY = ['signal', 'none', 'thread'];
export function timersText(task: Task): string {
  let text = '';
  for (const { id, signo, value, notify, clockId, target } of task.group.timers.created) {
    const who = target === null ? `pid.${task.tgid}` : `tid.${target.tid}`;
    text += `ID: ${id}\nsignal: ${signo}/${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}\n`;
    text += `notify: ${NOTIFY[notify & 3]}/${who}\nClockID: ${clockId}\n`;
  }
  return text;
}

const CORE_FILTER_BITS = 0x1ff;
export function setCoredumpFilter({ group }: Task, _writer: Task, value: string): void {
  const [digits] = /^\s*(0x[0-9a-f]+|\d+)\s*$/i.exec(value)?.slice(1) ?? [];
  if (digits === undefined) throw errno(EINVAL);
  group.coredumpFilter = Number(digits) & CORE_FILTER_BITS;
}

export const KSM_STAT =
  'ksm_rmap_items 0\nksm_zero_pages 0\nksm_merging_pages 0\nksm_process_profit 0\n' +
  'ksm_merge_any: no\nksm_mergeable: no\n';
