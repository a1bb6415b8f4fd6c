// Many guests at once, and none that does anything.
import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, guestProgram, program, run, sameEverywhere, start, type Mode } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const PATIENCE_MS = 90_000 * SLOWNESS;

gated.each<Mode>(['native', 'stops', 'gate'])(
  '200 guests at once: right, and none starves, %s',
  async (mode) => {
    const { status, stdout, stderr } = await run(mode, guestProgram('crowd'));
    // The host's scheduler is not on trial: on a busy machine it is unfair for as long as this takes.
    const judged = mode === 'native' ? stdout.replace(/^unfair: .*\n/m, '') : stdout;
    expect({ status, stdout: judged, stderr }).toEqual({ status: 0, stdout: '200 of 200 right\n', stderr: '' });
  },
  PATIENCE_MS,
);
gated('programs started through learned sites', () => sameEverywhere(guestProgram('spawn', '-no-pie')), PATIENCE_MS);

/** CPU time of a process and of all it has started, in ticks of 10 ms. */
function cpuTicks(pid: number): number {
  const all = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      all.set(Number(name), { parent: Number(words[1]), ticks: Number(words[11]) + Number(words[12]) });
    } catch {
      // It has ended meanwhile.
    }
  }
  let sum = 0;
  for (const [id] of all) {
    let at: number | undefined = id;
    while (at !== undefined && at !== pid) at = all.get(at)?.parent;
    if (at === pid) sum += all.get(id)!.ticks;
  }
  return sum;
}

const BUSY_THEN_IDLE = `
int main(void) {
  char byte;
  const int zero = open("/dev/zero", O_RDONLY);
  for (long i = 0; i < ${300_000 / SLOWNESS ** 2}; i++) CHECK(read(zero, &byte, 1) == 1);
  write(1, "idle\\n", 5);
  for (;;) pause();
}`;
const IDLE_MS = 5000;

gated.each<Mode>(['gate', 'stops'])(
  'a sandbox that has been busy and waits burns less than 1 %% of a CPU, %s',
  async (mode) => {
    const sandbox = start(mode, [], program('idle', BUSY_THEN_IDLE));
    await sandbox.expect('idle');
    await sleep(500);
    const before = cpuTicks(sandbox.pid);
    expect(before).toBeGreaterThan(20); // of being busy: they are counted
    await sleep(IDLE_MS);
    const used = cpuTicks(sandbox.pid) - before;
    sandbox.kill(15);
    expect((await sandbox.ended).status).toBe(143);
    expect(used).toBeLessThanOrEqual((IDLE_MS / 10 / 100) * SLOWNESS);
  },
  PATIENCE_MS,
);
