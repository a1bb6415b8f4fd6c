// Whose calls they are, while threads come and go: guest/alone.c.
import { expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, guestProgram, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;

gated(
  'threads, children that share memory, threads that outlive the first',
  async () => {
    const { rewritten, stdout } = await sameEverywhere(guestProgram('alone', '-no-pie'));
    expect(stdout).toBe('threads\nvfork\nfork\nlast\n');
    expect(rewritten).toBeGreaterThan(2);
  },
  90_000 * SLOWNESS,
);
