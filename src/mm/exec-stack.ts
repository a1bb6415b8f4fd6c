/**
 * The initial stack of a program, byte for byte as create_elf_tables and copy_strings lay it out:
 *
 *   top   8 zero bytes
 *         execfn, environment strings, argument strings (each list in ascending order)
 *         up to 8 KiB of random distance, aligned to 16
 *         platform string, 16 random bytes
 *         padding
 *         auxv, NULL, envp pointers, NULL, argv pointers
 *   sp    argc                                               (16-byte aligned)
 */
import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_EXECFN,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_HWCAP2,
  AT_MINSIGSTKSZ,
  AT_NULL,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_PLATFORM,
  AT_RANDOM,
  AT_RSEQ_ALIGN,
  AT_RSEQ_FEATURE_SIZE,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
  ELF64_PHDR,
} from '../abi/layouts/elf.js';
import type { Platform } from '../platform/platform.js';

export interface StackCredentials {
  uid: number;
  euid: number;
  gid: number;
  egid: number;
}
export interface StackOptions {
  platform: Platform;
  /** Page aligned end of the stack. */
  top: number;
  /** Random distance below the strings, 0 to 8191. */
  jitter: number;
  argv: readonly string[];
  envp: readonly string[];
  execfn: string;
  creds: StackCredentials;
  secure: boolean;
  random: Uint8Array;
  phdr: number;
  phnum: number;
  base: number;
  entry: number;
}
export interface InitialStack {
  sp: number;
  /** Contents of [sp, top). */
  bytes: Uint8Array;
  /** Lowest address of the strings. */
  strings: number;
  argStart: number;
  argEnd: number;
  envStart: number;
  envEnd: number;
  auxv: Uint8Array;
}

const CLOCK_TICKS = 100;
const RSEQ_FEATURE_SIZE = 28;
const RSEQ_ALIGN = 32;
const WORD = 8;

export function buildStack(options: StackOptions): InitialStack {
  const { platform, top, argv, envp, execfn } = options;
  const stringBytes = (list: readonly string[]): number => list.reduce((sum, text) => sum + text.length + 1, 0);
  const execfnAt = top - WORD - (execfn.length + 1);
  const envStart = execfnAt - stringBytes(envp);
  const argStart = envStart - stringBytes(argv);
  let at = argStart - options.jitter;
  at -= at % 16;
  const platformAt = at - (platform.auxv.platform.length + 1);
  const randomAt = platformAt - options.random.length;
  const auxv = auxiliaryVector(options, { execfnAt, platformAt, randomAt });
  const words = 1 + argv.length + 1 + envp.length + 1;
  let sp = randomAt - auxv.length - words * WORD;
  sp -= sp % 16;

  const bytes = Buffer.alloc(top - sp);
  const put = (text: string, address: number): void => {
    bytes.write(text, address - sp, 'latin1');
  };
  let word = 0;
  const putWord = (value: number): void => {
    writeWord(bytes, word, value);
    word += WORD;
  };
  const putStrings = (list: readonly string[], start: number): void => {
    let address = start;
    for (const text of list) {
      put(text, address);
      putWord(address);
      address += text.length + 1;
    }
    putWord(0);
  };
  putWord(argv.length);
  putStrings(argv, argStart);
  putStrings(envp, envStart);
  bytes.set(auxv, word);
  put(execfn, execfnAt);
  put(platform.auxv.platform, platformAt);
  bytes.set(options.random, randomAt - sp);
  return { sp, bytes, strings: argStart, argStart, argEnd: envStart, envStart, envEnd: execfnAt, auxv };
}

function auxiliaryVector(
  { platform, phdr, phnum, base, entry, creds, secure }: StackOptions,
  at: { execfnAt: number; platformAt: number; randomAt: number },
): Uint8Array {
  const { hwcap, hwcap2, minsigstksz } = platform.auxv;
  const entries: [number, number][] = [
    ...(platform.vdso === 0 ? [] : ([[AT_SYSINFO_EHDR, platform.vdso]] as [number, number][])),
    [AT_MINSIGSTKSZ, minsigstksz],
    [AT_HWCAP, hwcap],
    [AT_PAGESZ, platform.pageSize],
    [AT_CLKTCK, CLOCK_TICKS],
    [AT_PHDR, phdr],
    [AT_PHENT, ELF64_PHDR.size],
    [AT_PHNUM, phnum],
    [AT_BASE, base],
    [AT_FLAGS, 0],
    [AT_ENTRY, entry],
    [AT_UID, creds.uid],
    [AT_EUID, creds.euid],
    [AT_GID, creds.gid],
    [AT_EGID, creds.egid],
    [AT_SECURE, secure ? 1 : 0],
    [AT_RANDOM, at.randomAt],
    [AT_HWCAP2, hwcap2],
    [AT_EXECFN, at.execfnAt],
    [AT_PLATFORM, at.platformAt],
    [AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE],
    [AT_RSEQ_ALIGN, RSEQ_ALIGN],
    [AT_NULL, 0],
  ];
  const bytes = Buffer.alloc(entries.length * 2 * WORD);
  entries.forEach(([type, value], i) => {
    writeWord(bytes, 2 * WORD * i, type);
    writeWord(bytes, 2 * WORD * i + WORD, value);
  });
  return bytes;
}

function writeWord(bytes: Buffer, at: number, value: number): void {
  if (value < 0) value += 2 ** 64; // the load bias of a file with hostile addresses
  bytes.writeUInt32LE(value % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
