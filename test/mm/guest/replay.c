/*
 * Replays memory calls on the host. stdin: one call a line, numbers separated by blanks: a letter, then arguments with
 * addresses and lengths in bytes (hexadecimal). After each call: its result (0, or -errno; an address counts as 0), then the
 * maps of [BASE, BASE + SPAN) as "start end perms offset" in pages from BASE, then an empty line.
 *
 * Pages are never touched: what Linux merges then depends on nothing but flags.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BASE 0x200000000000ul
#define SPAN (256ul * 4096)

static void show(long result) {
  char line[512];
  FILE *maps = fopen("/proc/self/maps", "r");
  printf("%ld\n", result);
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end, offset;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, perms, &offset) != 4) continue;
    if (start < BASE || start >= BASE + SPAN) continue;
    /* Anonymous memory has no offset. */
    printf("%lu %lu %s %lu\n", (start - BASE) / 4096, (end - BASE) / 4096, perms, offset / 4096);
  }
  fclose(maps);
  printf("\n");
}

int main(int argc, char **argv) {
  char line[256];
  int fd = open(argv[1], O_RDWR), ro = open(argv[1], O_RDONLY);
  (void)argc;
  while (fgets(line, sizeof line, stdin)) {
    unsigned long a[6] = {0};
    char op;
    long r = 0;
    sscanf(line, "%c %lx %lx %lx %lx %lx %lx", &op, a, a + 1, a + 2, a + 3, a + 4, a + 5);
    switch (op) {
      case 'm': r = syscall(SYS_mmap, a[0], a[1], a[2], a[3], a[4] == 0 ? -1 : a[4] == 1 ? fd : ro, a[5]); break;
      case 'u': r = syscall(SYS_munmap, a[0], a[1]); break;
      case 'p': r = syscall(SYS_mprotect, a[0], a[1], a[2]); break;
      case 'r': r = syscall(SYS_mremap, a[0], a[1], a[2], a[3], a[4]); break;
      case 'a': r = syscall(SYS_madvise, a[0], a[1], a[2]); break;
      case 'l': r = syscall(SYS_mlock2, a[0], a[1], 1); break;
      case 'k': r = syscall(SYS_munlock, a[0], a[1]); break;
      case 's': r = syscall(SYS_msync, a[0], a[1], a[2]); break;
    }
    show(r == -1 ? -errno : 0);
  }
  return 0;
}
