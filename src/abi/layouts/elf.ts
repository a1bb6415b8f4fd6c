/** ELF64 structures and the constants the loader looks at (linux/elf.h), auxiliary vector types (linux/auxvec.h). */
import { struct } from '../layout.js';
import type { ArchName } from '../types.js';

export const ELF64_EHDR = struct('Elf64_Ehdr', {
  e_ident: ['u8', 16],
  e_type: 'u16',
  e_machine: 'u16',
  e_version: 'u32',
  e_entry: 'u64',
  e_phoff: 'u64',
  e_shoff: 'u64',
  e_flags: 'u32',
  e_ehsize: 'u16',
  e_phentsize: 'u16',
  e_phnum: 'u16',
  e_shentsize: 'u16',
  e_shnum: 'u16',
  e_shstrndx: 'u16',
});
export const ELF64_PHDR = struct('Elf64_Phdr', {
  p_type: 'u32',
  p_flags: 'u32',
  p_offset: 'u64',
  p_vaddr: 'u64',
  p_paddr: 'u64',
  p_filesz: 'u64',
  p_memsz: 'u64',
  p_align: 'u64',
});
export const ELF64_SHDR = struct('Elf64_Shdr', {
  sh_name: 'u32',
  sh_type: 'u32',
  sh_flags: 'u64',
  sh_addr: 'u64',
  sh_offset: 'u64',
  sh_size: 'u64',
  sh_link: 'u32',
  sh_info: 'u32',
  sh_addralign: 'u64',
  sh_entsize: 'u64',
});
export const ELF64_NHDR = struct('Elf64_Nhdr', { n_namesz: 'u32', n_descsz: 'u32', n_type: 'u32' });
export const ELF64_SYM = struct('Elf64_Sym', {
  st_name: 'u32',
  st_info: 'u8',
  st_other: 'u8',
  st_shndx: 'u16',
  st_value: 'u64',
  st_size: 'u64',
});
export const ELF64_DYN = struct('Elf64_Dyn', { d_tag: 'i64', d_val: 'u64' });
export const AUXV = struct('auxv', { a_type: 'u64', a_val: 'u64' });

export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;
export const ELF_MACHINES: Readonly<Record<ArchName, number>> = { x86_64: EM_X86_64, aarch64: EM_AARCH64 };
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_PROPERTY = 0x6474e553;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

export const AT_NULL = 0;
export const AT_IGNORE = 1;
export const AT_EXECFD = 2;
export const AT_PHDR = 3;
export const AT_PHENT = 4;
export const AT_PHNUM = 5;
export const AT_PAGESZ = 6;
export const AT_BASE = 7;
export const AT_FLAGS = 8;
export const AT_ENTRY = 9;
export const AT_NOTELF = 10;
export const AT_UID = 11;
export const AT_EUID = 12;
export const AT_GID = 13;
export const AT_EGID = 14;
export const AT_PLATFORM = 15;
export const AT_HWCAP = 16;
export const AT_CLKTCK = 17;
export const AT_SECURE = 23;
export const AT_BASE_PLATFORM = 24;
export const AT_RANDOM = 25;
export const AT_HWCAP2 = 26;
export const AT_RSEQ_FEATURE_SIZE = 27;
export const AT_RSEQ_ALIGN = 28;
export const AT_EXECFN = 31;
export const AT_SYSINFO_EHDR = 33;
export const AT_MINSIGSTKSZ = 51;
