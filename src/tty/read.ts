/**
 * read(2) of a terminal (drivers/tty/n_tty.c: n_tty_read; tty_io.c: iterate_tty_read): canonical lines, and the four cases
 * of VMIN and VTIME.
 *
 * Invariant: nothing is taken out of the buffer before the read can complete, so a read that is killed or restarted loses
 * nothing. (Linux moves bytes to the reader as they come; the difference shows only to a second reader.)
 *
 * Oddities copied: VMIN counts within the first 64 bytes only, the size of the kernel's stack buffer, so read(100) with
 * VMIN 100 returns 64; O_NONBLOCK with VMIN 0 and VTIME 0 gives 0, not EAGAIN; a signal ends a read with what came so far.
 */
import { WOULD_BLOCK } from '../../sched/wait.js';
import type { LineDiscipline } from './line-discipline.js';
import { VMIN, VTIME } from './termios.js';

const FIRST_PIECE = 64;
const NS_PER_TENTH = 100_000_000;

/** What one read remembers between its attempts; make a new one per read. */
export class ReadProgress {
  /** When to try again without a wake: VTIME. */
  deadlineNs = Infinity;
  private started = false;
  private icanon = false;
  private minimum = 1;
  private interByteNs = 0;
  private seen = 0;

  /**
   * Takes up to `want` bytes into `dst`. WOULD_BLOCK: nothing taken, try again on a wake or at `deadlineNs`. `cut`: take
   * what there is if there is anything (a signal is pending, or nothing more can come).
   */
  attempt(ld: LineDiscipline, dst: Uint8Array, want: number, nowNs: number, cut: boolean): number {
    if (!this.started) this.start(ld, nowNs);
    if (ld.byLines) {
      if (ld.readable()) {
        const taken = ld.input.takeLine(dst, 0, want);
        if (ld.input.more) ld.input.skipEof();
        ld.kick();
        return taken;
      }
      return nowNs >= this.deadlineNs ? 0 : WOULD_BLOCK;
    }
    const there = ld.input.commitHead - ld.input.tail;
    const enough = Math.max(1, Math.min(this.minimum, want, FIRST_PIECE));
    if (there < enough) {
      if (there > this.seen) {
        this.seen = there;
        if (this.interByteNs > 0) this.deadlineNs = nowNs + this.interByteNs;
      }
      if (nowNs < this.deadlineNs && !(cut && there > 0)) return WOULD_BLOCK;
    }
    // Beyond the first piece a read goes on only if that had been enough.
    const taken = ld.input.takeRaw(dst, 0, this.minimum > FIRST_PIECE ? Math.min(want, FIRST_PIECE) : want);
    ld.kick();
    return taken;
  }

  /** The rules are those in force when the read starts. */
  private start(ld: LineDiscipline, nowNs: number): void {
    this.started = true;
    if (ld.icanon) {
      this.minimum = 0;
      return;
    }
    const { cc } = ld.termios;
    const timeNs = cc[VTIME] * NS_PER_TENTH;
    this.minimum = Math.max(1, cc[VMIN]);
    if (cc[VMIN] > 0) this.interByteNs = timeNs;
    else this.deadlineNs = nowNs + timeNs;
  }
}
