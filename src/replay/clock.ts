/** The clock and the chance of a replay: time is what the recording says, and chance repeats. */
import type { Clock, Random } from '../../sched/clock.js';

/** A replay begins this long after its boot, so that nothing is before it. */
const UPTIME_NS = 1000e9;

export class ReplayClock implements Clock {
  realtimeSec = 0;
  realtimeNsec = 0;
  private ns = UPTIME_NS;
  /** Wall-clock nanoseconds at boot, in seconds and the rest: together they exceed 2^53. */
  private bootSec = 1_700_000_000;

  monotonicNs(): number {
    return this.ns;
  }
  boottimeNs(): number {
    return this.ns;
  }
  readRealtime(): void {
    this.realtimeSec = this.bootSec + Math.floor(this.ns / 1e9);
    this.realtimeNsec = Math.floor(this.ns % 1e9);
  }

  /** Wall-clock seconds of the recording's beginning. */
  startAt(sec: number): void {
    this.bootSec = sec - UPTIME_NS / 1e9;
  }
  /** Nanoseconds since the recording's beginning; time never goes back. */
  reach(ns: number): void {
    this.ns = Math.max(this.ns, UPTIME_NS + ns);
  }
  jump(monotonicNs: number): void {
    this.ns = Math.max(this.ns, monotonicNs);
  }
  tick(ns: number): void {
    this.ns += ns;
  }
}

/** A small generator (mulberry32): replays of one file are alike. */
export class SeededRandom implements Random {
  private state: number;

  constructor(seed = 1) {
    this.state = seed;
  }
  fill(dst: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) {
      this.state = (this.state + 0x6d2b79f5) | 0;
      let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      dst[offset + i] = (t ^ (t >>> 14)) & 255;
    }
  }
}
