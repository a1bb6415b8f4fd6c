// Sites of every common shape: with the gate, a call leaves the same registers, flags and memory as a stop and as the host.
import { beforeAll, expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { GATED, guestProgram, highProgram, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
/** Shapes of guest/registers.c that are rewritten, and a few sites of libc. */
const REWRITTEN = 30;

let path = '';
beforeAll(() => {
  path = GATED ? guestProgram('registers', '-no-pie') : '';
});

gated('thousands of calls at each site, learned and handed over', async () => {
  const { polled, rewritten, stdout } = await sameEverywhere(path, '2000');
  expect(stdout).toMatch(/\ncomplaints: 0\n$/);
  expect(rewritten).toBeGreaterThan(REWRITTEN);
  expect(polled).toBeGreaterThan(20_000);
});

gated('the same as stops inside the gate, when it does not pay to poll', async () => {
  const { handedOver, rewritten } = await sameEverywhere(path, '300', 'slowly');
  expect(rewritten).toBeGreaterThan(REWRITTEN);
  expect(handedOver).toBeLessThan(300);
});

gated('a few rounds: in the middle of learning', async () => {
  for (const rounds of ['1', '2', '3', '5']) await sameEverywhere(path, rounds);
});

gated('code high in memory, which has its trampolines below', async () => {
  const { rewritten } = await sameEverywhere(highProgram('registers'), '500');
  expect(rewritten).toBeGreaterThan(REWRITTEN);
});
