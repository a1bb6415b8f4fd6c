/**
 * A host thread: a slot of the native context and a view of its register block.
 *
 * Invariant: `slot` is -1 from `exit()` or STOP_GONE on, since the native side gives the number to the next thread.
 */
import type { AddressSpace, HostThread, SharedState } from '../platform.js';
import { EINVAL } from '../../abi/errno.js';
import { FP_FULL, FP_INITIAL, FP_ROOM } from '../fp-area.js';
import { Registers } from '../registers.js';
import type { PtracePlatform } from './platform.js';
import * as L from './layout.js';
import { PtraceSpace } from './space.js';

export class PtraceThread implements HostThread {
  readonly platform: PtracePlatform;
  readonly space: PtraceSpace & AddressSpace;
  readonly regs: Registers;
  readonly hostTid: number;
  slot: number;
  running = false;
  private shared: SharedState | null = null;
  /** Whose ids are in the channel. */
  private creds: SharedState['creds'] | null = null;
  /** The thread has run since `shared` was brought up to date from its channel. */
  private ran = false;

  constructor(platform: PtracePlatform, space: PtraceSpace, slot: number, hostTid: number) {
    this.platform = platform;
    this.space = space;
    this.slot = slot;
    this.hostTid = hostTid;
    this.regs = new Registers(platform.registerWords, slot * L.BLOCK_WORDS * 2, platform.layout);
    space.threads.add(this);
    platform.threads[slot] = this;
    platform.channels.reach(Math.max(slot, space.id));
  }

  resume(): void {
    if (this.running || this.slot < 0) return;
    if (this.space.dirty) this.space.mustFlush();
    this.publish();
    this.running = true;
    this.platform.queueResume(this.slot);
  }

  share(state: SharedState): void {
    if (this.platform.gate === null) return;
    this.refresh();
    this.shared = state;
    this.ran = false;
    this.creds = null;
  }
  refresh(): void {
    if (!this.ran || this.slot < 0) return;
    this.platform.gate!.fetch(this, this.shared!, this.running);
    if (!this.running) this.ran = false;
  }
  private publish(): void {
    const { shared } = this;
    if (shared === null) return;
    const gate = this.platform.gate!;
    if (!gate.admits(this)) return;
    if (this.creds !== shared.creds) {
      this.creds = shared.creds;
      gate.setFacts(this, shared);
    }
    gate.publish(this, this.ran ? null : shared, shared.anyPending());
    this.ran = true;
  }

  interrupt(): void {
    if (!this.running) return;
    if (this.platform.takeFromQueue(this.slot)) {
      const { channel } = this.platform;
      if (channel.space === this.space) channel.leave(); // it starts now, and not with what the next wait would send along
      this.platform.native.start(this.slot);
    }
    this.platform.native.interrupt(this.slot);
  }

  /** Brings registers into the block that a system call stop hides (aarch64: x7), or a call that came without a stop. */
  sync(): void {
    const { channel } = this.platform;
    if (channel.space === this.space) channel.leave();
    this.platform.control[L.WHO] = this.slot;
    this.platform.native.sync();
    this.platform.gate?.show(this);
  }

  cloneThread(): HostThread {
    if (this.space.dirty) this.space.mustFlush();
    this.withdraw();
    const slot = this.platform.native.cloneThread(this.slot);
    if (slot < 0) throw this.platform.failure('clone', -slot);
    return new PtraceThread(this.platform, this.space, slot, this.platform.control[L.HOST_TID]);
  }

  /** A channel that is the process's is nobody's from now on. */
  private withdraw(): void {
    if (this.space.served === null) return;
    this.refresh();
    this.creds = null;
    this.platform.gate!.withdraw(this.space);
  }

  fork(): HostThread {
    if (this.space.dirty) this.space.mustFlush();
    const slot = this.platform.native.fork(this.slot);
    if (slot < 0) throw this.platform.failure('fork', -slot);
    return this.platform.firstThread(slot);
  }

  exit(): void {
    if (this.slot < 0) return;
    if (this.running) this.platform.takeFromQueue(this.slot);
    this.platform.native.exit(this.slot);
    this.forget();
  }

  /** Cuts the ties to the native slot. */
  forget(): void {
    this.platform.threads[this.slot] = undefined;
    this.slot = -1;
    this.running = false;
    this.space.threads.delete(this);
    if (this.space.threads.size === 0) this.space.id = -1;
  }

  loadFp(): number {
    const { control, native, arguments: args } = this.platform;
    control[L.WHO] = this.slot;
    native.getFp();
    if (args[L.FAILED] !== 0) throw this.platform.failure('reading FP state', args[L.FAILED]);
    return args[L.FP_KIND];
  }
  storeFp(): number {
    return this.store(this.platform.fp.size);
  }
  private store(length: number): number {
    const { control, native, arguments: args } = this.platform;
    control[L.WHO] = this.slot;
    args[L.FP_LENGTH] = length;
    native.setFp();
    return args[L.FAILED];
  }
  resetFpState(from = FP_FULL): void {
    if (from === FP_INITIAL) return;
    const { control, native, arguments: args } = this.platform;
    control[L.WHO] = this.slot;
    args[L.FP_FROM] = from;
    native.resetFp();
  }
  getFpState(): Uint8Array {
    this.loadFp();
    return this.platform.fp.copy();
  }
  setFpState(state: Uint8Array): number {
    const { fp } = this.platform;
    if (state.length > fp.size) return EINVAL;
    fp.bytes.set(state, FP_ROOM);
    return this.store(state.length);
  }

  cpuTimeNs(): { user: number; system: number } {
    if (this.slot < 0) return { user: 0, system: 0 };
    const { control, native, arguments: args } = this.platform;
    control[L.WHO] = this.slot;
    native.cpuTime();
    return { user: args[L.USER_NS], system: args[L.SYSTEM_NS] };
  }
}
