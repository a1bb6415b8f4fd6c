// Looks up a function in this process's own vDSO, which is the one guests get.
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstring>

#include "context.h"

namespace levitate {

uint64_t vdsoSymbol(const char *name) {
  const auto *image = reinterpret_cast<const uint8_t *>(getauxval(AT_SYSINFO_EHDR));
  if (!image || !name) return 0;
  const auto *header = reinterpret_cast<const ElfW(Ehdr) *>(image);
  const auto *sections = reinterpret_cast<const ElfW(Shdr) *>(image + header->e_shoff);
  for (int i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_DYNSYM || sections[i].sh_link >= header->e_shnum) continue;
    const auto *strings = reinterpret_cast<const char *>(image + sections[sections[i].sh_link].sh_offset);
    const auto *symbols = reinterpret_cast<const ElfW(Sym) *>(image + sections[i].sh_offset);
    for (size_t j = 0; j < sections[i].sh_size / sizeof *symbols; j++)
      if (symbols[j].st_shndx != SHN_UNDEF && strcmp(strings + symbols[j].st_name, name) == 0) return symbols[j].st_value;
  }
  return 0;
}

}  // namespace levitate
