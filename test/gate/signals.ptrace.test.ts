// Signals around calls that need no stop: no handler sees anything of the gate, and calls end as the host's.
import { beforeAll, expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, guestProgram, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const PATIENCE_MS = 90_000 * SLOWNESS;

let path = '';
beforeAll(() => {
  path = GATED ? guestProgram('signals', '-no-pie') : '';
});

gated(
  'from timers, threads, processes and the call itself; restarts, jumps out of handlers, stops',
  async () => {
    const { polled, stdout } = await sameEverywhere(path);
    expect(stdout.match(/outside 0/g)).toHaveLength(7);
    expect(polled).toBeGreaterThan(1000);
  },
  PATIENCE_MS,
);
