/** Clock and Random of the host: what guests read through the vDSO is the same clock. */
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, type HostIo } from './host-io.js';

export class HostClock {
  realtimeSec = 0;
  realtimeNsec = 0;
  private readonly io: HostIo;

  constructor(io: HostIo) {
    this.io = io;
  }
  monotonicNs(): number {
    this.io.clock(CLOCK_MONOTONIC);
    return this.io.time[0] * 1e9 + this.io.time[1];
  }
  boottimeNs(): number {
    this.io.clock(CLOCK_BOOTTIME);
    return this.io.time[0] * 1e9 + this.io.time[1];
  }
  readRealtime(): void {
    this.io.clock(CLOCK_REALTIME);
    this.realtimeSec = this.io.time[0];
    this.realtimeNsec = this.io.time[1];
  }
}

/** Small requests come out of a pool (an exec makes five), each byte of which is used once and then wiped. */
export class HostRandom {
  private readonly io: HostIo;
  private readonly pool = new Uint8Array(1024);
  private used = this.pool.length;

  constructor(io: HostIo) {
    this.io = io;
  }
  fill(dst: Uint8Array, offset: number, length: number): void {
    const { pool } = this;
    if (length > pool.length / 8) {
      this.io.fillRandom(dst.subarray(offset, offset + length));
      return;
    }
    if (pool.length - this.used < length) {
      this.io.fillRandom(pool);
      this.used = 0;
    }
    for (let i = 0; i < length; i++) {
      dst[offset + i] = pool[this.used];
      pool[this.used++] = 0;
    }
  }
}
