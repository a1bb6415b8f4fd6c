/**
 * Rewritten x86-64 code. The distance from code to island is chosen so that every byte of a rewritten site but the first two is an
 * opcode that traps in 64-bit mode: who jumps behind the rewritten system call lands on a trap.
 */
import { KEPT_NOWHERE } from '../../platform/platform.js';
import type { PageState, Reason, SiteCode, SitePlan } from '../site-code.js';
import { JUMP_LENGTH, SKIP_LENGTH, SYSCALL_LENGTH, planSite, type PadPlan } from './mover.js';
import { CONTINUATION, trampoline, trampolineSize, type MovedCode } from './trampoline.js';

/** Opcodes that raise #UD or #BP in 64-bit mode whatever follows them. */
const TRAPS = [0xcc, 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xea];
/** By the low bytes of the jump's displacement, which is counted from its end. */
const WINDOWS = TRAPS.map((low) => [JUMP_LENGTH + low * 256, JUMP_LENGTH + low * 256 + 256] as const);
/**
 * High half of the displacement, as the bytes D2 and D3 of the jump: CC 61 or CC 3F for code low in memory, CC CE or CC EA elsewhere.
 * Neighbouring chunks take turns: an island is longer than its chunk.
 */
const UP = [0x61cc_0000, 0x3fcc_0000];
const DOWN = [0xcecc_0000 - 2 ** 32, 0xeacc_0000 - 2 ** 32];
const LOW_CODE = 2 ** 32;
/** The two low bytes of a displacement reach this far. */
const SLACK = 0x1_0000;
const JMP_REL32 = 0xe9;
const JMP_REL8 = 0xeb;
const MAX_REL8 = 127;

class X86Plan implements SitePlan {
  readonly size: number;
  readonly jumpAt: number;
  readonly overwrites: readonly (readonly [number, number])[];
  readonly windows = WINDOWS;
  private readonly moved: MovedCode;
  private readonly skips: number;

  /** `hole` is where the jump stands that a short one leads to, or 0; `skips`: another short one leads over so many bytes there, if not 0. */
  constructor(moved: MovedCode, hole: number, skips: number) {
    this.moved = moved;
    this.skips = skips;
    this.size = trampolineSize(moved);
    this.jumpAt = hole;
    const skip = skips === 0 ? 0 : SKIP_LENGTH;
    const jump = [hole - skip, skip + JUMP_LENGTH] as const;
    this.overwrites = hole === 0 ? [jump] : [jump, [0, SYSCALL_LENGTH]];
  }
  emit(at: number, site: number, gate: number, channels: number): Uint8Array {
    return trampoline(at, site, this.moved, gate, channels);
  }
  write(page: DataView, within: number, distance: number): void {
    const { jumpAt } = this;
    page.setUint8(within + jumpAt, JMP_REL32);
    page.setInt32(within + jumpAt + 1, distance - (jumpAt + JUMP_LENGTH), true);
    if (jumpAt === 0) return;
    page.setUint8(within, JMP_REL8);
    page.setInt8(within + 1, jumpAt - SYSCALL_LENGTH);
    if (this.skips === 0) return;
    page.setUint8(within + jumpAt - SKIP_LENGTH, JMP_REL8);
    page.setInt8(within + jumpAt - SKIP_LENGTH + 1, this.skips);
  }
  landing(back: number): number {
    const start = this.moved?.moved.find(({ from }) => from === back);
    return start === undefined ? -1 : CONTINUATION + start.to;
  }
  original(inside: number): number {
    const place = inside - CONTINUATION;
    if (place < 0) return 0;
    if (this.moved === null) return SYSCALL_LENGTH;
    const { moved, size, length } = this.moved;
    if (place >= size) return SYSCALL_LENGTH + length;
    let found = SYSCALL_LENGTH;
    for (const { from, to } of moved) if (to <= place) found = from;
    return found;
  }
}

/** A hole that no other site has taken, or 0. */
function freeHole(plan: PadPlan, at: number, state: PageState): number {
  const skip = plan.skips === 0 ? 0 : SKIP_LENGTH;
  for (let hole = plan.pad; hole + JUMP_LENGTH <= plan.pad + plan.padLength; hole++) {
    if (hole - SYSCALL_LENGTH > MAX_REL8) return 0;
    if (!state.overwritten(at + hole - skip, skip + JUMP_LENGTH)) return hole;
  }
  return 0;
}

export const X86_CODE: SiteCode = {
  siteLength: JUMP_LENGTH,
  servesThreads: true,
  islandLength: (length) => length + SLACK,
  distances: (address, turn) => [(address < LOW_CODE ? UP : DOWN)[turn]],
  plan(code, at, state): SitePlan | Reason {
    const plan = planSite(code, at, 0, code.length);
    if (plan.kind === 'refused') return plan.reason;
    const hole = plan.kind === 'pad' ? freeHole(plan, at, state) : 0;
    if (plan.kind === 'pad' && hole === 0) return 'overlaps another site';
    return plan.kind === 'jump' ? new X86Plan(plan, 0, 0) : new X86Plan(null, hole, plan.skips);
  },
  kept: () => KEPT_NOWHERE,
  bypass: () => -1,
};
