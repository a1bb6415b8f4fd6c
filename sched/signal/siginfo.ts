/** siginfo of a queued or delivered signal (sigaction(2), "The siginfo_t argument"). Written out by the frame code. */
export interface SigInfo {
  readonly signo: number;
  /** SI_USER 0, SI_KERNEL 0x80, SI_TKILL -6, SI_QUEUE -1, SI_TIMER -2, CLD_*, SEGV_*, ... */
  readonly code: number;
  readonly errno?: number;
  /** Sender or child. */
  readonly pid?: number;
  readonly uid?: number;
  /** CLD_*: exit status or signal; times in clock ticks. */
  readonly status?: number;
  readonly utime?: number;
  readonly stime?: number;
  /** si_value: exact 64 bits. */
  readonly value?: bigint;
  /** Faults: si_addr. */
  readonly addr?: number;
  readonly timerId?: number;
  readonly overrun?: number;
  /** SIGPOLL. */
  readonly band?: number;
  readonly fd?: number;
  /**
   * A timer's own queue entry: queued even if the signal is pending already, never against a limit. Called when the entry is
   * taken or dropped; gives the information as delivered.
   */
  readonly taken?: () => SigInfo;
  /** Raw 128 bytes given by rt_sigqueueinfo: delivered unchanged apart from si_signo. */
  readonly raw?: Uint8Array;
}
