/*
 * Something is mapped over the trampolines of code that other threads are running: they go on in the code itself. The places are
 * those of src/gate/x86_64/code.ts and src/gate/aarch64/code.ts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "machine.h"
#if defined(__x86_64__)
enum { BELOW = 0x38000000, COVERED = 0x10000000 };
#else
enum { BELOW = 120 << 20, COVERED = 16 << 20 };
#endif
typedef long function(void);
static volatile int stop;
static void *caller(void *code) {
  long wrong = 0;
  while (!stop) wrong += ((function *)code)() != -9;
  return (void *)wrong;
}

int main() {
  char name[] = "/tmp/evict-XXXXXX";
  const int fd = mkstemp(name);
  unsigned char page[PAGE];
  memset(page, 0xcc, PAGE);
  memcpy(page, kClose, 16);
  write(fd, page, PAGE);
  const int r = open(name, O_RDONLY);
  unlink(name);
  long wrong = 0;
  for (int k = 0; k < (11 + SLOWNESS) / SLOWNESS; k++) {
    unsigned char *text = mmap((void *)(0x200000000000 + k * 0x1000000000), PAGE, 5, MAP_PRIVATE, r, 0);
    for (int i = 0; i < 1000 / SLOWNESS; i++) ((function *)text)();
    pthread_t t[3];
    stop = 0;
    for (int i = 0; i < 3; i++) pthread_create(t + i, 0, caller, text);
    usleep(20000);
    char *over = mmap(text - BELOW, COVERED, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (over == MAP_FAILED) return 2;
    usleep(20000);
    stop = 1;
    void *w;
    for (int i = 0; i < 3; i++) {
      pthread_join(t[i], &w);
      wrong += (long)w;
    }
    munmap(over, COVERED);
  }
  printf("wrong %ld\n", wrong);
  return 0;
}
