/** The smallest program that execve takes: one page of nothing. In a replay no instruction of it is executed. */
import { ELF64_EHDR, ELF64_PHDR, ELF_MACHINES, ET_EXEC, PF_R, PF_X, PT_LOAD } from '../abi/layouts/elf.js';
import { setU64, writeField } from '../abi/layout.js';
import type { ArchName } from '../abi/types.js';

const BASE = 0x40_0000;

export function stubProgram(arch: ArchName): Uint8Array {
  const size = ELF64_EHDR.size + ELF64_PHDR.size;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  writeField(ELF64_EHDR, view, 0, 'e_type', ET_EXEC);
  writeField(ELF64_EHDR, view, 0, 'e_machine', ELF_MACHINES[arch]);
  writeField(ELF64_EHDR, view, 0, 'e_version', 1);
  setU64(view, ELF64_EHDR.offsets.e_entry, BASE + size);
  setU64(view, ELF64_EHDR.offsets.e_phoff, ELF64_EHDR.size);
  writeField(ELF64_EHDR, view, 0, 'e_ehsize', ELF64_EHDR.size);
  writeField(ELF64_EHDR, view, 0, 'e_phentsize', ELF64_PHDR.size);
  writeField(ELF64_EHDR, view, 0, 'e_phnum', 1);
  const at = ELF64_EHDR.size;
  writeField(ELF64_PHDR, view, at, 'p_type', PT_LOAD);
  writeField(ELF64_PHDR, view, at, 'p_flags', PF_R | PF_X);
  setU64(view, at + ELF64_PHDR.offsets.p_vaddr, BASE);
  setU64(view, at + ELF64_PHDR.offsets.p_paddr, BASE);
  setU64(view, at + ELF64_PHDR.offsets.p_filesz, size);
  setU64(view, at + ELF64_PHDR.offsets.p_memsz, size);
  setU64(view, at + ELF64_PHDR.offsets.p_align, 4096);
  return bytes;
}
