// The child that becomes the traced program: a fork that enters its namespaces and its root, arranges its descriptors, says
// that it is ready, and executes the program when told to, being traced by then.
//
// It is the copy of a process with many threads: from clone to execve it makes system calls only and allocates nothing.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "hostcall.h"
#include "tracer.h"

namespace levitate {

namespace {

enum Step { kReady, kMount, kRoot, kFolder, kDescriptors, kProgram, kMaps, kSteps };
const char *const kStepNames[kSteps] = {"", "mount", "chroot", "chdir", "descriptors", "exec", "uid_map"};
constexpr int kParkingFd = 100;

struct Child {
  const TraceLaunch &launch;
  int go, status;
  int streams[3];
  std::vector<char *> argv, envp;
};

[[noreturn]] void fail(int status, Step step, int error) {
  const LaunchReport report = {error, step};
  ssize_t ignored = write(status, &report, sizeof report);
  (void)ignored;
  _exit(127);
}

void mountAll(const Child &c) {
  if (!(c.launch.namespaces & CLONE_NEWNS)) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail(c.status, kMount, errno);
  for (const TraceMount &m : c.launch.mounts) {
    if (mount(m.source.c_str(), m.target.c_str(), m.type.empty() ? nullptr : m.type.c_str(), m.flags,
              m.data.empty() ? nullptr : m.data.c_str()) != 0 && !m.optional)
      fail(c.status, kMount, errno);
  }
}

// The pipes go to high numbers, the streams to 0, 1 and 2, and everything else is closed.
void arrangeDescriptors(Child &c) {
  int parked[5];
  const int from[5] = {c.streams[0], c.streams[1], c.streams[2], c.go, c.status};
  for (int i = 0; i < 5; i++)
    if ((parked[i] = fcntl(from[i], F_DUPFD_CLOEXEC, kParkingFd)) < 0) fail(c.status, kDescriptors, errno);
  for (int i = 0; i < 3; i++) dup3(parked[i], i, 0);
  c.go = parked[3];
  c.status = parked[4];
  syscall(SYS_close_range, 3, c.go - 1, 0);
  syscall(SYS_close_range, c.status + 1, ~0u, 0);
}

// As a fresh login: limits, priority, masks and dispositions are what the kernel starts process 1 with.
void resetProcess(const Child &c) {
  const std::vector<double> &limits = c.launch.limits;
  for (size_t i = 0; i + 1 < limits.size(); i += 2) {
    if (limits[i] < 0) continue;
    const auto value = [](double limit) { return limit >= 1e18 ? RLIM_INFINITY : static_cast<rlim_t>(limit); };
    const struct rlimit limit = {value(limits[i]), value(limits[i + 1])};
    syscall(SYS_prlimit64, 0, i / 2, &limit, nullptr);
  }
  umask(022);
  setpriority(PRIO_PROCESS, 0, 0);
  // What glibc hides of the real-time signals, too: not through its sigaction.
  const struct {
    void *handler;
    uint64_t rest[4];
  } plain = {};
  for (int signal = 1; signal <= 64; signal++) syscall(SYS_rt_sigaction, signal, &plain, nullptr, 8);
  const uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8);
}

const char *findProgram(const Child &c) {
  int worst = ENOENT;
  for (const std::string &path : c.launch.candidates) {
    struct stat st;
    if (stat(path.c_str(), &st) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    } else if (!S_ISREG(st.st_mode) || access(path.c_str(), X_OK) != 0) {
      worst = EACCES;
    } else {
      return path.c_str();
    }
  }
  fail(c.status, kProgram, worst);
}

[[noreturn]] void childMain(Child &c) {
  char byte;
  if (read(c.go, &byte, 1) != 1) _exit(127);  // the maps of ids are written now
  setsid();
  mountAll(c);
  if (c.launch.namespaces & CLONE_NEWUTS) sethostname(c.launch.hostname.data(), c.launch.hostname.size());
  if (!c.launch.root.empty() && (chdir(c.launch.root.c_str()) != 0 || chroot(".") != 0)) fail(c.status, kRoot, errno);
  if (chdir(c.launch.cwd.c_str()) != 0) fail(c.status, kFolder, errno);
  arrangeDescriptors(c);
  resetProcess(c);
  const char *path = findProgram(c);
  const LaunchReport ready = {0, kReady};
  if (write(c.status, &ready, sizeof ready) != sizeof ready) _exit(127);
  if (read(c.go, &byte, 1) != 1) _exit(127);  // being traced
  execve(path, c.argv.data(), c.envp.data());
  _exit(127);
}

int writeFile(pid_t pid, const char *name, const std::string &text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const ssize_t done = write(fd, text.data(), text.size());
  const int error = done < 0 ? errno : 0;
  close(fd);
  return error;
}

std::vector<char *> pointers(const std::vector<std::string> &texts) {
  std::vector<char *> list;
  for (const std::string &text : texts) list.push_back(const_cast<char *>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

const char *launchStep(int step) { return step > 0 && step < kSteps ? kStepNames[step] : "clone"; }

pid_t launchTraced(const TraceLaunch &launch, int *go, int *status, int ours[3]) {
  int pipes[5][2];  // three streams, go, status
  for (int i = 0; i < 5; i++) {
    if (pipe2(pipes[i], O_CLOEXEC) == 0) continue;
    const int error = errno;
    while (i-- > 0) close(pipes[i][0]), close(pipes[i][1]);
    return -error;
  }
  // Which end is the child's: it reads its input and `go`.
  const int theirs[5] = {0, 1, 1, 0, 1};
  Child c = {launch, pipes[3][0], pipes[4][1], {pipes[0][0], pipes[1][1], pipes[2][1]}, pointers(launch.argv), pointers(launch.envp)};
  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  // No exit signal: to Node's own children's waits it is not there.
  const long pid = syscall(SYS_clone, launch.namespaces, 0, 0, 0, 0);
  if (pid == 0) {
    for (int i = 0; i < 5; i++) close(pipes[i][1 - theirs[i]]);
    childMain(c);
  }
  const int error = pid < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
  for (int i = 0; i < 5; i++) close(pipes[i][theirs[i]]);
  *go = pipes[3][1];
  *status = pipes[4][0];
  for (int i = 0; i < 3; i++) ours[i] = pipes[i][1 - theirs[i]];
  int mapped = error;
  if (!mapped && (launch.namespaces & CLONE_NEWUSER)) {
    writeFile(static_cast<pid_t>(pid), "setgroups", "deny");
    mapped = writeFile(static_cast<pid_t>(pid), "uid_map", launch.uidMap);
    if (!mapped) mapped = writeFile(static_cast<pid_t>(pid), "gid_map", launch.gidMap);
  }
  if (!mapped && write(*go, "m", 1) == 1) return static_cast<pid_t>(pid);
  if (!mapped) mapped = EPIPE;
  close(*go);
  close(*status);
  for (int i = 0; i < 3; i++) close(ours[i]);
  int ended;
  if (pid > 0) hostWait(static_cast<pid_t>(pid), &ended, static_cast<int>(__WALL));  // it ends when `go` is closed
  return -mapped;
}

}  // namespace levitate
