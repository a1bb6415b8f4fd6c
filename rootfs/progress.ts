/**
 * Progress of a long step on stderr: one line that is redrawn on a terminal, a plain line per step elsewhere (logs, CI).
 * Nothing goes to stdout: that belongs to the guest.
 */
const REDRAW_MS = 200;
const PREFIX = 'levitate-run: ';

export class Progress {
  current = 'starting';
  readonly #title: string;
  readonly #started = process.hrtime.bigint();
  readonly #live = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  #fraction: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #titled = false;

  constructor(title: string) {
    this.#title = title;
  }

  step(text: string): void {
    this.current = text;
    this.#fraction = undefined;
    if (!this.#titled) process.stderr.write(`${PREFIX}${this.#title}\n`);
    this.#titled = true;
    if (!this.#live) {
      process.stderr.write(`${PREFIX}${this.#elapsed()} ${text}\n`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), REDRAW_MS).unref();
    this.#draw();
  }

  fraction(value: number): void {
    this.#fraction = Math.min(value, 1);
  }

  /** Ends with a line that stays. */
  done(text: string): void {
    this.end();
    process.stderr.write(`${PREFIX}${this.#elapsed()} ${text}\n`);
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    process.stderr.write('\r\x1b[K');
  }

  #draw(): void {
    const percent = this.#fraction === undefined ? '' : ` ${Math.floor(this.#fraction * 100)}%`;
    process.stderr.write(`\r${PREFIX}${this.#elapsed()} ${this.current}${percent}\x1b[K`);
  }

  #elapsed(): string {
    return `[${String((process.hrtime.bigint() - this.#started) / 1_000_000_000n).padStart(3)} s]`;
  }
}
