/*
 * Signals before, during and after calls: what handlers see, what calls that block give, where a handler may leave to.
 * Prints what does not depend on timing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)

extern char __executable_start[], etext[];
static volatile long seen, outside;
static volatile uint64_t example;
static char *alt;
static volatile int wants_alt;

/* The program is static: whatever runs is its own text. The call in progress, if any, is over: EINTR or its result. */
static void look(int signal, siginfo_t *info, void *raw) {
  ucontext_t *context = raw;
  const uint64_t ip = IP(context), sp = STACK(context);
  if (ip < (uint64_t)__executable_start || ip >= (uint64_t)etext) {
    outside++;
    example = ip;
  }
  const uint64_t here = (uint64_t)&context;
  if (wants_alt && (here < (uint64_t)alt || here >= (uint64_t)alt + 65536)) outside++;
  if (sp >= 0x7ffff0000000 && sp < 0x7fffffff0000 && sp - (uint64_t)&context > (8u << 20)) outside++;
  seen++;
}
static void handle(int signal, void (*how)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = how, .sa_flags = SA_SIGINFO | flags};
  CHECK(sigaction(signal, &action, 0) == 0);
}
/* On slow machines far apart: a timer that is faster than its handler lets nobody go on. */
static void every(int us) {
  const long apart = us * (SLOWNESS > 1 ? 4l * SLOWNESS : 1);
  struct itimerval often = {{apart / 1000000, apart % 1000000}, {apart / 1000000, apart % 1000000}};
  CHECK(setitimer(ITIMER_REAL, us ? &often : &(struct itimerval){0}, 0) == 0);
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* Registers that a call keeps and its result, in a loop that signals hit anywhere. */
static void checked_calls(int null, int zero) {
  char bytes[300];
  memset(bytes, 7, sizeof bytes);
  for (int i = 0; i < 200 / SLOWNESS; i++) {
    long result;
    CHECK(write_keeps_registers(null, bytes, 200, &result) && result == 200);
    bytes[0] = 7;
    CHECK(read(zero, bytes, 100) == 100);
    for (int k = 0; k < 300; k++) CHECK(bytes[k] == (k < 100 ? 0 : 7));
    memset(bytes, 7, sizeof bytes);
    CHECK(syscall(SYS_getuid) == 0);
    CHECK(access("/nowhere", 0) == -1 && errno == ENOENT);
  }
}

static sigjmp_buf back;
static volatile int jumping;
static void leave(int signal, siginfo_t *info, void *raw) {
  look(signal, info, raw);
  if (jumping) siglongjmp(back, 1);
}

static pthread_t main_thread;
static volatile int stop;
static void *sender(void *unused) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, 0);
  while (!stop) {
    const long before = seen; /* one at a time, and not at once: a flood need never let its target go on */
    pthread_kill(main_thread, SIGUSR1);
    while (seen == before && !stop) usleep(200);
    usleep(rand() % 300);
  }
  return 0;
}

int main() {
  const int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
  pthread_t thread;
  int ends[2], status;
  char c;
  main_thread = pthread_self();
  alt = mmap(0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t stack = {.ss_sp = alt, .ss_size = 65536};
  CHECK(sigaltstack(&stack, 0) == 0);
  CHECK(pipe(ends) == 0);

  /* From a timer, on both stacks. */
  for (wants_alt = 0; wants_alt < 2; wants_alt++) {
    handle(SIGALRM, look, SA_RESTART | (wants_alt ? SA_ONSTACK : 0));
    seen = 0;
    every(700);
    while (seen < 60 / SLOWNESS) checked_calls(null, zero);
    every(0);
  }
  wants_alt = 0;
  printf("timer: outside %ld %lx\n", outside, (long)example);

  /* From another thread. */
  handle(SIGUSR1, look, SA_RESTART);
  seen = stop = 0;
  CHECK(pthread_create(&thread, 0, sender, 0) == 0);
  while (seen < 300 / SLOWNESS) checked_calls(null, zero);
  stop = 1;
  pthread_join(thread, 0);
  printf("thread: outside %ld %lx\n", outside, (long)example);

  /* From another process. */
  seen = 0;
  pid_t self = getpid(), child = fork();
  if (child == 0) for (;;) {
    if (kill(self, SIGUSR1)) _exit(0);
    usleep(300 * SLOWNESS);
  }
  while (seen < 100 / SLOWNESS) checked_calls(null, zero);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  printf("process: outside %ld %lx\n", outside, (long)example);

  /* By the call itself: the handler has run when it returns. */
  handle(SIGUSR2, look, 0);
  for (int i = 1; i <= 2000 / SLOWNESS; i++) {
    seen = 0;
    CHECK(kill(self, SIGUSR2) == 0);
    CHECK(seen == 1);
    seen = 0;
    CHECK(syscall(SYS_tgkill, self, self, SIGUSR2) == 0);
    CHECK(seen == 1);
  }
  printf("own: outside %ld\n", outside);

  /* A handler that makes calls, and one that leaves by a jump. */
  handle(SIGALRM, leave, SA_NODEFER | SA_RESTART);
  seen = 0;
  volatile int jumps = 0;
  every(900);
  for (;;) {
    jumping = 0;
    if (sigsetjmp(back, 1)) jumps++;
    if (jumps > 60 / SLOWNESS) break;
    jumping = 1;
    checked_calls(null, zero);
    jumping = 0;
  }
  every(0);
  jumping = 0;
  printf("jumps: outside %ld\n", outside);

  /* EINTR and restart: the pipe is empty until the handler has run often enough. */
  handle(SIGALRM, look, 0);
  for (int i = 0; i < 10; i++) {
    every(2000);
    CHECK(read(ends[0], &c, 1) == -1 && errno == EINTR);
    struct pollfd p = {ends[0], POLLIN};
    CHECK(poll(&p, 1, -1) == -1 && errno == EINTR);
    struct timespec t = {100, 0}, rest;
    CHECK(nanosleep(&t, &rest) == -1 && errno == EINTR && rest.tv_sec == 99);
    every(0);
  }
  handle(SIGALRM, look, SA_RESTART);
  for (int i = 0; i < 10; i++) {
    seen = 0;
    every(2000);
    if ((child = fork()) == 0) {
      usleep(15000 * SLOWNESS);
      write(ends[1], "k", 1);
      _exit(0);
    }
    c = 0;
    CHECK(read(ends[0], &c, 1) == 1 && c == 'k');
    every(0);
    CHECK(seen > 0);
    waitpid(child, &status, 0);
  }
  printf("restart: outside %ld\n", outside);

  /* Stop, look and kill while a child makes calls without end. */
  if ((child = fork()) == 0) for (;;) syscall(SYS_getppid);
  for (int i = 0; i < 20; i++) {
    char path[64], text[256];
    usleep(3000);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    int n = read(fd, text, 255);
    CHECK(n > 0);
    text[n] = 0;
    close(fd);
    CHECK(strstr(text, ") T ") != 0);
    snprintf(path, sizeof path, "/proc/%d/syscall", child);
    if ((fd = open(path, O_RDONLY)) >= 0) {
      n = read(fd, text, 255);
      CHECK(n > 0);
      text[n] = 0;
      close(fd);
      const char *last = strrchr(text, ' ');
      const uint64_t ip = last ? strtoul(last, 0, 16) : 0;
      if (ip != 0 && (ip < (uint64_t)__executable_start || ip >= (uint64_t)etext)) outside++;
    }
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
  }
  CHECK(kill(child, SIGKILL) == 0);
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  printf("stops: outside %ld\n", outside);
  return outside != 0;
}
