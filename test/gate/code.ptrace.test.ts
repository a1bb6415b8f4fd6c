// Memory that calls meet and code that changes: the results of the host, with learned sites and without.
import { expect, test } from '@jest/globals';
import { checked } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { GATED, ON_X86, guestProgram, program, sameEverywhere } from './guests.js';

checked();

const gated = GATED ? test : test.skip;
const PATIENCE_MS = 90_000 * SLOWNESS;

async function same(name: string, sites: number): Promise<void> {
  const { rewritten } = await sameEverywhere(guestProgram(name, '-no-pie'));
  expect(rewritten).toBeGreaterThanOrEqual(sites);
}

gated('buffers that are bad, half bad or not there yet', () => same('buffers', 10), PATIENCE_MS);
gated('code that changes, moves, or is there twice', () => same('code', 4), PATIENCE_MS);
gated('code a program makes itself', () => same('jit', 40), PATIENCE_MS);
/** Functions with a call in text of several MiB, which is more than one island serves. */
const WIDE_FUNCTION = ON_X86
  ? 'mov $102, %eax\\nsyscall\\nadd $at, %eax\\nret'
  : 'mov x8, #174\\nsvc #0\\nadd w0, w0, #at\\nret';
const WIDE = `
#define PAGES 800
asm(".text\\n.p2align 12\\n.globl wide\\nwide:\\n.set at, 0\\n.rept 800\\n"
    "${WIDE_FUNCTION}\\n.set at, at + 1\\n.balign 4096\\n.skip 16\\n.endr\\n");
extern char wide[];
int main(void) {
  int (*functions[PAGES])(void);
  char *at = wide;
  for (int i = 0; i < PAGES; i++) {
    functions[i] = (int (*)(void))at;
    at = (char *)(((unsigned long)at + 14 + 4095) & -4096ul) + 16;
  }
  for (int round = 0; round < 40; round++)
    for (int i = 0; i < PAGES; i += 53) CHECK(functions[i]() == i);
  puts("right");
  return 0;
}`;
gated(
  'text of several MiB is served by several islands',
  async () => {
    const { rewritten, slow } = await sameEverywhere(program('wide', WIDE, '-no-pie'));
    expect(rewritten).toBeGreaterThanOrEqual(16);
    expect(slow).not.toContain('place taken');
  },
  PATIENCE_MS,
);
gated('a mapping over trampolines that other threads are in', () => same('evict', 1), PATIENCE_MS);
