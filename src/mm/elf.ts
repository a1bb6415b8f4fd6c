/**
 * ELF headers of a program or its interpreter (fs/binfmt_elf.c load_elf_phdrs). Input is hostile: every read is checked, and
 * numbers that make no sense are left to the loader's checks, which are in Linux's places.
 *
 * Oddities kept: program headers must fit one page; a short read of them is ENOEXEC, like wrong magic; only the first
 * PT_INTERP counts. 64-bit fields are JS numbers: what is above 2^53 is beyond any address or file and fails later.
 */
import { getU64 } from '../abi/layout.js';
import {
  ELF64_EHDR,
  ELF64_PHDR,
  ELF_MACHINES,
  ET_DYN,
  ET_EXEC,
  PF_R,
  PF_W,
  PF_X,
  PT_GNU_STACK,
  PT_INTERP,
  PT_LOAD,
} from '../abi/layouts/elf.js';
import { EIO, ENOEXEC, errno } from '../abi/errno.js';
import type { ArchName } from '../abi/types.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../platform/platform.js';
import type { FileMapping } from './file-mapping.js';

/** A program as the loader needs it. */
export interface ProgramFile {
  /** Copies file bytes; returns how many there were. */
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number;
  mapping: FileMapping;
}

/** A PT_LOAD header. */
export interface Segment {
  readonly vaddr: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
  /** PROT_* bits. */
  readonly prot: number;
}

export interface ElfFile {
  readonly file: ProgramFile;
  readonly type: number;
  readonly entry: number;
  readonly headerOffset: number;
  readonly headerCount: number;
  readonly segments: readonly Segment[];
  /** PT_INTERP: the path with what is behind its first NUL cut off; null when there is none. */
  readonly interpreter: string | null;
  /** PT_GNU_STACK: null when absent. */
  readonly executableStack: boolean | null;
}

const EHDR = ELF64_EHDR.offsets;
const PHDR = ELF64_PHDR.offsets;
const PATH_MAX = 4096;

/** Reads and checks the headers; throws `bad` (ENOEXEC for a program, ELIBBAD for an interpreter) when they are not ours. */
export function parseElf(file: ProgramFile, arch: ArchName, pageSize: number, bad: number): ElfFile {
  const bytes = new Uint8Array(pageSize);
  const view = new DataView(bytes.buffer);
  // An interpreter too short for the header is EIO (elf_read); a program is never: its first bytes are zero-padded.
  if (file.read(bytes, 0, 0, ELF64_EHDR.size) < ELF64_EHDR.size && bad !== ENOEXEC) throw errno(EIO);
  if (view.getUint32(0, false) !== 0x7f454c46) throw errno(bad);
  const type = view.getUint16(EHDR.e_type, true);
  // Only Linux's program loader looks at the type here; that of an interpreter is checked when it is mapped.
  if (bad === ENOEXEC && type !== ET_EXEC && type !== ET_DYN) throw errno(bad);
  if (view.getUint16(EHDR.e_machine, true) !== ELF_MACHINES[arch]) throw errno(bad);
  const entry = getU64(view, EHDR.e_entry);
  const headerOffset = getU64(view, EHDR.e_phoff);
  const headerCount = view.getUint16(EHDR.e_phnum, true);
  const size = headerCount * ELF64_PHDR.size;
  if (view.getUint16(EHDR.e_phentsize, true) !== ELF64_PHDR.size || size === 0 || size > pageSize) throw errno(bad);
  if (!Number.isSafeInteger(headerOffset) || file.read(bytes, 0, headerOffset, size) < size) throw errno(bad);

  const segments: Segment[] = [];
  let interpreter: string | null = null;
  let executableStack: boolean | null = null;
  for (let at = 0; at < size; at += ELF64_PHDR.size) {
    const flags = view.getUint32(at + PHDR.p_flags, true);
    const offset = getU64(view, at + PHDR.p_offset);
    const fileSize = getU64(view, at + PHDR.p_filesz);
    switch (view.getUint32(at + PHDR.p_type, true)) {
      case PT_LOAD:
        segments.push({
          vaddr: getU64(view, at + PHDR.p_vaddr),
          offset,
          fileSize,
          memorySize: getU64(view, at + PHDR.p_memsz),
          align: getU64(view, at + PHDR.p_align),
          prot:
            ((flags & PF_R) !== 0 ? PROT_READ : 0) |
            ((flags & PF_W) !== 0 ? PROT_WRITE : 0) |
            ((flags & PF_X) !== 0 ? PROT_EXEC : 0),
        });
        break;
      case PT_INTERP:
        if (bad === ENOEXEC) interpreter ??= readInterpreter(file, offset, fileSize);
        break;
      case PT_GNU_STACK:
        executableStack = (flags & PF_X) !== 0;
        break;
      default:
    }
  }
  return { file, type, entry, headerOffset, headerCount, segments, interpreter, executableStack };
}

function readInterpreter(file: ProgramFile, offset: number, length: number): string {
  if (length > PATH_MAX || length < 2) throw errno(ENOEXEC);
  const bytes = Buffer.alloc(length);
  if (!Number.isSafeInteger(offset) || file.read(bytes, 0, offset, length) < length) throw errno(EIO);
  if (bytes[length - 1] !== 0) throw errno(ENOEXEC);
  return bytes.toString('latin1', 0, bytes.indexOf(0));
}

/** total_mapping_size: from the page of the lowest address to the highest one; 0 without segments. */
export function mappingSize(segments: readonly Segment[], pageSize: number): number {
  let low = Infinity;
  let high = 0;
  for (const { vaddr, memorySize } of segments) {
    low = Math.min(low, vaddr - (vaddr % pageSize));
    high = Math.max(high, vaddr + memorySize);
  }
  return segments.length === 0 ? 0 : high - low;
}

/** maximum_alignment: the largest p_align that is a power of two, at least a page. */
export function maximumAlignment(segments: readonly Segment[], pageSize: number): number {
  let alignment = pageSize;
  for (const { align } of segments) if (align > alignment && Number.isInteger(Math.log2(align))) alignment = align;
  return alignment;
}
