/*
 * Buffers that are bad, half bad, or not there yet, for calls at sites that have been learned: prints result, errno and what the
 * memory holds afterwards. The same wherever it runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)

#define call raw_call
static int file, pipes[2];
static uint64_t sum(const volatile unsigned char *at, size_t length) {
  uint64_t digest = 0xcbf29ce484222325;
  for (size_t i = 0; i < length; i++) digest = (digest ^ at[i]) * 0x100000001b3;
  return digest;
}
/* Handed over, not just learned. */
static void warm(void) {
  char bytes[8];
  struct timespec t;
  for (int i = 0; i < 300; i++) {
    call(SYS_pread64, file, (long)bytes, 8, 0);
    raw_access((char *)"/nowhere", 0);
    call(SYS_clock_gettime, 1, (long)&t, 0, 0);
  }
}

int main() {
  char name[] = "/tmp/gate-buffers-XXXXXX", target[] = "/tmp/gate-buffers-XXXXXX";
  unsigned char *block = malloc(3 * PAGE);
  for (int i = 0; i < 3 * PAGE; i++) block[i] = i * 7 + (i >> 8);
  file = mkstemp(name);
  const int mapped = mkstemp(target);
  CHECK(file >= 0 && mapped >= 0 && unlink(name) == 0 && unlink(target) == 0 && pipe2(pipes, O_NONBLOCK) == 0);
  CHECK(write(file, block, 3 * PAGE) == 3 * PAGE && ftruncate(mapped, 4 * PAGE) == 0);
  /* Two good pages and nothing behind, or what may not be written. */
  unsigned char *two = mmap(0, 4 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(munmap(two + 2 * PAGE, PAGE) == 0);
  unsigned char *locked = mmap(0, 3 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *hidden = mmap(0, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mprotect(locked + PAGE, PAGE, PROT_READ) == 0);
  static const int kLengths[] = {0, 1, 7, 8, 100, 255, 256, 257, 1000, 2047, 2048, 2049, 3000, 3583, 3584, 3585, 4096, 5000};

  for (int round = 0; round < 3; round++) {
    warm();
    const long bad[] = {0, 8, (long)(two + 2 * PAGE), (long)hidden, -1, -4096, 1l << 47, (1l << 47) - 4096, 0xffffffff81000000, (long)main};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
      printf("bad %d:", i);
      printf(" %ld", call(SYS_pread64, file, bad[i], 16, 0));
      printf(" %ld", i == 9 ? 0 : call(SYS_pwrite64, file, bad[i], 16, 9000));
      printf(" %ld", call(SYS_clock_gettime, 1, bad[i], 0, 0) == -EFAULT);
      printf(" %ld", i == 9 ? 0 : raw_access((char *)bad[i], 0));
      printf(" %ld", i == 9 ? 0 : call(SYS_newfstatat, AT_FDCWD, bad[i], (long)two, 0));
      printf(" %ld", call(SYS_fstat, file, bad[i], 0, 0));
      printf(" %ld", i == 9 ? 0 : call(SYS_readv, file, bad[i], 2, 0));
      printf(" %ld", i == 9 || i == 0 ? 0 : call(SYS_rt_sigprocmask, SIG_SETMASK, bad[i], 0, 8));
      printf(" %ld\n", i == 0 ? 0 : call(SYS_rt_sigprocmask, SIG_BLOCK, 0, bad[i], 8));
    }
    for (unsigned i = 0; i < sizeof kLengths / sizeof *kLengths; i++) {
      const int length = kLengths[i];
      /* Ends exactly at the end, one byte over, half over. */
      const int over[] = {0, 1, length / 2, length};
      for (int k = 0; k < 4; k++) {
        unsigned char *at = two + 2 * PAGE - length + over[k];
        memset(two, 0xee, 2 * PAGE);
        const long got = call(SYS_pread64, file, (long)at, length, 100);
        printf("out %d over %d: %ld %lx", length, over[k], got, (long)sum(two, 2 * PAGE));
        memset(two, 0x55, 2 * PAGE);
        const long put = call(SYS_write, pipes[1], (long)at, length, 0);
        char drain[8192];
        const long drained = read(pipes[0], drain, sizeof drain);
        printf(" in %ld %ld", put, drained);
        at = locked + PAGE - length + over[k];
        if (length <= PAGE) printf(" locked %ld %lx", call(SYS_pread64, file, (long)at, length, 100), (long)sum(locked, PAGE));
        struct iovec parts[3] = {{two, length}, {two + 2 * PAGE - length / 2, length}, {two + PAGE, 10}};
        printf(" readv %ld", call(SYS_preadv, file, (long)parts, 3, 0));
        printf(" %lx\n", (long)sum(two, 2 * PAGE));
      }
    }
    /* Paths at the end of what is there. */
    for (int length = 1; length < 12; length++) {
      char *path = (char *)two + 2 * PAGE - length;
      memset(path, '/', length);
      printf("path %ld", raw_access((char *)path, 0));
      path[length - 1] = 0;
      printf(" %ld\n", raw_access((char *)path, 0));
    }
    /* Paths across a page, of every length around what travels at once. */
    for (int length = 200; length < 320; length += 3) {
      char *path = (char *)two + PAGE - length / 2;
      memset(path, '/', length);
      path[length] = 0;
      CHECK(raw_access((char *)path, 0) == 0);
      path[length - 1] = 'x';
      CHECK(raw_access((char *)path, 0) == -ENOENT);
    }
    /* Pages that nobody has touched yet, in shared and private mappings of files, and beyond their end. */
    for (int kind = 0; kind < 2; kind++) {
      unsigned char *map = mmap(0, 6 * PAGE, 3, kind ? MAP_PRIVATE : MAP_SHARED, mapped, 0);
      CHECK(map != MAP_FAILED);
      for (int length = 10; length < 4000; length += 700) {
        printf("map %d: %ld", kind, call(SYS_pread64, file, (long)(map + PAGE - 5), length, 50));
        printf(" %lx", (long)sum(map, 2 * PAGE));
        printf(" end %ld", call(SYS_pread64, file, (long)(map + 4 * PAGE - 5), length, 50));
        printf(" %ld", call(SYS_pread64, file, (long)(map + 5 * PAGE), length, 50));
        printf(" %ld", raw_access((char *)(map + 4 * PAGE), 0));
        printf(" %ld\n", call(SYS_write, pipes[1], (long)(map + 4 * PAGE - 5), 10, 0));
        char drain[64];
        read(pipes[0], drain, sizeof drain);
        CHECK(madvise(map, 4 * PAGE, MADV_DONTNEED) == 0);
        printf("after %lx\n", (long)sum(map, 4 * PAGE));
      }
      CHECK(munmap(map, 6 * PAGE) == 0);
    }
    /* What one call writes the next one reads, in the same place and overlapping. */
    for (int i = 0; i < 500; i++) {
      unsigned char bytes[64];
      CHECK(call(SYS_pread64, file, (long)bytes, 64, i) == 64 && memcmp(bytes, block + i, 64) == 0);
      CHECK(call(SYS_write, pipes[1], (long)bytes + 10, 40, 0) == 40);
      CHECK(call(SYS_read, pipes[0], (long)bytes + 5, 64, 0) == 40 && memcmp(bytes + 5, block + i + 10, 40) == 0);
      struct iovec parts[2] = {{bytes, 30}, {bytes + 20, 30}};
      CHECK(call(SYS_preadv, file, (long)parts, 2, i) == 60 && memcmp(bytes + 20, block + i + 30, 30) == 0);
      /* The list of buffers is itself one of them. */
      struct iovec self[2] = {{self, sizeof self[0]}, {bytes, 8}};
      CHECK(call(SYS_preadv, file, (long)self, 2, i) == sizeof self[0] + 8 && memcmp(self, block + i, sizeof self[0]) == 0);
      CHECK(memcmp(bytes, block + i + sizeof self[0], 8) == 0);
    }
  }
  return 0;
}
