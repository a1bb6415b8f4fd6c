/**
 * Real machine code for the gate's tests: the executable sections of the libraries, BusyBox and the Node that are on every
 * machine that builds levitate, and objdump's opinion of them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideRootfs } from '../../rootfs/provide.js';

/** A stretch of a file; `address` is what the ELF headers say, `offset` where it is in the file. */
export interface Section {
  address: number;
  offset: number;
  size: number;
}

const SHF_EXECINSTR = 4;
const SHT_PROGBITS = 1;

/** The executable sections of an ELF64 file, largest first. */
export function executableSections(elf: Buffer): Section[] {
  const table = Number(elf.readBigUInt64LE(0x28));
  const size = elf.readUInt16LE(0x3a);
  const sections: Section[] = [];
  for (let i = 0; i < elf.readUInt16LE(0x3c); i++) {
    const at = table + i * size;
    const executable = (elf.readUInt32LE(at + 8) & SHF_EXECINSTR) !== 0;
    if (elf.readUInt32LE(at + 4) !== SHT_PROGBITS || !executable) continue;
    const [address, offset, length] = [0x10, 0x18, 0x20].map((field) => Number(elf.readBigUInt64LE(at + field)));
    sections.push({ address, offset, size: length });
  }
  return sections.sort((a, b) => b.size - a.size);
}

/** Paths of the binaries the tests read. */
export async function binaries(): Promise<{ busybox: string; libc: string; libstdcxx: string; node: string }> {
  return {
    busybox: join(await provideRootfs(), 'busybox'),
    libc: libraryPath('libc.so.6'),
    libstdcxx: libraryPath('libstdc++.so.6'),
    node: process.execPath,
  };
}

function libraryPath(name: string): string {
  const { stdout, error } = spawnSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' });
  if (error) throw new Error(`gcc is needed to find ${name}: ${error.message}`);
  return stdout.trim();
}

export interface Listed {
  address: number;
  length: number;
  text: string;
}

// What objdump prints when it gives up: the byte, or prefixes without the instruction they belong to.
const NOT_AN_INSTRUCTION =
  /\(bad\)|^\.byte|^((rex(\.\w+)?|[c-g]s|ss|data16|addr32|lock|rep\w*|bnd|notrack|xacquire|xrelease) *)+$/;

/**
 * Calls back with each instruction that `objdump args` lists, in order, leaving out what it could not decode.
 * @returns how many lines it could not decode.
 */
export async function disassemble(args: readonly string[], visit: (listed: Listed) => void): Promise<number> {
  const child = spawn('objdump', ['-w', '--insn-width=16', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`objdump (binutils) is needed: ${error.message}`)));
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`objdump: exit ${status}`))));
  });
  let undecoded = 0;
  let rest = '';
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [address, bytes, text] = line.split('\t');
      if (text === undefined) continue;
      const trimmed = text.trimEnd();
      if (NOT_AN_INSTRUCTION.test(trimmed)) undecoded++;
      else visit({ address: parseInt(address, 16), length: (bytes.trimEnd().length + 1) / 3, text: trimmed });
    }
  });
  await ended;
  return undecoded;
}

/** Lists a whole file, or of its largest section the part from `from` to `to` (fractions), with indices into the file. */
export async function disassembleFile(
  path: string,
  part: { from: number; bytes: number } | null,
  visit: (code: Buffer, at: number, listed: Listed) => void,
): Promise<void> {
  const code = readFileSync(path);
  const sections = executableSections(code);
  const args = ['-d'];
  let stop = Infinity;
  if (part !== null) {
    const [{ address, size }] = sections;
    const start = address + Math.floor(size * part.from);
    stop = start + part.bytes;
    args.push(`--start-address=${start}`, `--stop-address=${stop}`);
  }
  await disassemble([...args, path], (listed) => {
    if (listed.address + listed.length >= stop) return; // may be cut
    const section = sections.find(({ address, size }) => listed.address >= address && listed.address < address + size);
    if (section === undefined) throw new Error(`${path}: ${listed.address.toString(16)} is in no section`);
    visit(code, listed.address - section.address + section.offset, listed);
  });
}

/** Bytes from hexadecimal text; spaces do not count. */
export function bytes(...texts: string[]): Uint8Array {
  return new Uint8Array(Buffer.from(texts.join('').replaceAll(' ', ''), 'hex'));
}
