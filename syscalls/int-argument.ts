/** An argument that is a pointer for some commands and an int for others (fcntl, semctl). */
import type { Task } from '../sched/task.js';

/**
 * The low 32 bits, signed, of argument `index` (from 0), of which the row made `value`: exact also where the register holds
 * a negative long, whose number has been rounded.
 */
export function intArgument(task: Task, value: number, index: number): number {
  if (value < 2 ** 53) return value | 0;
  const { regs } = task;
  return regs.lo(regs.layout.args[index]) | 0;
}
