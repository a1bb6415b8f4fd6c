// Memory that calls meet and code that changes: the results of the host, with learned sites and without.
import { expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { GATED, guestProgram, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const PATIENCE_MS = 90_000;

async function same(name: string, sites: number): Promise<void> {
  const { rewritten } = await sameEverywhere(guestProgram(name, '-no-pie'));
  expect(rewritten).toBeGreaterThanOrEqual(sites);
}

gated('buffers that are bad, half bad or not there yet', () => same('buffers', 10), PATIENCE_MS);
gated('code that changes, moves, or is there twice', () => same('code', 4), PATIENCE_MS);
gated('a mapping over trampolines that other threads are in', () => same('evict', 1), PATIENCE_MS);
