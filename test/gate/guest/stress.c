/*
 * stress SECONDS SEED: threads, signals, processes, exec and code that is written over and over, all at once, around calls
 * whose results are checked. Each worker does the same steps whatever the others do, and starts again until the time is up; a
 * digest of one round of steps must be the same every round. Prints the digests: they depend on the seed alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)

enum { WORKERS = 6, STEPS = 60 };
static double deadline;
static uint64_t seed;
static char *self;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static uint64_t next(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
static uint64_t mix(uint64_t digest, uint64_t value) { return (digest ^ value) * 0x100000001b3 ^ digest >> 31; }

static volatile sig_atomic_t alarms;
static void alarmed(int signal, siginfo_t *info, void *context) {
  const int kept = errno;
  alarms++;
  CHECK(syscall(SYS_getuid) == 0);
  errno = kept;
}

/* Code of the program's own text, rewritten in place: a function in a page of its own that makes a call. */
extern char patched[];
TEXT_FUNCTION(patched);
static pthread_mutex_t patching = PTHREAD_MUTEX_INITIALIZER;
static void expect_call(int constant) {
  for (int i = 0; i < 6; i++) CHECK(((int (*)(void))patched)() == constant);
}

static uint64_t work(int worker, int fd, int pipes[2]) {
  uint64_t state = seed * 1000 + worker, digest = 0;
  char out[900], in[900], text[32];
  for (int step = 0; step < STEPS; step++) {
    const uint64_t r = next(&state);
    const size_t length = 1 + r % sizeof out;
    for (size_t i = 0; i < length; i++) out[i] = (char)(r + i * 7);
    int status;
    switch (r >> 32 & 15) {
      case 0: case 1: case 2: /* files */
        CHECK(pwrite(fd, out, length, r % 5000) == (ssize_t)length);
        memset(in, 0, sizeof in);
        CHECK(pread(fd, in, length, r % 5000) == (ssize_t)length && memcmp(in, out, length) == 0);
        break;
      case 3: case 4: /* pipes */
        for (int i = 0; i < 10; i++) {
          CHECK(write(pipes[1], out, length) == (ssize_t)length);
          memset(in, 0, sizeof in);
          CHECK(read(pipes[0], in, length) == (ssize_t)length && memcmp(in, out, length) == 0);
        }
        break;
      case 5: /* nothing at all, often */
        for (int i = 0; i < 200; i++) CHECK(syscall(SYS_getuid) == 0 && syscall(SYS_close, -1) == -1 && errno == EBADF);
        break;
      case 6: { /* a child that works too */
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
          uint64_t sum = 0;
          for (int i = 0; i < 50; i++) {
            CHECK(pread(fd, in, 1, 0) >= 0);
            sum += syscall(SYS_getppid) != 0;
          }
          _exit(sum + r % 8);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 50 + r % 8);
        break;
      }
      case 7: { /* another program */
        snprintf(text, sizeof text, "%d", (int)(r % 100));
        const pid_t child = vfork();
        CHECK(child >= 0);
        if (child == 0) {
          execl(self, self, "child", text, (char *)0);
          _exit(127);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == r % 100);
        break;
      }
      case 8: case 9: { /* code that is data now and then */
        unsigned char *code = mmap(0, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(code != MAP_FAILED);
        for (int i = 0; i < 4; i++) {
          memcpy(code, kFunction, FUNCTION);
          code[CONSTANT] = r + i;
          code_changed(code, FUNCTION);
          CHECK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
          for (int k = 0; k < 5; k++) CHECK(((int (*)(void))code)() == (int)((r + i) & 0xff));
          CHECK(mprotect(code, PAGE, PROT_READ | PROT_WRITE) == 0);
        }
        CHECK(munmap(code, PAGE) == 0);
        break;
      }
      case 10: /* the program's own text */
        pthread_mutex_lock(&patching);
        for (int i = 0; i < 3; i++) {
          const int constant = (r >> i) & 0x7f;
          CHECK(mprotect(patched, PAGE, PROT_READ | PROT_WRITE | (r & 1 ? PROT_EXEC : 0)) == 0);
          patched[TEXT_CONSTANT] = constant;
          code_changed(patched, FUNCTION);
          CHECK(mprotect(patched, PAGE, PROT_READ | PROT_EXEC) == 0);
          expect_call(constant);
        }
        pthread_mutex_unlock(&patching);
        break;
      case 11: { /* memory */
        char *at = mmap(0, 16 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(at != MAP_FAILED);
        at[5 * PAGE] = r;
        CHECK(write(pipes[1], at + 5 * PAGE, 1) == 1 && read(pipes[0], at + 9 * PAGE, 1) == 1 && at[9 * PAGE] == (char)r);
        at = mremap(at, 16 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
        CHECK(at != MAP_FAILED && at[9 * PAGE] == (char)r);
        CHECK(munmap(at, 64 * PAGE) == 0);
        break;
      }
      case 12: /* a signal to this thread */
        for (int i = 0; i < 10; i++) CHECK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0);
        break;
      case 13: { /* blocks for a moment */
        struct timespec moment = {0, r % 300000};
        while (nanosleep(&moment, &moment)) CHECK(errno == EINTR);
        break;
      }
      case 14: /* failures */
        CHECK(access("/nowhere", 0) == -1 && errno == ENOENT);
        CHECK(read(fd, (void *)8, 1) <= 0);
        CHECK(write(pipes[1], (void *)8, 1) == -1 && errno == EFAULT);
        break;
      case 15:
        sched_yield();
        break;
    }
    digest = mix(digest, r ^ (unsigned char)out[length - 1]);
  }
  return digest;
}

static uint64_t digests[WORKERS];
static long rounds[WORKERS];
static void *worker(void *which) {
  const int me = (int)(intptr_t)which;
  char name[32];
  int pipes[2];
  snprintf(name, sizeof name, "/tmp/stress-%d-%d", getpid(), me);
  const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0 && unlink(name) == 0 && pipe2(pipes, O_CLOEXEC) == 0);
  do {
    const uint64_t digest = work(me, fd, pipes);
    CHECK(rounds[me] == 0 || digest == digests[me]);
    digests[me] = digest;
    rounds[me]++;
  } while (now() < deadline);
  close(fd);
  close(pipes[0]);
  close(pipes[1]);
  return 0;
}

int main(int argc, char **argv) {
  if (strcmp(argv[1], "child") == 0) {
    for (int i = 0; i < 30; i++) CHECK(syscall(SYS_getuid) == 0);
    return atoi(argv[2]);
  }
  self = argv[0];
  deadline = now() + atof(argv[1]);
  seed = strtoul(argv[2], 0, 0);
  struct sigaction action = {.sa_sigaction = alarmed, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK(sigaction(SIGALRM, &action, 0) == 0 && sigaction(SIGUSR1, &action, 0) == 0);
  struct itimerval often = {{0, 3000 * SLOWNESS}, {0, 3000 * SLOWNESS}};
  CHECK(setitimer(ITIMER_REAL, &often, 0) == 0);
  pthread_t threads[WORKERS];
  for (intptr_t i = 0; i < WORKERS; i++) CHECK(pthread_create(&threads[i], 0, worker, (void *)i) == 0);
  for (int i = 0; i < WORKERS; i++) CHECK(pthread_join(threads[i], 0) == 0);
  setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
  for (int i = 0; i < WORKERS; i++) printf("%016lx\n", (long)digests[i]);
  CHECK(alarms > 0);
  return 0;
}
