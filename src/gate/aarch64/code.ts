/**
 * Rewritten AArch64 code: a site is one `svc #0`, which becomes one branch. Nothing is moved, and nobody can be inside a site.
 *
 * Islands are far enough from the code to leave it and its data room, and near enough for a branch.
 */
import type { SiteCode, SitePlan } from '../site-code.js';
import { SVC_LENGTH, TRAMPOLINE_SIZE, branch, bypass, kept, original, trampoline } from './trampoline.js';

const SVC_0 = 0xd400_0001;
const ISLAND = 0x1_0000;
const MIB = 2 ** 20;
/** Above a program is its heap, and mappings grow down: below, far from either, as far as a branch from all of a chunk reaches. */
const HIGH = [-112, 112, -64, 64, -24, 24].map((distance) => distance * MIB);
/** There is little room below a program at a fixed address, but nobody wants it. */
const LOW = [-3, 112, 64, 24].map((distance) => distance * MIB);
const LOW_CODE = 2 ** 32;
/** Pieces of code less than an island apart. */
const TURN = 4 * ISLAND;

function word(code: Uint8Array, at: number): number {
  return (code[at] | (code[at + 1] << 8) | (code[at + 2] << 16) | (code[at + 3] << 24)) >>> 0;
}

const PLAN: SitePlan = {
  size: TRAMPOLINE_SIZE,
  jumpAt: 0,
  overwrites: [[0, SVC_LENGTH]],
  windows: null,
  emit: (at, site, gate) => trampoline(at, site, gate),
  write: (page, within, distance) => page.setUint32(within, branch(0, distance), true),
  landing: () => -1,
  original,
};

export const A64_CODE: SiteCode = {
  siteLength: SVC_LENGTH,
  servesThreads: false,
  islandLength: () => ISLAND,
  distances: (address, turn) => (address < LOW_CODE ? LOW : HIGH).map((distance) => distance + turn * TURN),
  plan: (code, at) => (at % 4 === 0 && word(code, at) === SVC_0 ? PLAN : 'not a syscall'),
  kept,
  bypass,
};
