// Guests that attack the gate: they harm themselves only. The supervisor goes on, another process keeps getting right results,
// the run ends, and no process of the host is left.
import { beforeAll, expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, guestProgram, outcome, start } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const PATIENCE_MS = 90_000 * SLOWNESS;

let path = '';
beforeAll(() => {
  path = GATED ? guestProgram('hostile', '-no-pie') : '';
});

async function attacked(how: string, count: number, seed: number): Promise<void> {
  const options = ['--timeout', `${80 * SLOWNESS}s`, '--memory', '512M', '--pids', '300'];
  for (const mode of ['polled', 'gate'] as const) {
    const { status, stdout, stderr, handedOver } = await outcome(
      start(mode, options, path, how, String(count), String(seed)),
    );
    expect([status, stdout, stderr]).toEqual([0, 'neighbour: status 0, wrong 0, worked 1\n', '']);
    if (mode === 'polled') expect(handedOver).toBeGreaterThan(100);
  }
}

gated('scribbling over the channels of threads that make calls', () => attacked('scribble', 50, 1), PATIENCE_MS);
gated(
  'any GS base or stack pointer: other channels, between channels, the kernel half',
  () => attacked('bases', 30, 2),
  PATIENCE_MS,
);
gated('mappings over text, islands, channels and stub', () => attacked('unmap', 30, 3), PATIENCE_MS);
gated('jumps into the gate and into trampolines', () => attacked('jumps', 30, 4), PATIENCE_MS);
