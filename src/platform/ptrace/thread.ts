/**
 * A host thread: a slot of the native context and a view of its register block.
 *
 * Invariant: `slot` is -1 from `exit()` or STOP_GONE on, since the native side gives the number to the next thread.
 */
import type { AddressSpace, HostThread, SharedState } from '../platform.js';
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
    this.platform.gate!.fetch(this.slot, this.shared!, this.running);
    if (!this.running) this.ran = false;
  }
  private publish(): void {
    const { shared } = this;
    if (shared === null) return;
    const gate = this.platform.gate!;
    if (this.creds !== shared.creds) {
      this.creds = shared.creds;
      gate.setFacts(this.slot, shared);
    }
    gate.publish(this.slot, this.ran ? null : shared, shared.anyPending());
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
    this.platform.native.sync(this.slot);
    this.platform.gate?.show(this);
  }

  cloneThread(): HostThread {
    if (this.space.dirty) this.space.mustFlush();
    const slot = this.platform.native.cloneThread(this.slot);
    if (slot < 0) throw this.platform.failure('clone', -slot);
    return new PtraceThread(this.platform, this.space, slot, this.platform.control[L.HOST_TID]);
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

  getFpState(): Uint8Array {
    const image = new Uint8Array(this.platform.native.fpSize);
    const got = this.platform.native.getFp(this.slot, image);
    if (got < 0) throw this.platform.failure('reading FP state', -got);
    return got === image.length ? image : image.subarray(0, got);
  }
  setFpState(state: Uint8Array): number {
    return this.platform.native.setFp(this.slot, state, state.length);
  }
  resetFpState(): void {
    this.platform.native.resetFp(this.slot);
  }

  cpuTimeNs(): { user: number; system: number } {
    if (this.slot < 0) return { user: 0, system: 0 };
    const { control, native, arguments: args } = this.platform;
    control[L.WHO] = this.slot;
    native.cpuTime();
    return { user: args[L.USER_NS], system: args[L.SYSTEM_NS] };
  }
}
