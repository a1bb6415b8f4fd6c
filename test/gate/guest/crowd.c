/*
 * 200 processes that make calls at once, each checking what it gets. Ends when the slowest has done its rounds, by when the
 * fastest must not have done too many (8 times as many on the host, now and then).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "machine.h"
#define CHECK(what) do { if (!(what)) { fprintf(stderr, "line %d: %s (%d)\n", __LINE__, #what, errno); _exit(99); } } while (0)
enum { GUESTS = 200, ROUNDS = SLOWNESS > 1 ? 10 : 40, UNFAIR = 20 };

static struct {
  volatile int go, stop;
  volatile long rounds[GUESTS];
} *shared;

static void guest(int self) {
  char name[64], mine[64], back[64];
  int pipes[2];
  snprintf(name, sizeof name, "/tmp/crowd-%d", self);
  CHECK(pipe(pipes) == 0);
  const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), zero = open("/dev/zero", O_RDONLY);
  CHECK(fd >= 0 && zero >= 0);
  const pid_t pid = getpid();
  while (!shared->go) usleep(SLOWNESS > 1 ? 100000 : 1000);
  for (long round = 0; !shared->stop; round++) {
    memset(mine, 'a' + (round + self) % 26, sizeof mine);
    snprintf(mine, sizeof mine, "%d of %d", (int)round, self);
    CHECK(getpid() == pid);
    CHECK(pwrite(fd, mine, sizeof mine, 0) == sizeof mine);
    CHECK(pread(fd, back, sizeof back, 0) == sizeof back && memcmp(mine, back, sizeof mine) == 0);
    CHECK(write(pipes[1], mine, sizeof mine) == sizeof mine);
    memset(back, 0, sizeof back);
    CHECK(read(pipes[0], back, sizeof back) == sizeof back && memcmp(mine, back, sizeof mine) == 0);
    CHECK(read(zero, back, sizeof back) == sizeof back && back[0] == 0 && back[63] == 0);
    struct stat status;
    CHECK(stat(name, &status) == 0 && status.st_size == sizeof mine);
    CHECK(open("/tmp/nothing-here", O_RDONLY) == -1 && errno == ENOENT);
    shared->rounds[self] = round + 1;
  }
  CHECK(unlink(name) == 0);
  _exit(7);
}

int main(void) {
  shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  for (int i = 0; i < GUESTS; i++) {
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) guest(i);
  }
  shared->go = 1;
  long least, most;
  do {
    usleep(20000);
    least = shared->rounds[0];
    most = 0;
    for (int i = 0; i < GUESTS; i++) {
      if (shared->rounds[i] < least) least = shared->rounds[i];
      if (shared->rounds[i] > most) most = shared->rounds[i];
    }
  } while (least < ROUNDS && waitpid(-1, 0, WNOHANG) == 0);
  shared->stop = 1;
  int right = 0, status;
  while (wait(&status) > 0) right += WIFEXITED(status) && WEXITSTATUS(status) == 7;
  printf("%d of %d right\n", right, GUESTS);
  if (most > UNFAIR * least) printf("unfair: %ld to %ld rounds\n", least, most);
  return 0;
}
