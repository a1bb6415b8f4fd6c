/** System V IPC: control calls, whose command says what they point to; messages. */
import * as i from '../../abi/flags/ipc.js';
import type { LayoutName } from '../../abi/layouts/index.js';
import { latin1, wordBytes } from './bytes.js';
import type { ArgReader } from './encode.js';
import { struct } from './shapes.js';

/** What a control call points to: the object's own struct, but for the commands that ask about the whole system. */
const control =
  (layout: LayoutName, system: Readonly<Record<number, LayoutName>>): ArgReader =>
  (e, term, arg) => {
    const given = e.termOf('cmd');
    const command = Number(given === undefined ? 0n : e.values.value(given));
    // Numbers and addresses stand for themselves: SETVAL's value, SETALL's array, whose elements no text shows.
    if (term.kind === 'number') return e.values.need(term, arg.name);
    return struct(system[command] ?? layout, command !== i.IPC_SET)(e, term, arg);
  };
export const shmctlBuffer = control('shmid64_ds', { [i.IPC_INFO]: 'shminfo64', [i.SHM_INFO]: 'shm_info' });
export const msgctlBuffer = control('msqid64_ds', { [i.IPC_INFO]: 'msginfo', [i.MSG_INFO]: 'msginfo' });
export const semctlArgument = control('semid64_ds', { [i.IPC_INFO]: 'seminfo', [i.SEM_INFO]: 'seminfo' });

export const messageBuffer: ArgReader = (e, term) =>
  e.pointer(term, 8 + e.sizeOf({ arg: 'msgsz' }, ''), (t) => {
    const text = latin1(t.field('mtext')?.text ?? t.parts.at(-1)?.text ?? '');
    const type = t.field('mtype') ?? t.parts[0];
    return Buffer.concat([wordBytes('i64', [type === undefined ? 0n : e.values.value(type)]), text]);
  });
