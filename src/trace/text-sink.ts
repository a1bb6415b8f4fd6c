/** Text on its way to a host file: gathered into pieces of 64 KiB. */
const PIECE = 65536;

/** With `lateMs`, nothing waits longer than that to be written. */
export class TextSink {
  private text = '';
  private readonly write: (text: string) => void;
  private readonly lateMs: number | undefined;
  private timer: NodeJS.Timeout | null = null;
  /** Runs before what is there is written because it is late. */
  onLate: () => void = () => {};

  constructor(write: (text: string) => void, lateMs?: number) {
    this.write = write;
    this.lateMs = lateMs;
  }
  add(text: string): void {
    this.text += text;
    if (this.text.length >= PIECE) this.flush();
    else if (this.timer === null && this.lateMs !== undefined) this.timer = setTimeout(this.late, this.lateMs).unref();
  }
  private readonly late = (): void => {
    this.timer = null;
    this.onLate();
    this.flush();
  };
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.text === '') return;
    const { text } = this;
    this.text = '';
    this.write(text);
  }
}
