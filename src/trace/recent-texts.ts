/** Texts made not long ago, by what they are of: a program passes the same few values again and again. */
const SLOTS = 256;

export class RecentTexts {
  private readonly kinds: (object | null)[] = new Array<null>(SLOTS).fill(null);
  private readonly archs: string[] = new Array<string>(SLOTS).fill('');
  private readonly values = new Float64Array(SLOTS);
  private readonly texts: string[] = new Array<string>(SLOTS).fill('');

  /** Of `value`, an integer below 2^53, as one of its kind. */
  find(kind: object, arch: string, value: number): string | undefined {
    const slot = slotOf(value);
    const found = this.values[slot] === value && this.kinds[slot] === kind && this.archs[slot] === arch;
    return found ? this.texts[slot] : undefined;
  }
  keep(kind: object, arch: string, value: number, text: string): string {
    const slot = slotOf(value);
    this.kinds[slot] = kind;
    this.archs[slot] = arch;
    this.values[slot] = value;
    this.texts[slot] = text;
    return text;
  }
}
const slotOf = (value: number): number => (value ^ (value >>> 8) ^ (value >>> 16)) & (SLOTS - 1);
