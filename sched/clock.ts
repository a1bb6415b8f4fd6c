/**
 * Clock and Random: the only sources of time and chance in the kernel, injected at boot, so that a seeded deterministic run
 * is a matter of configuration. Host implementations are in src/platform/host-io.ts's callers; tests inject their own.
 *
 * Monotonic times are `number` nanoseconds (2^53 ns are 104 days of uptime; beyond that the unit is 2 ns). Wall-clock
 * times do not fit and are seconds plus nanoseconds.
 */
export interface Clock {
  /** CLOCK_MONOTONIC in nanoseconds; equal to what the guest's vDSO reads. */
  monotonicNs(): number;
  /** CLOCK_BOOTTIME in nanoseconds. */
  boottimeNs(): number;
  /** Reads CLOCK_REALTIME into `realtimeSec` and `realtimeNsec`. */
  readRealtime(): void;
  realtimeSec: number;
  realtimeNsec: number;
}

export interface Random {
  fill(dst: Uint8Array, offset: number, length: number): void;
}
