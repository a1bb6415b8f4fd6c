/*
 * Code that changes, moves, or is there twice, with calls in it that have been learned. It must always be the code that is there
 * now that runs. Prints what it came to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)
enum { OFTEN = 400 / SLOWNESS };
typedef int function(void);

static void put(unsigned char *at, int constant) {
  memcpy(at, kFunction, FUNCTION);
  at[CONSTANT] = constant;
}
static void often(void *code, int constant, int line) {
  code_changed(code, FUNCTION);
  for (int i = 0; i < OFTEN; i++) {
    const int is = ((function *)code)();
    if (is == constant) continue;
    printf("line %d: %d, not %d, call %d\n", line, is, constant, i);
    fflush(stdout);
    _exit(98);
  }
}
#define OFTEN_IS(code, constant) often(code, constant, __LINE__)

extern unsigned char patched[];
TEXT_FUNCTION(patched);

static volatile int stop;
static void *caller(void *code) {
  long wrong = 0;
  while (!stop) wrong += ((function *)code)() != 33;
  return (void *)wrong;
}

int main() {
  char name[] = "/tmp/gate-code-XXXXXX", spare[PAGE] = {0};
  const int fd = mkstemp(name);
  CHECK(fd >= 0);
  unsigned char page[3 * PAGE];
  memset(page, 0xcc, sizeof page);
  for (int i = 0; i < 3; i++) put(page + i * PAGE, 20 + i);
  CHECK(write(fd, page, sizeof page) == sizeof page);
  const int reader = open(name, O_RDONLY);

  /* A library: the file mapped twice, at any distance, once with an offset. */
  unsigned char *a = mmap(0, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, reader, 0);
  unsigned char *b = mmap((void *)0x300000000000, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, reader, PAGE);
  CHECK(a != MAP_FAILED && b != MAP_FAILED);
  for (int i = 0; i < 3; i++) {
    OFTEN_IS(a, 20);
    OFTEN_IS(b, 21);
    OFTEN_IS(a + PAGE, 21);
    OFTEN_IS(b + PAGE, 22);
  }
  puts("twice");

  /* The file changes: by write, by a shared mapping, by truncation and growth. */
  for (int i = 0; i < 5; i++) {
    page[0] = 40 + i;
    CHECK(pwrite(fd, page, 1, CONSTANT) == 1);
    OFTEN_IS(a, 40 + i);
    OFTEN_IS(b, 21);
  }
  unsigned char *shared = mmap(0, 3 * PAGE, 3, MAP_SHARED, fd, 0);
  CHECK(shared != MAP_FAILED);
  for (int i = 0; i < 5; i++) {
    shared[CONSTANT] = 50 + i;
    shared[PAGE + CONSTANT] = 70 + i;
    OFTEN_IS(a, 50 + i);
    OFTEN_IS(b, 70 + i);
    OFTEN_IS(a + PAGE, 70 + i);
  }
  CHECK(munmap(shared, 3 * PAGE) == 0);
  OFTEN_IS(a, 54);
  CHECK(ftruncate(fd, PAGE) == 0 && ftruncate(fd, 3 * PAGE) == 0);
  put(page, 81);
  put(page + PAGE, 82);
  CHECK(pwrite(fd, page, 2 * PAGE, 0) == 2 * PAGE);
  OFTEN_IS(a, 81);
  OFTEN_IS(b, 82);
  puts("written");

  /* Moved, unmapped and mapped again, at the same place and others. */
  for (int i = 0; i < 4; i++) {
    unsigned char *to = (unsigned char *)0x310000000000 + i * 0x10000000;
    CHECK(mremap(a, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    a = to;
    OFTEN_IS(a, 81);
  }
  for (int i = 0; i < 4; i++) {
    CHECK(munmap(a, 3 * PAGE) == 0);
    CHECK(mmap(a, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, reader, 0) == a);
    OFTEN_IS(a, 81);
    OFTEN_IS(a + PAGE, 82);
  }
  puts("moved");

  /* Protection comes and goes, and private changes with it. */
  for (int i = 0; i < 6; i++) {
    OFTEN_IS(a, 81 + i);
    CHECK(mprotect(a, PAGE, PROT_READ | PROT_WRITE | (i & 1 ? PROT_EXEC : 0)) == 0);
    CHECK(memcmp(a, kFunction, CONSTANT) == 0 && a[CONSTANT] == 81 + i);
    a[CONSTANT]++;
    if (i & 1) OFTEN_IS(a, 82 + i);
    CHECK(mprotect(a, PAGE, PROT_READ | PROT_EXEC) == 0);
    OFTEN_IS(a, 82 + i);
    OFTEN_IS(a + PAGE, 82);
  }
  /* Another call number at the same place, and no call at all. */
  CHECK(mprotect(a, PAGE, 7) == 0);
  a[CONSTANT] = 0;
  memcpy(a + CALL, kNoCall, sizeof kNoCall - 1);
  OFTEN_IS(a, 102);
  puts("changed");

  /* The program's own text, a page of it, while other threads run in the next. */
  pthread_t threads[2];
  unsigned char *text = mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, reader, 0);
  put(page, 33);
  CHECK(pwrite(fd, page, FUNCTION, 0) == FUNCTION);
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], 0, caller, text) == 0);
  for (int i = 0; i < 30; i++) {
    OFTEN_IS(patched, i == 0 ? 0x11 : i - 1);
    CHECK(mprotect(patched, PAGE, PROT_READ | PROT_WRITE) == 0);
    patched[TEXT_CONSTANT] = i;
    CHECK(mprotect(patched, PAGE, PROT_READ | PROT_EXEC) == 0);
    OFTEN_IS(patched, i);
    /* And the file of the others' code is written, with what it holds already. */
    CHECK(pwrite(fd, page, FUNCTION, 0) == FUNCTION);
  }
  /* Something maps where the trampolines of the others' code may be. */
  for (unsigned long at = 0x10000000; at < 0x80000000; at += 0x8000000) {
    unsigned char *over = mmap((void *)((unsigned long)text - at), 0x8000000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    usleep(2000);
    if (over != MAP_FAILED) munmap(over, 0x8000000);
  }
  stop = 1;
  for (int i = 0; i < 2; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    CHECK(wrong == 0);
  }
  puts("text");

  /* Memory without a file. */
  unsigned char *jit = mmap(0, PAGE, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(jit != MAP_FAILED);
  for (int i = 0; i < 20; i++) {
    put(jit + i * 64, i);
    OFTEN_IS(jit + i * 64, i);
    jit[i * 64 + CONSTANT] = i + 1;
    OFTEN_IS(jit + i * 64, i + 1);
  }
  /* A child changes its copy, not this one. */
  const pid_t child = fork();
  if (child == 0) {
    CHECK(mprotect(patched, PAGE, 7) == 0);
    patched[TEXT_CONSTANT] = 77;
    OFTEN_IS(patched, 77);
    _exit(5);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
  OFTEN_IS(patched, 29);
  puts("memory");

  /* Two libraries that take turns at one place, while one goes on learning elsewhere; and a fork in between. */
  char name2[] = "/tmp/gate-code-XXXXXX";
  const int fd2 = mkstemp(name2);
  enum { FIRST = 1096, STEP = PAGE + 64 }; /* sites are counted by their place in a page */
  memset(page, 0xcc, sizeof page);
  for (int i = 0; i < 3; i++) put(page + FIRST + i * STEP, 10 + i);
  CHECK(write(fd2, page, sizeof page) == sizeof page);
  const int reader2 = open(name2, O_RDONLY);
  unsigned char *const place = (unsigned char *)0x320000000000, *const elsewhere = (unsigned char *)0x330000000000;
  CHECK(mmap(elsewhere, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, reader2, 0) == elsewhere);
  for (int round = 0; round < 3; round++) {
    CHECK(mmap(place, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, reader2, 0) == place);
    OFTEN_IS(place + FIRST, 10);
    CHECK(munmap(place, 3 * PAGE) == 0);
    CHECK(mmap(place, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, reader, 0) == place);
    CHECK(((function *)place)() == 33);
    CHECK(((function *)(place + PAGE))() == 82);
    OFTEN_IS(elsewhere + FIRST + round * STEP, 10 + round);
    const pid_t turn = fork();
    if (turn == 0) _exit(((function *)place)());
    CHECK(waitpid(turn, &status, 0) == turn && WEXITSTATUS(status) == 33);
    OFTEN_IS(place, 33);
    OFTEN_IS(place + PAGE, 82);
    CHECK(munmap(place, 3 * PAGE) == 0);
  }
  /* Sites of many pages, learned one by one, and forks that put them into one piece. */
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3; i++) OFTEN_IS(elsewhere + FIRST + i * STEP, 10 + i);
    const pid_t turn = fork();
    if (turn == 0) {
      for (int i = 0; i < 3; i++) OFTEN_IS(elsewhere + FIRST + i * STEP, 10 + i);
      _exit(6);
    }
    CHECK(waitpid(turn, &status, 0) == turn && WEXITSTATUS(status) == 6);
  }
  /* Written once, long ago, and never counted: it is not the file's any more. */
  unsigned char *once = mmap(0, PAGE, 7, MAP_PRIVATE | MAP_NORESERVE, reader2, 0);
  CHECK(once != MAP_FAILED);
  once[FIRST + CONSTANT] = 9;
  CHECK(mprotect(once, PAGE, PROT_READ | PROT_EXEC) == 0);
  OFTEN_IS(once + FIRST, 9);
  OFTEN_IS(elsewhere + FIRST, 10);
  unlink(name2);
  puts("turns");
  unlink(name);
  return 0;
}
