// Everything at once for LEVITATE_STRESS_SECONDS (5): threads, signals, processes, exec, code that is rewritten, and calls
// whose results are checked (guest/stress.c). What it prints depends on the seed alone.
import { beforeAll, expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, guestProgram, outcome, start, type Mode } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const SECONDS = Number(process.env['LEVITATE_STRESS_SECONDS'] ?? (SLOWNESS === 1 ? 5 : 20));
/** On a slow machine handing over never pays, and so is not done. */
const SERVED: Mode = SLOWNESS === 1 ? 'gate' : 'polled';
/** It ends by itself; how long the last round takes depends on the machine. */
const GRACE_SECONDS = 120 * SLOWNESS;

let path = '';
beforeAll(() => {
  path = GATED ? guestProgram('stress', '-no-pie') : '';
});

async function stressed(mode: Mode, seconds: number): Promise<string> {
  const limit = ['--timeout', `${seconds + GRACE_SECONDS}s`];
  const { status, signal, stdout, stderr, handedOver } = await outcome(start(mode, limit, path, String(seconds), '7'));
  expect([status, signal, stderr]).toEqual([0, null, '']);
  if (mode === SERVED) expect(handedOver).toBeGreaterThan(0);
  return stdout;
}

gated.each<Mode>(['stops', SERVED])(
  'stress, %s',
  async (mode) => {
    expect(await stressed(mode, SECONDS)).toBe(await stressed('native', 0));
  },
  (SECONDS + 2 * GRACE_SECONDS) * 1000,
);
