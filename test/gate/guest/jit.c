/*
 * Code that a program makes itself in private memory, with calls in it that have been learned: the program's own bytes are always
 * there when it may change, move or copy them. Prints what it came to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)
enum { APART = SLOWNESS > 1 ? 2800 * SLOWNESS : 700, OFTEN = 200 / SLOWNESS, SIZE = 32 * PAGE, CALLS = 12, RX = PROT_READ | PROT_EXEC, RW = PROT_READ | PROT_WRITE };
typedef int function(void);

static unsigned char mine[SIZE];
static int offsets[CALLS], constants[CALLS];

static void make(int i, int constant) {
  unsigned char *at = mine + offsets[i];
  memcpy(at, i % 2 ? kFunction : kOther, FUNCTION);
  at[i % 2 ? CONSTANT : OTHER_CONSTANT] = constants[i] = constant;
}
static void called(unsigned char *code, int times, int line) {
  code_changed(code, SIZE);
  for (int i = 0; i < times; i++)
    for (int f = 0; f < CALLS; f++) {
      const int is = ((function *)(code + offsets[f]))();
      if (is == constants[f]) continue;
      printf("line %d: function %d gives %d, not %d, call %d\n", line, f, is, constants[f], i);
      fflush(stdout);
      _exit(98);
    }
}
#define CALLED(code) called(code, OFTEN, __LINE__)
static unsigned char *fresh(void *at) {
  unsigned char *code = mmap(at, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
  CHECK(code != MAP_FAILED);
  memcpy(code, mine, SIZE);
  CHECK(mprotect(code, SIZE, RX) == 0);
  return code;
}
static void own(unsigned char *code, int line) {
  if (memcmp(code, mine, SIZE) == 0) return;
  printf("line %d: not the program's bytes\n", line);
  fflush(stdout);
  _exit(97);
}
/* The program's own bytes, as soon as it may write to them. */
#define OWN(code) do { CHECK(mprotect(code, SIZE, RW) == 0); own(code, __LINE__); } while (0)

static volatile int ticks, stop;
static void tick(int signal) { ticks++; }
static void *caller(void *code) {
  while (!stop) called(code, 3, __LINE__);
  return NULL;
}

int main(int count, char **arguments) {
  if (count > 1) return 3;
  for (int i = 0; i < CALLS; i++) {
    offsets[i] = i * (2 * PAGE + 208) + 40;
    if (i == 5) offsets[i] = 12 * PAGE - ACROSS; /* a page's end */
    make(i, i + 1);
  }
  int status;
  unsigned char *code = fresh(NULL);
  CALLED(code);
  OWN(code);
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < CALLS; i++) make(i, 20 + i * 3 + round);
    memcpy(code, mine, SIZE);
    CHECK(mprotect(code, SIZE, RX) == 0);
    CALLED(code);
    OWN(code);
  }
  CHECK(mprotect(code, SIZE, RX) == 0);
  CALLED(code);
  puts("changed");

  /* Writable as it runs: what stands behind the call changes. */
  CHECK(mprotect(code, SIZE, RW | PROT_EXEC) == 0);
  own(code, __LINE__);
  CALLED(code);
  make(3, 77);
  memcpy(code, mine, SIZE);
  CALLED(code);
  CHECK(mprotect(code, SIZE, RX) == 0);
  CALLED(code);
  puts("writable");

  /* One page of it. */
  unsigned char *page = code + offsets[4] / PAGE * PAGE;
  CHECK(mprotect(page, PAGE, RW) == 0);
  CHECK(memcmp(page, mine + (page - code), PAGE) == 0);
  make(4, 99);
  memcpy(page, mine + (page - code), PAGE);
  CHECK(mprotect(page, PAGE, RX) == 0);
  CALLED(code);
  puts("page");

  /* Both after a fork have their own. */
  for (int round = 0; round < 3; round++) {
    const pid_t pid = fork();
    if (pid == 0) {
      CALLED(code);
      if (round == 1) CHECK(mprotect(code, SIZE, RX) == 0);
      OWN(code);
      make(6, 11);
      memcpy(code, mine, SIZE);
      CHECK(mprotect(code, SIZE, RX) == 0);
      CALLED(code);
      CHECK(munmap(code, SIZE) == 0);
      CALLED(fresh(code));
      _exit(5);
    }
    if (round == 2) {
      OWN(code);
      CHECK(mprotect(code, SIZE, RX) == 0);
    }
    CALLED(code);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    CALLED(code);
  }
  puts("forked");

  /* Moved, thrown away, cut, mapped again. */
  for (int round = 0; round < 3; round++) {
    unsigned char *to = (unsigned char *)0x340000000000 + round * 0x40000000l;
    CHECK(mremap(code, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    code = to;
    CALLED(code);
  }
  OWN(code);
  CHECK(mprotect(code, SIZE, RX) == 0);
  CALLED(code);
  CHECK(madvise(code, SIZE, MADV_DONTNEED) == 0);
  for (int i = 0; i < SIZE; i++) CHECK(code[i] == 0);
  CHECK(munmap(code + PAGE, PAGE) == 0);
  code = fresh(code);
  CALLED(code);
  CHECK(munmap(code + 24 * PAGE, 8 * PAGE) == 0);
  CHECK(mprotect(code, 24 * PAGE, RW) == 0 && memcmp(code, mine, 24 * PAGE) == 0);
  code = fresh(code);
  CALLED(code);
  puts("moved");

  /* Something in the way of trampolines. */
  for (unsigned long at = 0x10000000; at < 0x80000000; at += 0x8000000) {
    void *over = mmap(code - at, 0x8000000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    called(code, 5, __LINE__);
    if (over != MAP_FAILED) munmap(over, 0x8000000);
  }
  CALLED(code);
  own(fresh(code), __LINE__);
  CALLED(code);
  puts("crowded");

  /* Signals at any moment, other programs, threads. */
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  struct itimerval often = {{0, APART}, {0, APART}}, never = {{0, 0}, {0, 0}};
  CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
  while (ticks < 60) called(code, 20, __LINE__);
  CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
  char *words[] = {arguments[0], "child", NULL};
  for (int i = 0; i < 5; i++) {
    pid_t pid;
    CHECK(posix_spawn(&pid, arguments[0], NULL, NULL, words, NULL) == 0);
    CALLED(code);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
  }
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, caller, code) == 0);
  unsigned char *other = fresh(NULL);
  for (int i = 0; i < 10; i++) {
    called(other, 10, __LINE__);
    OWN(other);
    CHECK(mprotect(other, SIZE, RX) == 0);
  }
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  CALLED(code);
  OWN(code);
  puts("threads");

  /* Change upon change. */
  for (int round = 0; round < 40; round++) {
    make(round % CALLS, round);
    memcpy(code, mine, SIZE);
    CHECK(mprotect(code, SIZE, RX) == 0);
    called(code, 6, __LINE__);
    OWN(code);
  }
  puts("often");
  return 0;
}
