/**
 * The gate's policy: which system call sites are rewritten, and what a thread found in rewritten code really is at.
 *
 * A site is learned from stops alone: an address that trapped twice with a call worth it. What happens then is in chunk.ts (the
 * new page) and here: mapping it over the old one, in one host call, in a process that goes on trapping there; programs that
 * start later start with it.
 */
import { Errno } from '../abi/errno.js';
import { REGISTER_LAYOUTS } from '../abi/registers.js';
import { KEPT_NOWHERE, PROT_EXEC, PROT_READ, PROT_WRITE } from '../platform/platform.js';
import type { GatePort, HostThread, Kept } from '../platform/platform.js';
import type { FrameAllocator } from '../mm/frames.js';
import { AddressMap } from '../mm/map.js';
import { runsFromStandIns } from '../mm/map-core.js';
import { VM_DONTFORK, VM_SHARED, VM_WIPEONFORK, type Vma } from '../mm/memory-map.js';
import { Chunk, type Fits, type Site } from './chunk.js';
import { FileCode } from './file-code.js';
import { PrivateChunk } from './private-code.js';
import { SITE_CODE, type Reason, type SiteCode } from './site-code.js';

/** Why a site stayed on the slow path. */
export type SlowReason = Reason | 'writable code' | 'shared mapping' | 'private memory' | 'memory' | 'place taken';

const HEAT_SLOTS = 1024;
/** Stops of a site, by all programs, and by one. */
const HOT = 2;
const HOT_HERE = 3;
/** Sites whose counts fall together have their turns. */
const TURN = 8;
/** Code in private memory that was given back so many times changes all the time. */
const OFTEN_CHANGED = 16;
/** Of private memory that is not rewritten: contents that a fork does not copy. */
const UNFIT = VM_SHARED | VM_WIPEONFORK | VM_DONTFORK;

export class Gate {
  /** Sites rewritten so far. */
  rewritten = 0;
  /** Threads that trapped behind a rewritten system call and were sent on. */
  landed = 0;
  /** Sites that stay slow, by reason; a site counts once for each file, or each time in private memory. */
  readonly slow = new Map<SlowReason, number>();
  private readonly port: GatePort;
  private readonly siteCode: SiteCode;
  /** Of the system call instruction. */
  private readonly length: number;
  private readonly frames: FrameAllocator;
  private readonly mapOf: (thread: HostThread) => AddressMap | null;
  private readonly heat = new Uint8Array(HEAT_SLOTS);
  private readonly tags = new Uint32Array(HEAT_SLOTS);
  private readonly seenSlow = new Set<string>();

  constructor(port: GatePort, frames: FrameAllocator, mapOf: (thread: HostThread) => AddressMap | null) {
    this.port = port;
    this.siteCode = SITE_CODE[port.arch];
    this.length = REGISTER_LAYOUTS[port.arch].syscallLength;
    this.frames = frames;
    this.mapOf = mapOf;
    port.client = this;
  }

  /**
   * A stop at an ordinary site, `ret` being the address behind it, with a call that could have been handed over. A site hot in
   * all programs together is rewritten for those to come; to map it into a running one pays only if it is hot there.
   */
  stopped(thread: HostThread, ret: number, nr: number): void {
    // By its place in the page: the address itself differs from run to run.
    const tag = (ret % 4096) * 512 + nr;
    const slot = (tag * 0x9e37_79b1) >>> 22;
    if (this.tags[slot] !== tag) {
      this.tags[slot] = tag;
      this.heat[slot] = 0;
      return;
    }
    if (this.heat[slot] < 255) this.heat[slot]++;
    const map = this.mapOf(thread);
    if (map === null || (!this.siteCode.servesThreads && !map.code.alone)) return;
    const local = map.code.heatOf(slot);
    const hotHere = local % TURN === HOT_HERE;
    if (this.heat[slot] !== HOT - 1 && !hotHere) return;
    const site = ret - this.length;
    if (hotHere && this.patch(map, thread, site)) return;
    const chunk = this.learn(map, site);
    if (chunk !== null && hotHere) this.adopt(map, thread, site, chunk);
  }

  /** Rewrites a site in memory without a file; false when it is in no such memory. */
  private patch(map: AddressMap, thread: HostThread, site: number): boolean {
    const vma = map.list.find(site);
    if (vma === null || vma.file !== null || (vma.flags & UNFIT) !== 0) return false;
    if ((vma.prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) !== (PROT_READ | PROT_EXEC)) return false;
    const { code } = map;
    if (!code.alone || code.takenBack >= OFTEN_CHANGED) return false;
    let island = code.islands.find(({ owner, codeStart, codeEnd }) => {
      return owner instanceof PrivateChunk && site >= codeStart && site < codeEnd;
    });
    island ??=
      PrivateChunk.make(
        this.siteCode,
        map,
        fitting(map),
        site,
        vma.start,
        vma.end,
        this.port.address,
        this.port.channels,
      ) ?? undefined;
    if (island === undefined) {
      this.staysSlow(site, 'place taken');
      return true;
    }
    const chunk = island.owner as PrivateChunk;
    if (chunk.code !== code) return false;
    const at = site - chunk.from;
    try {
      map.commit();
      if (chunk.sites.has(at)) return true;
      const before = chunk.pageBytes(at);
      const reason = chunk.add(at);
      if (reason !== null) {
        this.staysSlow(site, reason);
        return true;
      }
      chunk.apply(map, island, at, before);
    } catch (error) {
      if (!(error instanceof Errno) && !(error instanceof RangeError)) throw error;
      this.staysSlow(site, 'memory');
      return true;
    }
    this.rewritten++;
    this.goesOn(thread, chunk, island.codeStart, site);
    return true;
  }

  /** The thread stands behind the call at `site`, which is a jump now. */
  private goesOn(thread: HostThread, chunk: Chunk, codeStart: number, site: number): void {
    const behind = site + this.length;
    const landing = chunk.landing(behind - codeStart);
    if (landing >= 0) this.port.continues(thread, behind, codeStart + chunk.distance + landing);
  }

  /** Rewrites the site in its file, if it can be. */
  private learn(map: AddressMap, site: number): Chunk | null {
    const vma = map.list.find(site);
    if (vma === null || (vma.prot & PROT_EXEC) === 0) return null;
    if (!runsFromStandIns(vma)) return this.staysSlow(site, slowKind(vma));
    const file = vma.file!;
    if (file.shadow === undefined) return this.staysSlow(site, 'shared mapping');
    if ((file.writableMappings ?? 0) > 0) return this.staysSlow(site, 'shared mapping');
    let code = file.shadow as FileCode | null;
    const { address, channels } = this.port;
    if (code === null) file.shadow = code = new FileCode(this.siteCode, file, this.frames, address, channels);
    const offset = vma.fileOffset(site);
    const end = Math.min(vma.fileOffset(vma.end), map.pageUp(file.size));
    const chunk = code.makeChunk(offset, vma.offset, end, site, fitting(map));
    if (chunk === null) return this.staysSlow(site, 'memory');
    const at = offset - chunk.from;
    if (chunk.sites.has(at)) return chunk;
    const known = chunk.refused.has(at);
    const reason = chunk.add(at);
    if (reason === null) {
      this.rewritten++;
      return chunk;
    }
    if (!known) this.slow.set(reason, (this.slow.get(reason) ?? 0) + 1);
    return null;
  }

  /** Maps the rewritten page over the one `map` runs from. */
  private adopt(map: AddressMap, thread: HostThread, site: number, chunk: Chunk): void {
    const vma = map.list.find(site)!;
    const at = vma.fileOffset(site) - chunk.from;
    const codeStart = site - at;
    const code = vma.file!.shadow as FileCode;
    if (!code.mapIsland(map.code, chunk, codeStart, 0)) {
      this.staysSlow(site, 'place taken');
      return;
    }
    const page = chunk.page(at);
    if (page === null) {
      this.staysSlow(site, 'memory');
      return;
    }
    map.mapStandIn(map.pageDown(site), page);
    try {
      map.commit();
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      this.staysSlow(site, 'memory');
      return;
    }
    this.goesOn(thread, chunk, codeStart, site);
  }

  private staysSlow(site: number, reason: SlowReason): null {
    const key = `${site} ${reason}`;
    if (this.seenSlow.has(key) || this.seenSlow.size > 10_000) return null;
    this.seenSlow.add(key);
    this.slow.set(reason, (this.slow.get(reason) ?? 0) + 1);
    return null;
  }

  /** A trap of the thread at `address`: where it should be instead, or 0 when the trap is the guest's own. */
  landing(thread: HostThread, address: number): number {
    const map = this.mapOf(thread);
    if (map === null || map.code.islands.length === 0) return 0;
    for (const island of map.code.islands) {
      if (address < island.codeStart || address >= island.codeEnd || !(island.owner instanceof Chunk)) continue;
      const at = island.owner.landing(address - island.codeStart);
      if (at < 0 || (map.code.ranges.coveredTo(address) <= address && !map.code.isPatched(address))) continue;
      this.landed++;
      return island.start + at;
    }
    return 0;
  }

  /** The address in the guest's own code that stands for `address` in an island, or 0 when it is in none. */
  original(thread: HostThread, address: number): number {
    const map = this.mapOf(thread);
    if (map === null || map.code.islands.length === 0) return 0;
    const island = map.code.islandAt(address);
    if (island === undefined || !(island.owner instanceof Chunk)) return 0;
    const at = island.owner.original(address - island.start);
    return at < 0 ? 0 : island.codeStart + at;
  }

  /** The site whose trampoline a thread is in at `address`, and how far in. */
  private inTrampoline(thread: HostThread, address: number): { site: Site; inside: number } | null {
    const code = this.mapOf(thread)?.code;
    const island = code?.islandAt(address) ?? code?.evicted.find(({ start, end }) => address >= start && address < end);
    if (island === undefined || !(island.owner instanceof Chunk)) return null;
    const site = island.owner.siteAt(address - island.start);
    return site === undefined ? null : { site, inside: address - island.start - site.trampoline };
  }
  kept(thread: HostThread, address: number): Kept {
    const place = this.inTrampoline(thread, address);
    return place === null ? KEPT_NOWHERE : this.siteCode.kept(place.inside);
  }
  bypass(thread: HostThread, address: number): number {
    const place = this.inTrampoline(thread, address);
    const to = place === null ? -1 : this.siteCode.bypass(place.inside);
    return to < 0 ? 0 : address - place!.inside + to;
  }

  /** Where a thread goes on that has no code any more at `address`, because its island has gone meanwhile; or 0. */
  escape(thread: HostThread, address: number): number {
    const map = this.mapOf(thread);
    if (map === null || map.code.evicted.length === 0) return 0;
    const island = map.code.evicted.find(({ start, end }) => address >= start && address < end);
    if (island === undefined || !(island.owner instanceof Chunk)) return 0;
    const at = island.owner.original(address - island.start);
    if (at < 0) return 0;
    // Calls that were under way have said that they go on there.
    this.port.continues(thread, island.codeStart + at, island.codeStart + at);
    return island.codeStart + at;
  }

  /** For `--report`. */
  report(): string {
    const { handedOver, pollingTimes } = this.port;
    const lines = [...this.slow]
      .sort((a, b) => b[1] - a[1])
      .map(([reason, count]) => `  ${String(count).padStart(8)}  ${reason}\n`);
    const slow = lines.length === 0 ? '' : `system call sites that stayed slow:\n${lines.join('')}`;
    return `gate: ${handedOver} calls handed over, ${this.rewritten} sites rewritten, polling began ${pollingTimes} times, ${this.landed} traps\n${slow}`;
  }
}

/** Where the process has neither anything of its own nor other islands. */
function fitting(map: AddressMap): Fits {
  return (start, length) => {
    const end = start + length;
    return (
      map.canMapIsland({ start, end }) && !map.code.islands.some((other) => other.start < end && other.end > start)
    );
  };
}

/** Private memory: of several threads, or changed too often. */
function slowKind({ file, prot, flags }: Vma): SlowReason {
  if ((flags & VM_SHARED) !== 0) return 'shared mapping';
  return file === null && (prot & PROT_WRITE) === 0 ? 'private memory' : 'writable code';
}
