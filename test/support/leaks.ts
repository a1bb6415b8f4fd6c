/**
 * The leak check: what a kernel holds, counted between two tests, when only the executor is left. A test's files lie in a
 * tmpfs of its own that is unmounted with it, so that every count must be back where it was.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { KernelState } from '../../sched/kernel-state.js';

export type Counts = Readonly<Record<string, number>>;

export function countsOf(state: KernelState): Counts {
  const { tasks, groups, processGroups, sessions } = state.pids;
  let busy = 0;
  let mounts = 0;
  for (const mount of state.vfs.namespace.mounts) {
    busy += mount.users;
    mounts++;
  }
  const { pseudo } = state;
  const mounted = [...state.vfs.superBlocks].filter((sb) => sb.mounts > 0);
  const nameless = pseudo === undefined ? [] : [pseudo.pipefs, pseudo.sockfs, pseudo.anon];
  let openFiles = 0;
  for (const { openFiles: count } of [...mounted, ...nameless]) openFiles += count;
  return {
    tasks: tasks.size,
    'thread groups': groups.size,
    'process groups': processGroups.size,
    sessions: sessions.size,
    mounts,
    'uses of mounts (open files, directories)': busy,
    // One that is in no tree any more is kept by an inode that is still in use.
    superblocks: mounted.length,
    'open file descriptions': openFiles,
    'kernel timers': state.timers.size,
    'bytes of promised memory': state.memory.committedBytes,
    'bytes of page frames': state.frames.usedBytes,
  };
}

/** One line per count that grew. */
export function growth(before: Counts, after: Counts): string[] {
  return Object.entries(after)
    .filter(([what, count]) => count > (before[what] ?? 0))
    .map(([what, count]) => `${count - (before[what] ?? 0)} more ${what} (${count})`);
}

/** Children of this Node process, whichever thread made them. */
export function hostChildren(): number {
  let count = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid) count++;
    } catch {
      // It has ended.
    }
  }
  return count;
}
