// Sites of every common shape: with the gate, a call leaves the same registers, flags and memory as a stop and as the host.
import { beforeAll, expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, ON_X86, guestProgram, highProgram, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const NAME = ON_X86 ? 'registers' : 'registers-aarch64';
/** Shapes of the guest that are rewritten, and a few sites of libc. */
const REWRITTEN = ON_X86 ? 32 : 25;
/** Enough for every shape to meet every call often, and no more where a call takes long. */
const ROUNDS = SLOWNESS === 1 ? 2000 : 168;

let path = '';
beforeAll(() => {
  path = GATED ? guestProgram(NAME, '-no-pie') : '';
});

gated('thousands of calls at each site, learned and handed over', async () => {
  const { polled, rewritten, stdout } = await sameEverywhere(path, String(ROUNDS));
  expect(stdout).toMatch(/\ncomplaints: 0\n$/);
  expect(rewritten).toBeGreaterThan(REWRITTEN);
  expect(polled).toBeGreaterThan(10 * ROUNDS);
});

gated('the same as stops inside the gate, when it does not pay to poll', async () => {
  const { handedOver, rewritten } = await sameEverywhere(path, SLOWNESS === 1 ? '300' : '60', 'slowly');
  expect(rewritten).toBeGreaterThan(REWRITTEN);
  expect(handedOver).toBeLessThan(300);
});

gated('a few rounds: in the middle of learning', async () => {
  for (const rounds of ['1', '2', '3', '5']) await sameEverywhere(path, rounds);
});

gated('code high in memory, which has its trampolines below', async () => {
  const { rewritten } = await sameEverywhere(highProgram(NAME), String(ROUNDS / 4));
  expect(rewritten).toBeGreaterThan(REWRITTEN);
});
