// Starts a small program from the big Node process without copying its page tables: clone(CLONE_VM | CLONE_VFORK).
//
// The child shares the parent's memory until exec, so it makes only system calls, touches nothing but its own stack and
// runs with every signal blocked. Guests keep all signals blocked that they cannot cause themselves, so that nothing
// sent to them from outside disturbs them.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "context.h"

namespace levitate {

namespace {

struct SpawnArgs {
  const char *path, *name;
  const int *fds;
  int count, firstFd;
  bool dieWithParent;
  int error;
};

constexpr int kParkingFd = 100;

int child(void *data) {
  auto *args = static_cast<SpawnArgs *>(data);
  if (args->dieWithParent) prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  personality(ADDR_NO_RANDOMIZE);  // convenience only: a container may refuse it
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  int parked[8];
  for (int i = 0; i < args->count; i++) {
    parked[i] = fcntl(args->fds[i], F_DUPFD, kParkingFd);
    if (parked[i] < 0) {
      args->error = errno;
      _exit(127);
    }
  }
  for (int i = 0; i < args->count; i++) dup3(parked[i], args->firstFd + i, 0);
  int end = args->firstFd + args->count;
  if (syscall(SYS_close_range, 0, args->firstFd - 1, 0) != 0 || syscall(SYS_close_range, end, ~0u, 0) != 0) {
    for (int fd = 0; fd < 65536; fd++)
      if (fd < args->firstFd || fd >= end) close(fd);
  }
  // Ignored signals stay ignored over exec; a guest's own faults must be delivered.
  struct sigaction act = {};
  act.sa_handler = SIG_DFL;
  const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
  sigset_t mask;
  sigfillset(&mask);
  for (int signal : own) {
    sigaction(signal, &act, nullptr);
    sigdelset(&mask, signal);
  }
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, 8);
  char *argv[] = {const_cast<char *>(args->name), nullptr};
  char *envp[] = {nullptr};
  execve(args->path, argv, envp);
  args->error = errno;
  _exit(127);
}

}  // namespace

pid_t spawn(const char *path, const char *name, const int *fds, int count, int firstFd, bool dieWithParent) {
  constexpr size_t kStack = 256 * 1024;
  void *stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  SpawnArgs args = {path, name, fds, count, firstFd, dieWithParent, 0};
  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  // No SIGHAND sharing: the dispositions set in the child are its own.
  pid_t pid = clone(child, static_cast<char *>(stack) + kStack, CLONE_VM | CLONE_VFORK, &args);
  int error = pid < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
  munmap(stack, kStack);
  if (error) return -error;
  if (args.error) {
    int status;
    hostWait(pid, &status, __WALL);
    return -args.error;
  }
  return pid;
}

}  // namespace levitate
