/*
 * Who makes a call, in processes that have one thread, several, and one again: every thread gets its own ids and its own signal mask,
 * whatever was handed over before it came and after it went. Prints what it came to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)
enum { OFTEN = 400 / SLOWNESS, THREADS = 3 };

/* One site for each call, and the same ones for all threads. */
static long __attribute__((noinline)) gettid_(void) { return syscall(SYS_gettid); }
static void __attribute__((noinline)) set_mask(const sigset_t *set, sigset_t *old) {
  CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, 8) == 0);
}
/* `mark`: a signal number that only this thread blocks. */
static void identity(long tid, long pid, int mark) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, mark);
  set_mask(&set, 0);
  for (int i = 0; i < OFTEN; i++) {
    CHECK(gettid_() == tid);
    CHECK(syscall(SYS_getpid) == pid);
    set_mask(&set, &old);
    for (int other = SIGRTMIN; other < SIGRTMIN + 8; other++) CHECK(sigismember(&old, other) == (other == mark));
    CHECK(close(-1) == -1 && errno == EBADF);
  }
}

static pthread_barrier_t together;
static long pid;
static void *thread(void *mark) {
  const long tid = gettid_();
  CHECK(tid != pid);
  pthread_barrier_wait(&together);
  identity(tid, pid, SIGRTMIN + (int)(intptr_t)mark);
  return (void *)tid;
}
static void several(void) {
  pthread_t threads[THREADS];
  void *tids[THREADS];
  pthread_barrier_init(&together, 0, THREADS + 1);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], 0, thread, (void *)(intptr_t)(i + 1)) == 0);
  pthread_barrier_wait(&together);
  identity(pid, pid, SIGRTMIN);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], &tids[i]) == 0);
  for (int i = 0; i < THREADS; i++) for (int k = 0; k < i; k++) CHECK(tids[i] != tids[k]);
}
static void ended(pid_t child, int with) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == with);
}
static void *outlives(void *unused) {
  const long tid = gettid_();
  usleep(3000);
  identity(tid, pid, SIGRTMIN + 5);
  exit(7);
}
static void *forks(void *unused) {
  const pid_t child = fork();
  if (child == 0) {
    pid = getpid();
    identity(pid, pid, SIGRTMIN + 4);
    _exit(5);
  }
  ended(child, 5);
  return 0;
}

int main() {
  pthread_t other;
  pid = getpid();
  for (int round = 0; round < 3; round++) {
    identity(pid, pid, SIGRTMIN + 6);
    several();
    identity(pid, pid, SIGRTMIN + 7);
  }
  puts("threads");

  /* A child that shares the memory until it is gone. */
  for (int i = 0; i < 10; i++) {
    const pid_t child = vfork();
    if (child == 0) {
      for (int k = 0; k < 20; k++) if (syscall(SYS_getpid) == pid || gettid_() == pid) _exit(1);
      _exit(6);
    }
    ended(child, 6);
    CHECK(gettid_() == pid && syscall(SYS_getpid) == pid);
  }
  identity(pid, pid, SIGRTMIN + 1);
  puts("vfork");

  /* A child of one thread of several has one. */
  CHECK(pthread_create(&other, 0, forks, 0) == 0);
  identity(pid, pid, SIGRTMIN + 2);
  pthread_join(other, 0);
  puts("fork");

  /* The first thread ends first. */
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    pid = getpid();
    identity(pid, pid, SIGRTMIN + 3);
    CHECK(pthread_create(&other, 0, outlives, 0) == 0);
    syscall(SYS_exit, 0);
  }
  ended(child, 7);
  identity(pid, pid, SIGRTMIN + 3);
  puts("last");
  return 0;
}
