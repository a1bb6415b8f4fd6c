/*
 * Programs that start programs through call sites that have been learned: fork, vfork, posix_spawn, exec from a thread while its
 * siblings are in calls, exec of a file that is rewritten. Prints what it came to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)
enum { TIMES = 25 / SLOWNESS + 1 - 1 / SLOWNESS, BUSY = 3 };
static char *self;
static atomic_int entered;

/* musl's vfork is fork where there is no such call. */
#ifdef SYS_vfork
#define shares() vfork()
#else
#define shares() raw_call(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0)
#endif

static void hot(void) {
  char byte;
  const int zero = open("/dev/zero", O_RDONLY);
  for (int i = 0; i < 50; i++) CHECK(read(zero, &byte, 1) == 1 && byte == 0 && getppid() > 0);
  close(zero);
}
static void ends(pid_t pid, int with) {
  int status;
  CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != with) printf("status %x, not %d\n", status, with);
}
static void *busy(void *kind) {
  char byte;
  int pipes[2];
  CHECK(pipe(pipes) == 0);
  entered++;
  for (;;) {
    if ((long)kind == 0) CHECK(read(pipes[0], &byte, 1) == -2); /* sleeps for ever */
    else if ((long)kind == 1) getppid();
    else write(pipes[1], "", 1), read(pipes[0], &byte, 1);
  }
}
static void *execs(void *argument) {
  while (entered < BUSY) sched_yield();
  for (int i = 0; i < 20; i++) CHECK(execl("/nothing", "nothing", NULL) == -1 && errno == ENOENT);
  execl(self, self, "child", argument, NULL);
  CHECK(0);
}

int main(int count, char **arguments) {
  self = arguments[0];
  if (count == 3) { /* what is started, with one descriptor too many open and a pending mask */
    sigset_t mask;
    hot();
    CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
    _exit(atoi(arguments[2]) + (sigismember(&mask, SIGUSR1) ? 100 : 0));
  }
  for (int i = 0; i < TIMES; i++) {
    const pid_t pid = fork();
    if (pid == 0) {
      hot();
      _exit(i);
    }
    ends(pid, i);
  }
  puts("fork");
  char text[8];
  for (int i = 0; i < TIMES; i++) {
    snprintf(text, sizeof text, "%d", i);
    char *words[] = {self, "child", text, NULL};
    volatile int mine = 1;
    const pid_t pid = shares();
    if (pid == 0) {
      mine = 2; /* memory is the parent's */
      execv(self, words);
      _exit(98);
    }
    CHECK(mine == 2);
    ends(pid, i);
  }
  puts("vfork");
  sigset_t usr1, none;
  sigemptyset(&none);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  for (int i = 0; i < TIMES; i++) {
    snprintf(text, sizeof text, "%d", i);
    char *words[] = {self, "child", text, NULL}, *environment[] = {NULL};
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    CHECK(posix_spawnattr_init(&attributes) == 0 && posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0);
    CHECK(posix_spawnattr_setsigmask(&attributes, i % 2 ? &usr1 : &none) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDONLY, 0) == 0);
    pid_t pid = 0;
    CHECK(posix_spawn(&pid, self, &actions, &attributes, words, environment) == 0);
    ends(pid, i + (i % 2 ? 100 : 0));
    CHECK(posix_spawn(&pid, "/nothing", NULL, NULL, words, environment) == ENOENT);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  puts("posix_spawn");
  for (int i = 0; i < TIMES; i++) {
    const pid_t pid = fork();
    if (pid == 0) {
      pthread_t thread;
      snprintf(text, sizeof text, "%d", i);
      for (long kind = 0; kind < BUSY; kind++) CHECK(pthread_create(&thread, 0, busy, (void *)kind) == 0);
      if (i % 2) execs(text);
      CHECK(pthread_create(&thread, 0, execs, text) == 0);
      pthread_join(thread, 0);
      _exit(97);
    }
    ends(pid, i);
  }
  puts("threads");
  /* Killed in the middle of calls, of every kind. */
  for (int i = 0; i < TIMES; i++) {
    const pid_t pid = fork();
    if (pid == 0) {
      pthread_t thread;
      for (long kind = 0; kind < BUSY; kind++) CHECK(pthread_create(&thread, 0, busy, (void *)kind) == 0);
      while (entered < BUSY) sched_yield();
      if (i % 2) kill(getpid(), SIGKILL);
      pause();
    }
    if (i % 2 == 0) {
      usleep(1000 * (i % 7));
      CHECK(kill(pid, SIGKILL) == 0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  puts("killed");
  return 0;
}
