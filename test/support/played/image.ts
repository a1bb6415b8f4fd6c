/** Addresses of the executor's functions: the symbol table of the binary that the kernel really loads. */
export interface Image {
  readonly entry: number;
  readonly symbols: ReadonlyMap<string, number>;
  /** The section of the entry point, by which a program in memory is known to be the executor. */
  readonly code: { readonly address: number; readonly bytes: Buffer };
}

const SHT_SYMTAB = 2;
const SECTION_HEADER = 64;
const SYMBOL = 24;

export function readImage(elf: Buffer): Image {
  const u64 = (at: number): number => Number(elf.readBigUInt64LE(at));
  const entry = u64(24);
  const sections = u64(40);
  const header = (index: number): number => sections + index * SECTION_HEADER;
  const symbols = new Map<string, number>();
  let code: Image['code'] | null = null;
  for (let i = 0; i < elf.readUInt16LE(60); i++) {
    const at = header(i);
    const [address, offset, size] = [u64(at + 16), u64(at + 24), u64(at + 32)];
    if (entry >= address && entry < address + size) code = { address, bytes: elf.subarray(offset, offset + size) };
    if (elf.readUInt32LE(at + 4) !== SHT_SYMTAB) continue;
    const names = u64(header(elf.readUInt32LE(at + 40)) + 24);
    for (let symbol = offset; symbol < offset + size; symbol += SYMBOL) {
      const name = names + elf.readUInt32LE(symbol);
      symbols.set(elf.toString('latin1', name, elf.indexOf(0, name)), u64(symbol + 8));
    }
  }
  if (code === null) throw new Error('the executor has no code at its entry point');
  return { entry, symbols, code };
}
